"""A tenant's token against every endpoint and every other tenant's objects, from the route table.

What belongs to another tenant and what nobody has are answered alike, after like work: the same
reads of the store, in the same order.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import grpc
import httpx
import pytest
import pytest_asyncio

from callscreen.core.sessions import Sessions
from callscreen.core.store.lmdb import LmdbStore
from callscreen.core.store.lmdb_reader import LmdbReader
from callscreen.gateway.routes import ROUTES, Route
from callscreen.schema.names import format_name
from callscreen.v1.authentication_pb2 import SetPasswordRequest
from callscreen.v1.authentication_pb2_grpc import AuthenticationStub

from .conftest import Caller, log_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROLES = ("service_provider:mine", "subscriber:mine:alice")
PASSWORD = "a good password"
# The same length, so that nothing but their being there tells them apart.
THEIRS = {
    "provider": "theirs",
    "subscriber": "bob42",
    "number": "+15850000001",
    "user": "their_one",
}
NOBODYS = {
    "provider": "nobody",
    "subscriber": "eve42",
    "number": "+15850000009",
    "user": "no_person",
}
QUERIES = {
    "GET": ("", "archive=true", "effective=true", "like=their", "limit=0"),
    "DELETE": ("", "archive=true", "restore=true"),
    "POST": ("",),
    "PUT": ("",),
}
RULE = {
    "personal": True,
    "global": True,
    "override": False,
    "stir_shaken": False,
    "match": "continue",
    "no_match": "next",
    "priority": 1,
}
SOURCE = {"orig_id": "o", "attest": "A", "cert_name": "c", "source_ip": ["192.0.2.7"]}
BODIES: dict[str, dict[str, Any]] = {
    "service_provider": {"notes": "x"},
    "subscriber": {"notes": "x"},
    "number": {"nickname": "x"},
    "administrator": {"first_name": "x"},
    "screening_rule": {"whitelist": RULE},
    "service_selection_criteria": {"called_ccs": ["44"]},
    "audio": {"location": "/", "server": "s", "label": "x"},
    "origination_source": SOURCE,
    "settings": {"web_settings": {"password_length": 9}},
}
PUBLIC = ("authenticate", "password")  # whoever calls: no tenant's


def key_of(route: Route, of: dict[str, str]) -> Iterator[str]:
    """The path parts of a route, filled with somebody's names."""
    for key in route.keys:
        if key in ("service_provider", "service_provider_name"):
            yield of["provider"]
        elif key == "name":
            yield {"service_provider": of["provider"], "subscriber": of["subscriber"]}.get(
                route.type, "sbc"
            )
        elif key in ("subscriber", "subscriber_name"):
            yield of["subscriber"]
        elif key == "number":
            yield of["number"]
        elif key == "role_id":
            yield f"service_provider:{of['provider']}"
        elif key == "username":
            yield of["user"]
        elif key == "screening_group":
            yield f"pcs:{of['provider']}"
        elif key == "file":
            yield "hello.wav"
        elif key == "id":
            yield f"{of['provider']}-no-job"
        else:
            raise AssertionError(f"{route.object} has a key that this test does not know: {key}")


def body_of(route: Route, method: str) -> tuple[Any, dict[str, str]]:
    """What is sent, and the headers that say what it is."""
    if method not in ("POST", "PUT"):
        return None, {}
    if route.object.startswith("import"):
        return b"x,y\r\n", {"Content-Type": "text/csv"}
    return BODIES.get(route.type, {}), {}


def path_of(route: Route, of: dict[str, str]) -> str:
    template = route.path("x").removeprefix("/x/api/")
    for key, part in zip(route.keys, key_of(route, of), strict=True):
        template = template.replace(f"{{{key}}}", quote(part, safe=""))
    return template


def neutral(answer: httpx.Response, of: dict[str, str]) -> tuple[int, str]:
    """An answer without the names that were asked for, nor what is each request's own."""
    text = answer.text
    for name, value in of.items():
        text = text.replace(quote(value, safe=""), f"<{name}>").replace(value, f"<{name}>")
    return answer.status_code, text


@contextmanager
def reads() -> Iterator[list[tuple[str, ...]]]:
    """What is read of the store meanwhile: the kind of each read, and the type of object."""
    seen: list[tuple[str, ...]] = []
    with pytest.MonkeyPatch.context() as patch:
        for cls, name in (
            *((LmdbReader, each) for each in ("get", "scan", "count", "private", "unique")),
            (LmdbStore, "get"),
        ):
            patch.setattr(cls, name, _noted(getattr(cls, name), name, seen))
        patch.setattr(Sessions, "_look_up", _unnoted(Sessions._look_up, seen))
        yield seen


def _unnoted(plain: Any, seen: list[tuple[str, ...]]) -> Any:
    """The same, whose reads do not count: a token is looked up again from time to time."""

    def unnoted(self: Any, *given: Any) -> Any:
        before = len(seen)
        try:
            return plain(self, *given)
        finally:
            del seen[before:]

    return unnoted


