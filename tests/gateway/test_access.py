"""Who may do what, as a REST caller sees it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import grpc
import httpx
import pytest
import pytest_asyncio

from callscreen.gateway.routes import ROUTES
from callscreen.schema.names import format_name
from callscreen.v1.authentication_pb2 import SetPasswordRequest
from callscreen.v1.authentication_pb2_grpc import AuthenticationStub

from .conftest import Caller, log_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

DENIED = "You do not have permission to perform that operation."
Login = Callable[[str], Awaitable[Caller]]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def login(owner: Caller, channel: grpc.aio.Channel, http: httpx.AsyncClient) -> Login:
    """Makes two providers with a subscriber and a number each, and logs in whoever is named."""
    for place, provider in enumerate(("one", "two")):
        await owner.put(f"service_provider/{provider}", {})
        await owner.put(f"subscriber/{provider}/sub", {})
        await owner.put(f"number/{provider}/sub/585000000{place}", {})

    callers: dict[str, Caller] = {}

    async def log_in_as(role: str) -> Caller:
        if role in callers:
            return callers[role]
        username = role.replace(":", "_")
        made = await owner.put(f"administrator/{role}/{username}", {})
        assert made["meta"]["code"] == 200, made
        name = format_name(owner.product, "administrator", (role, username))
        await AuthenticationStub(channel).SetPassword(
            SetPasswordRequest(name=name, password="a good password"),
            metadata=(("authorization", f"Bearer {owner.token}"),),
        )
        callers[role] = await log_in(http, owner.product, username, "a good password")
        return callers[role]

    return log_in_as


def code(answer: dict[str, dict[str, object]]) -> object:
    return answer["meta"]["code"]


async def test_an_unauthorized_action(login: Login) -> None:
    caller = await login("service_provider:one")
    answer = await caller.post("service_provider", {"name": "three"})
    assert list(answer["meta"].items()) == [
        ("scope", "exception"),
        ("message", DENIED),
        ("code", 403),
        ("encoding", "ascii"),
    ]


async def test_a_provider_s_administrator_reaches_the_provider(login: Login) -> None:
    caller = await login("service_provider:one")
    assert code(await caller.put("service_provider/one", {"notes": "mine"})) == 200
    assert code(await caller.put("subscriber/one/another", {})) == 200
    assert code(await caller.delete("subscriber/one/another")) == 200
    rows = (await caller.get("service_provider"))["data"]
    assert [row["attributes"]["name"] for row in rows] == ["one"]
    rows = (await caller.get("number"))["data"]
    assert [row["attributes"]["service_provider_name"] for row in rows] == ["one"]


@pytest.mark.parametrize("role", ["service_provider:one", "subscriber:one:sub"])
async def test_another_tenant_looks_not_provisioned(login: Login, role: str) -> None:
    caller = await login(role)
    for path in ("service_provider/two", "subscriber/two/sub", "number/two", "subscriber/two"):
        answer = await caller.get(path)
        assert (code(answer), answer["data"], answer["meta"]["records_total"]) == (200, [], 0)
    for path in ("service_provider/two", "subscriber/two/sub", "number/two/sub/5850000001"):
        answer = await caller.put(path, {})
        assert (code(answer), answer["meta"]["message"]) == (403, DENIED)
        assert code(await caller.delete(path)) == 403


async def test_a_subscriber_s_administrator_reaches_the_subscriber(login: Login) -> None:
    caller = await login("subscriber:one:sub")
    assert code(await caller.put("subscriber/one/sub", {"notes": "mine"})) == 200
    assert (await caller.get("number/one/sub"))["meta"]["records_total"] == 1
    assert code(await caller.delete("subscriber/one/sub")) == 403
    assert code(await caller.post("number/one/sub", {"number": "5850000009"})) == 403


async def test_a_subscriber_has_no_settings_to_read(login: Login) -> None:
    caller = await login("subscriber:one:sub")
    for path in ("settings/", "settings/?effective=true"):
        answer = await caller.get(path)
        assert (code(answer), answer["data"]) == (200, [])


async def test_the_settings_are_those_of_whoever_asks(login: Login, owner: Caller) -> None:
    caller = await login("service_provider:one")
    assert (await caller.get("settings/"))["data"] == []
    own = {"web_settings": {"password_length": 12}}
    allowed = {"__override__": {"web_settings": {"password_length": True}}}
    await owner.put("settings/", allowed)
    stored = await caller.put("settings/", own)
    assert code(stored) == 200, stored
    found = await caller.attributes("settings/")
    assert found["web_settings"]["password_length"] == 12
    assert (await owner.attributes("settings/"))["web_settings"]["password_length"] == 8
    other = await login("service_provider:two")
    assert (await other.get("settings/"))["data"] == []


FOREIGN = {
    "name": "two",
    "service_provider_name": "two",
    "service_provider": "two",
    "subscriber_name": "sub",
    "subscriber": "sub",
    "number": "+15850000001",
    "role_id": "service_provider:two",
    "username": "service_provider_two",
    "screening_group": "pcs:two",
    "file": "a.wav",
    "id": "nobodys",
}
QUERIES = (
    "",
    "limit=0",
    "offset=1",
    "like=two",
    "sort=modified:desc",
    "search=created:2020-01-01:2099-01-01",
    "icontains=modified_by:admin",
)


@pytest.mark.parametrize("role", ["service_provider:one", "subscriber:one:sub"])
async def test_no_route_and_no_query_tells_of_another_tenant(
    login: Login, owner: Caller, role: str
) -> None:
    await login("service_provider:two")  # an administrator to be found
    caller = await login(role)
    routes = [
        route for route in ROUTES if owner.product in route.products and "GET" in route.methods
    ]
    assert len(routes) > 15
    for route in routes:
        queries = QUERIES if route.type not in ("cdr", "settings", "job") else QUERIES[:4]
        path = route.path("x").removeprefix("/x/api/")
        path = path.format_map({key: quote(value, safe="") for key, value in FOREIGN.items()})
        for query in queries:
            answer = await caller.get(f"{path}?{query}")
            assert code(answer) == 200, (path, query, answer)
            assert '"two"' not in json.dumps(answer["data"]), (path, query)
            if route.keys:
                assert (answer["data"], answer["meta"]["records_total"]) == ([], 0), (path, query)


async def test_a_token_of_one_product_is_nobody_in_the_other(
    login: Login, owner: Caller, http: httpx.AsyncClient
) -> None:
    await login("service_provider:one")
    other = Caller(http, "cin" if owner.product == "pcs" else "pcs", owner.token)
    for path in ("service_provider", "service_provider/one", "administrator", "settings", "cdr"):
        assert (await other.get(path))["data"] == []
    assert code(await other.put("service_provider/one", {"notes": "theirs"})) == 403
    assert code(await other.post("service_provider", {"name": "new"})) == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("administrator/platform_owner/climber", {}),
        ("administrator/service_provider:two/climber", {}),
        ("administrator/service_provider:one/service_provider_one", {"role_id": "platform_owner"}),
        ("subscriber/one/sub", {"service_provider_name": "two"}),
        ("subscriber/one/sub", {"service_provider_name": "nobody"}),
        ("service_provider/one", {"name": "two"}),
        ("service_provider/one", {"name": "nobody"}),
    ],
)
async def test_nothing_moves_beyond_the_reach(
    login: Login, owner: Caller, path: str, body: dict[str, str]
) -> None:
    caller = await login("service_provider:one")
    answer = await caller.put(path, body)
    assert (code(answer), answer["meta"]["message"]) == (403, DENIED)
    assert (await owner.get("subscriber/one/sub"))["meta"]["records_total"] == 1
    assert (await owner.get("administrator/platform_owner"))["meta"]["records_total"] == 1


CSV = {"Content-Type": "text/csv"}


async def ended(caller: Caller, answer: dict[str, Any]) -> dict[str, Any]:
    """The job that an answer is, once it has ended."""
    job: dict[str, Any] = answer["data"][0]["attributes"]
    async with asyncio.timeout(20):
        while job["ended"] is None:
            await asyncio.sleep(0.02)
            job = await caller.attributes(f"job/{job['id']}")
    return job


@pytest.mark.parametrize("path", ["import/number/two", "import/number", "number/two/sub"])
async def test_a_file_reaches_no_further_than_its_sender(
    login: Login, owner: Caller, path: str
) -> None:
    await login("service_provider:two")
    caller = await login("service_provider:one")
    row = b"5850000077,sub,two,theirs\n"
    answer = await caller.post(path, row, headers=CSV)
    if code(answer) == 200:
        assert (await ended(caller, answer))["state"] == "failed"
    else:
        assert code(answer) == 403
    assert (await owner.get("number?search=number:5850000077"))["data"] == []


async def test_a_job_is_its_owner_s(login: Login, owner: Caller) -> None:
    row = b"5850000078,sub,two\n"
    job = await ended(owner, await owner.post("import/number", row, headers=CSV))
    assert job["state"] == "done"
    for role in ("service_provider:one", "subscriber:one:sub"):
        caller = await login(role)
        assert job["id"] not in json.dumps((await caller.get("job"))["data"])
        for path in (f"job/{job['id']}", f"job/{job['id']}/log", f"job/{job['id']}/file"):
            answer = await caller.get(path)
            assert (code(answer), answer["data"]) == (200, [])
        assert code(await caller.delete(f"job/{job['id']}")) in (403, 404)
    exported = await ended(owner, await owner.post("export/number/two"))
    caller = await login("service_provider:one")
    assert (await caller.get(f"job/{exported['id']}/file"))["data"] == []
    answer = await caller.post("export/number/two")
    if code(answer) == 200:
        own = await ended(caller, answer)
        file = await caller.send("GET", f"job/{own['id']}/file")
        assert "+15850000001" not in file.text
