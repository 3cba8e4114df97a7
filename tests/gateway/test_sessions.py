"""Sessions by cookie, tokens by header, and who the core is told is asking."""

import re
from collections.abc import AsyncIterator

import grpc
import httpx
import pytest
from google.protobuf.empty_pb2 import Empty

from callscreen.gateway import GatewayConfig
from callscreen.gateway.cookies import csrf_token, session_of
from callscreen.gateway.origin import networks
from callscreen.v1.authentication_pb2 import AuthenticateResponse
from callscreen.v1.provisioning_pb2 import ListResponse

from .fake_core import TOKEN, FakeCore, Refusal, faked

LOGIN = {"username": "pcs_administrator", "password": "open sesame 42"}
LIST = "/pcs/api/service_provider"
SESSION = "session-token"
Faked = tuple[FakeCore, httpx.AsyncClient]


@pytest.fixture
async def fake() -> AsyncIterator[Faked]:
    async with faked(GatewayConfig()) as (core, http, _):
        core.answers = {
            "Authenticate": AuthenticateResponse(token="t", session_token=SESSION),
            "List": ListResponse(),
            "Delete": Empty(),
            "Revoke": Empty(),
        }
        yield core, http


def cookies(answer: httpx.Response) -> list[str]:
    return answer.headers.get_list("set-cookie")


def code(answer: httpx.Response) -> object:
    return answer.json()["meta"]["code"]


def session(**more: str) -> dict[str, str]:
    return {"Cookie": f"a=b; pcs_sessionid={SESSION}; c=d", **more}


async def test_a_log_in_begins_a_session(fake: Faked) -> None:
    core, http = fake
    answer = await http.post("/pcs/api/authenticate", json=LOGIN)
    assert answer.json()["data"] == [{"token": "t"}]
    assert core.last.messages[0].session
    assert "authorization" not in core.last.metadata
    first, second = cookies(answer)
    rest = r"expires=[^;]+ GMT; Max-Age=1209600; Path=/pcs; SameSite=Lax"
    assert re.fullmatch(f"pcs_sessionid={SESSION}; HttpOnly; {rest}", first)
    assert re.fullmatch(f"pcs_csrftoken={csrf_token(SESSION)}; {rest}", second)


async def test_the_other_product_has_cookies_of_its_own(fake: Faked) -> None:
    _, http = fake
    for cookie in cookies(await http.post("/cin/api/authenticate", json=LOGIN)):
        assert cookie.startswith("cin_")
        assert "; Path=/cin;" in cookie


async def test_a_log_in_that_fails_leaves_the_session(fake: Faked) -> None:
    core, http = fake
    core.answers["Authenticate"] = Refusal(grpc.StatusCode.UNAUTHENTICATED, "Wrong.")
    for body in (LOGIN, {}, {"username": "pcs_administrator"}):
        answer = await http.post("/pcs/api/authenticate", json=body, headers=session())
        assert (code(answer), cookies(answer)) == (401, [])


async def test_another_site_begins_no_session(fake: Faked) -> None:
    core, http = fake
    core.answers["Authenticate"] = AuthenticateResponse(token="t")
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = await http.post("/pcs/api/authenticate", json=LOGIN, headers=headers)
    assert (core.last.messages[0].session, cookies(answer)) == (False, [])


async def test_the_cookie_reads(fake: Faked) -> None:
    core, http = fake
    answer = await http.get(LIST, headers=session())
    assert (code(answer), answer.json()["meta"]["authorization"]) == (200, "")
    assert core.last.metadata["authorization"] == f"Bearer {SESSION}"


