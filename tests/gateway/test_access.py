"""Who may do what, as a REST caller sees it."""

from collections.abc import Awaitable, Callable

import grpc
import httpx
import pytest
import pytest_asyncio

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

    async def log_in_as(role: str) -> Caller:
        username = role.replace(":", "_")
        made = await owner.put(f"administrator/{role}/{username}", {})
        assert made["meta"]["code"] == 200, made
        name = format_name(owner.product, "administrator", (role, username))
        await AuthenticationStub(channel).SetPassword(
            SetPasswordRequest(name=name, password="a good password"),
            metadata=(("authorization", f"Bearer {owner.token}"),),
        )
        return await log_in(http, owner.product, username, "a good password")

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


async def test_the_settings_are_those_of_whoever_asks(login: Login, owner: Caller) -> None:
    caller = await login("service_provider:one")
    assert (await caller.get("settings/"))["data"] == []
    own = {"web_settings": {"password_length": 12}}
    stored = await caller.put("settings/", own)
    assert code(stored) == 200, stored
    found = await caller.attributes("settings/")
    assert found["web_settings"]["password_length"] == 12
    assert (await owner.attributes("settings/"))["web_settings"]["password_length"] == 8
    other = await login("service_provider:two")
    assert (await other.get("settings/"))["data"] == []