def _noted(plain: Any, name: str, seen: list[tuple[str, ...]]) -> Any:
    def noted(self: Any, *given: Any, **named: Any) -> Any:
        first = given[0] if given else ""
        kind = getattr(first, "type", given[1] if name in ("scan", "count") else "")
        seen.append((name, str(kind)))
        return plain(self, *given, **named)

    return noted


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def callers(
    owner: Caller, channel: grpc.aio.Channel, http: httpx.AsyncClient
) -> dict[str, Caller]:
    """Two tenants with something of everything; each role of the first, logged in."""
    made: list[tuple[str, dict[str, Any]]] = []
    for provider, subscriber, number, user in (
        ("mine", "alice", "+15850000000", "my_person"),
        (THEIRS["provider"], THEIRS["subscriber"], THEIRS["number"], THEIRS["user"]),
    ):
        made += [
            (f"service_provider/{provider}", {}),
            (f"subscriber/{provider}/{subscriber}", {}),
            (f"number/{provider}/{subscriber}/{quote(number, safe='')}", {}),
            (f"administrator/service_provider:{provider}/{user}", {}),
        ]
        if owner.product == "pcs":
            made += [
                (f"screening_rule/{provider}", {"whitelist": RULE}),
                (f"service_selection_criteria/{provider}/pcs:{provider}", {"called_ccs": ["99"]}),
                (f"audio/{provider}/hello.wav", {"location": "/", "server": "s"}),
            ]
    made.append(("administrator/subscriber:mine:alice/my_alice", {}))
    if owner.product == "pcs":
        made.append((f"origination_source/{THEIRS['provider']}/sbc", SOURCE))
    for path, body in made:
        answer = await owner.put(path, body)
        assert answer["meta"]["code"] == 200, (path, answer)
    found = {}
    for role, user in zip(ROLES, ("my_person", "my_alice"), strict=True):
        name = format_name(owner.product, "administrator", (role, user))
        await AuthenticationStub(channel).SetPassword(
            SetPasswordRequest(name=name, password=PASSWORD),
            metadata=(("authorization", f"Bearer {owner.token}"),),
        )
        found[role] = await log_in(http, owner.product, user, PASSWORD)
    return found


@pytest_asyncio.fixture(loop_scope="module")
async def unchanged(owner: Caller) -> AsyncIterator[None]:
    """What the platform owner sees of everything is the same after the test."""
    before = await everything(owner)
    yield
    assert await everything(owner) == before


async def everything(owner: Caller) -> dict[str, str]:
    lists = [r for r in ROUTES if owner.product in r.products and not r.keys]
    return {
        route.object: json.dumps((await owner.get(f"{route.object}?limit=1000"))["data"])
        for route in lists
        if route.methods.get("GET") and route.type in BODIES
    }


def attacks(product: str) -> Iterator[tuple[Route, str, str]]:
    for route in ROUTES:
        if product in route.products and route.keys and route.object not in PUBLIC:
            for method in route.methods:
                for query in QUERIES[method]:
                    yield route, method, query


@pytest.mark.parametrize("role", ROLES)
async def test_another_tenant_s_and_nobody_s_are_answered_alike_after_like_work(
    owner: Caller, callers: dict[str, Caller], unchanged: None, role: str
) -> None:
    caller = callers[role]
    tried = 0
    for route, method, query in attacks(owner.product):
        body, headers = body_of(route, method)
        answers, work = [], []
        for of in (THEIRS, NOBODYS):
            with reads() as seen:
                path = f"{path_of(route, of)}?{query}"
                answer = await caller.send(method, path, body, headers=headers)
            answers.append(neutral(answer, of))
            work.append(seen)
        where = (role, method, path_of(route, THEIRS), query)
        assert answers[0] == answers[1], where
        assert work[0] == work[1], where
        status, text = answers[0]
        assert status in (200, 405), where
        if status == 200 and "job" not in route.object:
            found = json.loads(text)
            code = found["meta"]["code"]
            assert found.get("data", []) == [], where
            fine = (400, 403)
            if method == "GET":  # call records have no archive
                fine = (400,) if (route.type, query) == ("cdr", "archive=true") else (200,)
            assert code in fine, (where, found)
        tried += 1
    assert tried > 60


@pytest.mark.parametrize("role", ROLES)
async def test_what_is_named_in_a_body_is_no_way_around(
    owner: Caller, callers: dict[str, Caller], unchanged: None, role: str
) -> None:
    caller = callers[role]
    told = []
    for of in (THEIRS, NOBODYS):
        bodies = {
            "subscriber/mine": {"name": "new", "service_provider_name": of["provider"]},
            "number/mine/alice": {"number": "5850000077", "subscriber_name": of["subscriber"]},
            "number/mine": {
                "number": "5850000077",
                "subscriber_name": of["subscriber"],
                "service_provider_name": of["provider"],
            },
            "administrator/service_provider:mine": {
                "username": "climber",
                "role_id": f"service_provider:{of['provider']}",
            },
            "service_provider": {"name": "new"},
        }
        for path, body in bodies.items():
            answer = await caller.send("POST", path, body)
            assert answer.json()["meta"]["code"] in (400, 403), (path, answer.json())
            told.append(neutral(answer, of))
    assert told[: len(told) // 2] == told[len(told) // 2 :]