async def test_the_cookie_of_the_other_product_is_none(fake: Faked) -> None:
    core, http = fake
    assert code(await http.get("/cin/api/service_provider", headers=session())) == 401
    assert not core.asked


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("shown", [{}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": csrf_token("x")}])
async def test_a_change_by_cookie_needs_the_session_s_token(
    fake: Faked, method: str, shown: dict[str, str]
) -> None:
    core, http = fake
    answer = await http.request(method, f"{LIST}/acme", headers=session(**shown))
    assert code(answer) == 403
    assert not core.asked


async def test_a_change_by_cookie_that_shows_it_is_made(fake: Faked) -> None:
    core, http = fake
    shown = {"X-CSRF-Token": csrf_token(SESSION)}
    assert code(await http.delete(f"{LIST}/acme", headers=session(**shown))) == 200
    assert core.last.metadata["authorization"] == f"Bearer {SESSION}"


async def test_the_header_beats_the_cookie(fake: Faked) -> None:
    core, http = fake
    assert code(await http.delete(f"{LIST}/acme", headers=session(**TOKEN))) == 200
    assert core.last.metadata["authorization"] == "Bearer secret"
    assert code(await http.get(LIST, headers=session(Authorization="Digest x"))) == 401


async def test_a_log_out_ends_what_was_shown(fake: Faked) -> None:
    core, http = fake
    shown = {"X-CSRF-Token": csrf_token(SESSION)}
    answer = await http.post("/pcs/api/logout", headers=session(**shown))
    assert (code(answer), answer.json()["data"]) == (200, [])
    assert [asked.metadata["authorization"] for asked in core.asked] == [f"Bearer {SESSION}"]
    assert [cookie.partition("=")[0] for cookie in cookies(answer)] == [
        "pcs_sessionid",
        "pcs_csrftoken",
    ]
    assert all("=; " in cookie and "; Max-Age=0; " in cookie for cookie in cookies(answer))


async def test_a_log_out_with_both_ends_both(fake: Faked) -> None:
    core, http = fake
    assert code(await http.post("/pcs/api/logout", headers=session(**TOKEN))) == 200
    shown = [asked.metadata["authorization"] for asked in core.asked]
    assert shown == ["Bearer secret", f"Bearer {SESSION}"]


async def test_a_forged_log_out_ends_nothing(fake: Faked) -> None:
    core, http = fake
    answer = await http.post("/pcs/api/logout", headers=session())
    assert (code(answer), cookies(answer), core.asked) == (403, [], [])
    answer = await http.post("/pcs/api/logout")
    assert (code(answer), cookies(answer), core.asked) == (401, [], [])


async def test_a_session_that_is_over_is_forgotten(fake: Faked) -> None:
    core, http = fake
    core.answers["Revoke"] = Refusal(grpc.StatusCode.UNAUTHENTICATED)
    shown = {"X-CSRF-Token": csrf_token(SESSION)}
    answer = await http.post("/pcs/api/logout", headers=session(**shown))
    assert (code(answer), len(cookies(answer))) == (401, 2)


@pytest.mark.parametrize(
    ("config", "headers", "secure"),
    [
        (GatewayConfig(), {}, False),
        (GatewayConfig(), {"X-Forwarded-Proto": "https"}, False),
        (GatewayConfig(secure_cookies=True), {}, True),
        (GatewayConfig(proxies=networks(["192.0.2.0/24"])), {"X-Forwarded-Proto": "https"}, True),
        (GatewayConfig(proxies=networks(["192.0.2.0/24"])), {"X-Forwarded-Proto": "http"}, False),
    ],
)
async def test_cookies_are_for_tls_where_it_is_there(
    config: GatewayConfig, headers: dict[str, str], secure: bool
) -> None:
    async with faked(config) as (core, http, _):
        core.answers["Authenticate"] = AuthenticateResponse(token="t", session_token=SESSION)
        answer = await http.post("/pcs/api/authenticate", json=LOGIN, headers=headers)
    assert [cookie.endswith("; Secure") for cookie in cookies(answer)] == [secure, secure]


async def test_the_core_is_told_who_asks_and_whence(fake: Faked) -> None:
    core, http = fake
    headers = {**TOKEN, "X-Request-ID": "abc-1", "X-Forwarded-For": "203.0.113.9"}
    answer = await http.delete(f"{LIST}/acme", headers=headers)
    assert answer.headers["x-request-id"] == "abc-1"
    told = {name: value for name, value in core.last.metadata.items() if name.startswith("x-")}
    assert told == {
        "x-request-id": "abc-1",
        "x-client-address": "192.0.2.1",
        "x-method": "DELETE",
    }


@pytest.mark.parametrize("given", ["", "a b", "é", "a" * 129, "a\tb"])
async def test_an_id_that_is_not_sane_is_replaced(fake: Faked, given: str) -> None:
    core, http = fake
    headers = {**TOKEN, "X-Request-ID": given.encode()}
    answers = [await http.get(LIST, headers=headers) for _ in range(2)]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert ids == [asked.metadata["x-request-id"] for asked in core.asked]
    assert len(set(ids)) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", found) for found in ids)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/pcs/api/servi", 200),
        ("PATCH", "/pcs/api/service_provider", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/pcs/password", 200),
        ("GET", "/openapi.json", 200),
    ],
)
async def test_every_answer_has_the_id(fake: Faked, method: str, path: str, status: int) -> None:
    _, http = fake
    answer = await http.request(method, path, headers={"X-Request-ID": "mine"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (status, "mine")


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (["203.0.113.9"], "203.0.113.9"),
        (["10.9.9.9, 203.0.113.9, 192.0.2.7"], "203.0.113.9"),
        (["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
        (["2001:db8::0001"], "2001:db8::1"),
        (["192.0.2.7"], "192.0.2.7"),
        (["nonsense"], "192.0.2.1"),
        (["nonsense, 192.0.2.7"], "192.0.2.7"),
        ([], "192.0.2.1"),
    ],
)
async def test_a_listed_proxy_s_word_on_the_address_counts(
    forwarded: list[str], address: str
) -> None:
    config = GatewayConfig(proxies=networks(["192.0.2.0/24"]))
    async with faked(config) as (core, http, _):
        core.answers["List"] = ListResponse()
        headers = [*TOKEN.items(), *(("X-Forwarded-For", value) for value in forwarded)]
        assert code(await http.get(LIST, headers=headers)) == 200
        assert core.last.metadata["x-client-address"] == address


def test_a_proxy_must_be_an_address() -> None:
    with pytest.raises(ValueError, match="--proxies"):
        networks(["proxy.example.com"])


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (b"pcs_sessionid=a", "a"),
        (b'x=y;pcs_sessionid="a" ; z', "a"),
        (b"xpcs_sessionid=a", ""),
        (b"cin_sessionid=a", ""),
        (b"", ""),
    ],
)
def test_a_cookie_is_found(header: bytes, found: str) -> None:
    assert session_of("pcs", header) == found


async def test_head_is_get_without_its_body(fake: Faked) -> None:
    _, http = fake
    whole = await http.get(LIST, headers=TOKEN)
    head = await http.head(LIST, headers=TOKEN)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert (await http.head("/pcs/api/authenticate")).status_code == 405
