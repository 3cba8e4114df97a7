"""The archive, the settings in force, activation and new passwords: what the core is asked."""

from collections.abc import AsyncIterator
from html.parser import HTMLParser

import grpc
import httpx
import pytest
from google.protobuf.empty_pb2 import Empty

from callscreen.gateway import GatewayConfig
from callscreen.v1.authentication_pb2 import ResetResponse, WhoAmIResponse
from callscreen.v1.object_pb2 import Object
from callscreen.v1.provisioning_pb2 import EffectiveSettingsResponse, ListResponse

from .fake_core import TOKEN, FakeCore, Refusal, faked

ACME = "/pcs/api/service_provider/acme"
Faked = tuple[FakeCore, httpx.AsyncClient]


@pytest.fixture
async def fake() -> AsyncIterator[Faked]:
    async with faked(GatewayConfig()) as (core, http, _):
        yield core, http


def archived() -> Object:
    obj = Object(name="pcs/service_provider/acme")
    obj.service_provider.name = "acme"
    obj.archived.batch = "b1"
    obj.archived.root = "pcs/service_provider/acme"
    obj.archived.actor = "pcs_administrator"
    obj.archived.count = 3
    obj.archived.time.FromSeconds(1_700_000_000)
    return obj


async def test_the_archive_is_listed_and_read(fake: Faked) -> None:
    core, http = fake
    core.answers = {"List": ListResponse(objects=[archived()], total_size=1), "Get": archived()}
    for path in ("/pcs/api/service_provider", ACME):
        answer = (await http.get(f"{path}?archive=true", headers=TOKEN)).json()
        assert core.last.messages[0].archived
        assert answer["meta"]["archive"] is True
        [row] = answer["data"]
        assert row["attributes"]["name"] == "acme"
        assert row["meta"]["archived"] == {
            "batch": "b1",
            "root": "pcs/service_provider/acme",
            "time": "2023-11-14T22:13:20.000Z",
            "actor": "pcs_administrator",
            "count": 3,
        }


async def test_what_is_not_in_the_archive_reads_as_nothing(fake: Faked) -> None:
    core, http = fake
    core.answers["Get"] = Refusal(grpc.StatusCode.NOT_FOUND)
    answer = (await http.get(f"{ACME}?archive=true", headers=TOKEN)).json()
    assert (answer["meta"]["code"], answer["meta"]["archive"], answer["data"]) == (200, True, [])


@pytest.mark.parametrize(
    ("query", "method"),
    [
        ("", "Delete"),
        ("?archive=true", "Purge"),
        ("?restore=true", "Restore"),
        ("?archive=true&restore=true", "Restore"),
        ("?archive=0", "Delete"),
    ],
)
async def test_a_delete_archives_purges_or_restores(fake: Faked, query: str, method: str) -> None:
    core, http = fake
    core.answers[method] = Empty()
    answer = (await http.delete(ACME + query, headers=TOKEN)).json()
    assert (answer["meta"]["code"], answer["data"]) == (200, [])
    assert (core.last.method, core.last.messages[0].name) == (method, "pcs/service_provider/acme")
    for code, rest in (
        (grpc.StatusCode.NOT_FOUND, 404),
        (grpc.StatusCode.ALREADY_EXISTS, 409),
        (grpc.StatusCode.PERMISSION_DENIED, 403),
    ):
        core.answers[method] = Refusal(code)
        assert (await http.delete(ACME + query, headers=TOKEN)).json()["meta"]["code"] == rest


async def test_the_settings_in_force_say_where_they_come_from(fake: Faked) -> None:
    core, http = fake
    core.answers["WhoAmI"] = WhoAmIResponse(service_provider_name="acme")
    found = EffectiveSettingsResponse()
    found.settings.settings.web_settings.password_length = 12
    found.sources["web_settings.password_length"] = "service_provider"
    found.sources["web_settings.default_cc"] = "default"
    core.answers["EffectiveSettings"] = found
    answer = (await http.get("/pcs/api/settings/?effective=true", headers=TOKEN)).json()
    assert core.last.messages[0].name == "pcs/settings/acme"
    [row] = answer["data"]
    assert row["attributes"]["web_settings"]["password_length"] == 12
    assert list(row["meta"]["sources"].items()) == [
        ("web_settings.default_cc", "default"),
        ("web_settings.password_length", "service_provider"),
    ]


async def test_a_new_administrator_s_token_is_answered_once(fake: Faked) -> None:
    core, http = fake
    made = Object(name="pcs/administrator/platform_owner/jim", activation_token="once")
    made.administrator.username = "jim"
    core.answers["Create"] = made
    answer = await http.post("/pcs/api/administrator/platform_owner", json={}, headers=TOKEN)
    [row] = answer.json()["data"]
    assert row["meta"]["activation_token"] == "once"
    assert "activation_token" not in row["attributes"]


RESET = "/pcs/api/administrator/service_provider:acme/jim/reset"


async def test_a_reset_answers_its_token_to_whom_the_core_tells_it(fake: Faked) -> None:
    core, http = fake
    core.answers["Reset"] = ResetResponse(token="r")
    answer = await http.post(RESET, headers=TOKEN)
    assert answer.json()["data"] == [{"token": "r"}]
    assert core.last.messages[0].name == "pcs/administrator/service_provider%3Aacme/jim"
    assert core.last.metadata["authorization"] == "Bearer secret"
    core.answers["Reset"] = ResetResponse()
    answer = await http.post(RESET)
    assert (answer.json()["meta"]["code"], answer.json()["data"]) == (200, [])
    assert "authorization" not in core.last.metadata


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_reset_is_a_post(fake: Faked, method: str) -> None:
    _, http = fake
    answer = await http.request(method, RESET, headers=TOKEN)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_password_is_set_by_its_token(fake: Faked) -> None:
    core, http = fake
    core.answers["Redeem"] = Empty()
    body = {"token": "r", "password": "a good password"}
    answer = (await http.post("/cin/api/password", json=body)).json()
    assert (answer["meta"]["code"], answer["data"]) == (200, [])
    sent = core.last.messages[0]
    assert (sent.product, sent.token, sent.password) == (2, "r", "a good password")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "token"),
        ({"token": "r"}, "password"),
        ({"token": "r", "password": ""}, "password"),
        ({"token": 1, "password": "p"}, "token"),
    ],
)
async def test_a_password_needs_both(fake: Faked, body: dict[str, object], field: str) -> None:
    core, http = fake
    meta = (await http.post("/pcs/api/password", json=body)).json()["meta"]
    assert (meta["code"], core.asked) == (400, [])
    assert f"Password(): Field '{field}'" in meta["message"]


class Page(HTMLParser):
    """The elements of a page that could ask for something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs


@pytest.mark.parametrize("product", ["pcs", "cin"])
async def test_the_page_of_new_passwords_asks_for_nothing(fake: Faked, product: str) -> None:
    _, http = fake
    answer = await http.get(f"/{product}/password")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy.count("'sha256-") == 2
    names = {name for name, _ in Page(answer.text).attributes}
    assert not names & {"src", "href", "action", "style", "onsubmit", "onclick"}
