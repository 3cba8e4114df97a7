"""The table of every documented endpoint, against a core: each role, and each documented error."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
import pytest_asyncio

from callscreen.schema import TYPES

from .conftest import PASSWORD, Caller, log_in
from .endpoints import BOTH, GIVEN, LINES, Line

pytestmark = pytest.mark.asyncio(loop_scope="module")

DENIED = "You do not have permission to perform that operation."
ROLES = {
    "owner": "platform_owner",
    "provider": "service_provider:acme",
    "subscriber": "subscriber:acme:alice",
}
Cast = Mapping[tuple[str, str], Caller]


def lines(wanted: Callable[[Line], object] = lambda line: True) -> pytest.MarkDecorator:
    """Runs a test for the lines of the table that are wanted, in each of their products."""
    cases = [(product, line) for line in LINES for product in line.products if wanted(line)]
    return pytest.mark.parametrize(
        ("product", "line"), cases, ids=[f"{product} {line}" for product, line in cases]
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def cast(http: httpx.AsyncClient) -> Cast:
    """Who calls, by product and role; new administrators come in by their activation."""
    found: dict[tuple[str, str], Caller] = {}
    for product in BOTH:
        owner = await log_in(http, product, f"{product}_administrator", PASSWORD)
        found[product, "owner"] = owner
        found[product, "nobody"] = Caller(http, product)
        await prepare(owner)
        allowed = {"__override__": {"web_settings": {"password_length": True}}}
        assert code(await owner.put("settings", allowed)) == 200
        for name, role in list(ROLES.items())[1:]:
            made = await owner.post(f"administrator/{role}", {"username": name})
            token = made["data"][0]["meta"]["activation_token"]
            set_ = await Caller(http, product).post(
                "password", {"token": token, "password": PASSWORD}
            )
            assert (code(set_), set_["data"]) == (200, [])
            found[product, name] = await log_in(http, product, name, PASSWORD)
        own = {"web_settings": {"password_length": 9}}
        assert code(await found[product, "provider"].put("settings", own)) == 200
    return found


async def prepare(owner: Caller, line: Line | None = None) -> None:
    """Brings about what the table takes for granted, as far as a line needs it."""
    if line is not None and line.made:
        await owner.delete(line.made)
    if line is not None and line.method != "DELETE":
        return
    for products, path, body in GIVEN:
        if owner.product in products:
            answer = await owner.put(path, body)
            assert code(answer) == 200, (path, answer)


def code(answer: dict[str, Any]) -> object:
    return answer["meta"]["code"]


async def call(caller: Caller, line: Line, path: str = "", body: Any = None) -> dict[str, Any]:
    given = body if body is not None else line.body
    return caller.json(await caller.send(line.method, path or line.path, given))


@pytest.mark.parametrize("role", ["owner", "provider", "subscriber"])
@lines()
async def test_what_each_role_gets(cast: Cast, product: str, line: Line, role: str) -> None:
    await prepare(cast[product, "owner"], line)
    expected = getattr(line, role)
    answer = await call(cast[product, role], line)
    if expected == "403":
        assert (code(answer), answer["meta"]["message"]) == (403, DENIED)
        return
    assert code(answer) == 200, answer
    if expected == "[]" or line.method == "DELETE":
        assert answer["data"] == []
    elif line.path.endswith("/reset"):
        [row] = answer["data"]
        assert list(row) == ["token"]
    else:
        assert answer["data"]
        assert {row["scope"] for row in answer["data"]} == {line.path.partition("/")[0]}


@lines()
async def test_without_a_token_there_is_nothing(cast: Cast, product: str, line: Line) -> None:
    answer = await call(cast[product, "nobody"], line)
    if line.path.endswith("/reset"):  # whoever asks is answered alike
        assert (code(answer), answer["data"]) == (200, [])
    else:
        assert code(answer) == 401


@lines()
async def test_another_method_is_not_allowed(cast: Cast, product: str, line: Line) -> None:
    answer = await cast[product, "owner"].send("PATCH", line.path)
    assert (answer.status_code, answer.content) == (405, b"")
    assert line.method in answer.headers["allow"].split(", ")


@pytest.mark.parametrize("role", ["owner", "provider", "subscriber"])
@lines(lambda line: line.method == "GET" and "/" in line.path.rstrip("/"))
async def test_what_is_not_there_is_not_provisioned(
    cast: Cast, product: str, line: Line, role: str
) -> None:
    first, *rest = line.path.split("/")
    path = "/".join((first, *("nobody" for _ in rest)))
    answer = await call(cast[product, role], line, path)
    assert (code(answer), answer["data"], answer["meta"]["records_total"]) == (200, [], 0)


@lines(lambda line: line.missing)
async def test_what_is_required_must_be_there(cast: Cast, product: str, line: Line) -> None:
    owner = cast[product, "owner"]
    await prepare(owner, line)
    body = {name: value for name, value in (line.body or {}).items() if name != line.missing}
    answer = await call(owner, line, body=body)
    name = TYPES[line.path.partition("/")[0]].class_name
    sentence = f"{name}(): Field '{line.missing}' is required, but missing."
    assert (code(answer), answer["meta"]["message"]) == (400, sentence)


@lines(lambda line: line.made)
async def test_what_is_there_is_not_made_again(cast: Cast, product: str, line: Line) -> None:
    owner = cast[product, "owner"]
    await prepare(owner, line)
    assert code(await call(owner, line)) == 200
    assert code(await call(owner, line)) == 409


@lines(lambda line: line.body is not None)
async def test_a_body_must_be_an_object_of_known_fields(
    cast: Cast, product: str, line: Line
) -> None:
    owner = cast[product, "owner"]
    for body in (b"[]", b"{", b'{"nonsense": 1}'):
        assert code(await call(owner, line, body=body)) == 400


@lines(lambda line: line.method == "DELETE")
async def test_what_is_not_there_cannot_be_removed(cast: Cast, product: str, line: Line) -> None:
    path = f"{line.path.rpartition('/')[0]}/nobody"
    answer = await call(cast[product, "owner"], line, path)
    assert code(answer) in (400, 404)  # 400: no number, no file, has that name


@pytest.mark.parametrize("product", BOTH)
async def test_a_log_in(cast: Cast, http: httpx.AsyncClient, product: str) -> None:
    nobody = cast[product, "nobody"]
    for body in (
        {"username": f"{product}_administrator"},
        {"username": f"{product}_administrator", "password": "wrong"},
        {"username": "provider", "password": ""},
        {},
    ):
        answer = await nobody.post("authenticate", body)
        sentence = "The username and password provided were not correct."
        assert (code(answer), answer["meta"]["message"]) == (401, sentence)
    caller = await log_in(http, product, "provider", PASSWORD)
    assert code(await caller.get("service_provider/acme")) == 200
    assert code(await caller.post("logout")) == 200
    assert code(await caller.get("service_provider/acme")) == 401


@pytest.mark.parametrize("product", BOTH)
async def test_an_object_that_does_not_exist(cast: Cast, product: str) -> None:
    for role in ("owner", "provider", "subscriber", "nobody"):
        answer = await cast[product, role].get("servi")
        assert (code(answer), answer["meta"]["message"]) == ("404", "No object 'servi' exists.")


@pytest.mark.parametrize("path", ["/xyz/api/authenticate", "/pcs/other", "/"])
async def test_a_product_that_is_not_installed(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.post(path, json={})
    assert answer.status_code == 404
    assert f"The requested URL {path} was not found on this server." in answer.text
