"""The REST interface of ATIS-1000082: what is asked of the core, and every fault."""

import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio

from callscreen.gateway import GatewayConfig
from callscreen.gateway.client import open_channel
from callscreen.gateway.openapi import openapi
from callscreen.gateway.stir import FAULTS
from callscreen.identity.claims import NAMES_MOST
from callscreen.ops.logs import request_id
from callscreen.schema import format_name
from callscreen.v1.authentication_pb2 import SetPasswordRequest
from callscreen.v1.authentication_pb2_grpc import AuthenticationStub
from callscreen.v1.identity_pb2 import SignCallResponse, VerifyCallResponse
from callscreen.v1.screening_pb2 import Identity, IdentityCheck

from .conftest import Caller, log_in
from .fake_core import TOKEN, FakeCore, Refusal, faked

pytestmark = pytest.mark.asyncio(loop_scope="module")
SIGNING = "/stir/v1/signing"
VERIFICATION = "/stir/v1/verification"
ORIGID = "123e4567-e89b-12d3-a456-426655440000"
SIGN = {
    "attest": "A",
    "dest": {"tn": ["12155550131"]},
    "iat": 1_700_000_000,
    "orig": {"tn": "12155550121"},
    "origid": ORIGID,
}
VERIFY = {
    "from": {"tn": "12155550121"},
    "to": {"tn": ["12155550131"]},
    "time": 1_700_000_000,
    "identity": "token;info=<https://a.example/c>",
}
WHOLE = [(SIGNING, "signingRequest", SIGN), (VERIFICATION, "verificationRequest", VERIFY)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fake() -> AsyncIterator[tuple[FakeCore, httpx.AsyncClient]]:
    async with faked(GatewayConfig()) as (core, http, _):
        yield core, http


@pytest.fixture
def there(fake: tuple[FakeCore, httpx.AsyncClient]) -> tuple[FakeCore, httpx.AsyncClient]:
    core, _ = fake
    core.asked.clear()
    core.answers = {
        "Sign": SignCallResponse(identity="signed"),
        "Verify": VerifyCallResponse(
            identity=Identity(state="valid", verstat="TN-Validation-Passed")
        ),
    }
    return fake


def fault(answer: httpx.Response) -> tuple[int, str]:
    (exception,) = answer.json()["requestError"].items()
    kind, found = exception
    assert kind == ("policyException" if found["messageId"][:3] == "POL" else "serviceException")
    for number, _ in enumerate(found["variables"], 1):
        assert f"%{number}" in found["text"]
    return answer.status_code, found["messageId"]


async def test_signs(there: tuple[FakeCore, httpx.AsyncClient]) -> None:
    core, http = there
    answer = await http.post(SIGNING, json={"signingRequest": SIGN}, headers=TOKEN)
    assert (answer.status_code, answer.json()) == (200, {"signingResponse": {"identity": "signed"}})
    assert answer.headers["content-type"] == "application/json"
    asked = core.last.messages[0]
    assert (asked.orig, list(asked.dest), asked.attest) == ("12155550121", ["12155550131"], "A")
    assert (asked.origid, asked.iat) == (ORIGID, 1_700_000_000)
    assert (asked.service_provider_name, asked.source_name, asked.source_ip) == ("", "", "")
    assert core.last.metadata["authorization"] == "Bearer secret"
    assert core.last.metadata["x-client-address"] == "192.0.2.1"


async def test_a_whole_number_may_have_a_point(
    there: tuple[FakeCore, httpx.AsyncClient],
) -> None:
    core, http = there
    body = {"signingRequest": {**SIGN, "iat": 1.7e9}}
    assert (await http.post(SIGNING, json=body, headers=TOKEN)).status_code == 200
    assert core.last.messages[0].iat == 1_700_000_000
    body = {"verificationRequest": {**VERIFY, "time": 1.7e9}}
    assert (await http.post(VERIFICATION, json=body, headers=TOKEN)).status_code == 200


async def test_verifies(there: tuple[FakeCore, httpx.AsyncClient]) -> None:
    core, http = there
    body = {"verificationRequest": VERIFY}
    answer = await http.post(VERIFICATION, json=body, headers=TOKEN)
    assert answer.json() == {"verificationResponse": {"verstat": "TN-Validation-Passed"}}
    asked = core.last.messages[0]
    assert (asked.orig, asked.dest) == ("+12155550121", "+12155550131")
    assert list(asked.identity) == [VERIFY["identity"]]


async def test_a_call_may_be_named(there: tuple[FakeCore, httpx.AsyncClient]) -> None:
    core, http = there

    async def status(more: dict[str, Any]) -> int:
        body = {"verificationRequest": VERIFY | more}
        return (await http.post(VERIFICATION, json=body, headers=TOKEN)).status_code

    assert await status({"callid": "a@h.example", "fromtag": "9fx"}) == 200
    asked = core.last.messages[0]
    assert (asked.call_id, asked.from_tag) == ("a@h.example", "9fx")
    assert await status({}) == 200
    assert (core.last.messages[0].call_id, core.last.messages[0].from_tag) == ("", "")
    for wrong in ("", None, 1, "x" * 1_025, "a\nb", ["a"]):
        assert await status({"callid": wrong}) == await status({"fromtag": wrong}) == 400
    fields = openapi(("pcs",))["components"]["schemas"]["stir.verificationRequest"]
    asked_for = fields["properties"]["verificationRequest"]
    assert {"callid", "fromtag"} <= set(asked_for["properties"]) - set(asked_for["required"])


async def test_a_check_that_failed_is_told(there: tuple[FakeCore, httpx.AsyncClient]) -> None:
    core, http = there
    failed = IdentityCheck(name="signature", passed=False, detail="does not fit")
    identity = Identity(code=438, verstat="TN-Validation-Failed", checks=[failed])
    core.answers["Verify"] = VerifyCallResponse(identity=identity, reason="Invalid Identity Header")
    body = {"verificationRequest": VERIFY}
    answer = await http.post(VERIFICATION, json=body, headers=TOKEN)
    assert answer.status_code == 200
    assert answer.json()["verificationResponse"] == {
        "reasoncode": 438,
        "reasontext": "Invalid Identity Header",
        "reasondesc": "signature: does not fit",
        "verstat": "TN-Validation-Failed",
    }


@pytest.mark.parametrize(("path", "name", "fields"), WHOLE)
async def test_every_field_is_mandatory_and_of_its_type(
    there: tuple[FakeCore, httpx.AsyncClient], path: str, name: str, fields: dict[str, Any]
) -> None:
    core, http = there
    for field in fields:
        lacks = {each: value for each, value in fields.items() if each != field}
        answer = await http.post(path, json={name: lacks}, headers=TOKEN)
        assert fault(answer) == (400, "SVC4001")
        assert answer.json()["requestError"]["serviceException"]["variables"] == [field]
        for wrong in (True, [], 1.5, "\n", -1, {"tn": 7}, {"tn": []}, "x" * 9_000):
            answer = await http.post(path, json={name: {**fields, field: wrong}}, headers=TOKEN)
            assert fault(answer)[0] == 400, (field, wrong)
    assert fault(await http.post(path, json={}, headers=TOKEN)) == (400, "SVC4001")
    assert fault(await http.post(path, json={name: []}, headers=TOKEN)) == (400, "SVC4005")
    assert core.asked == []


@pytest.mark.parametrize("tn", ["", "+", "sip:1@x", "12155550121;x=1", "1" * 33, "１２３４５６７"])
async def test_what_is_no_number(there: tuple[FakeCore, httpx.AsyncClient], tn: str) -> None:
    core, http = there
    for more in ({"orig": {"tn": tn}}, {"dest": {"tn": [tn]}}):
        body = {"signingRequest": SIGN | more}
        answer = await http.post(SIGNING, json=body, headers=TOKEN)
        assert fault(answer) == (400, "SVC4005")
    assert core.asked == []


@pytest.mark.parametrize(
    ("content", "more", "found"),
    [
        (b"", {}, (400, "SVC4000")),
        (b"{", {}, (400, "SVC4006")),
        (b"[]", {}, (400, "SVC4006")),
        (b'{"signingRequest": "\xff"}', {}, (400, "SVC4006")),
        (b"[" * 5_000, {}, (400, "SVC4006")),
        (b'{"a":' * 100 + b"1" + b"}" * 100, {}, (400, "SVC4001")),
        (b'{"a":' * 1_000 + b"1" + b"}" * 1_000, {}, (400, "SVC4006")),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, {}, (400, "SVC4006")),
        (b'{"signingRequest": {"\\ud800": 1}}', {}, (400, "SVC4006")),
        (b'{"signingRequest": NaN}', {}, (400, "SVC4006")),
        (b'{"signingRequest": {"iat": 1' + b"0" * 5_000 + b"}}", {}, (400, "SVC4006")),
        (b'{"signingRequest": {}, "signingRequest": {}}', {}, (400, "SVC4006")),
        (b'{"signingRequest": {"orig": {"tn": "1", "tn": "2"}}}', {}, (400, "SVC4006")),
        ('{"signingRequest": {}}'.encode("utf-16"), {}, (400, "SVC4006")),
        (b" " * 65_537, {}, (413, "SVC4006")),
        (b"{}", {"Content-Type": "text/plain"}, (415, "SVC4004")),
        (b"{}", {"Accept": "text/html"}, (406, "SVC4002")),
        (b"{}", {"Content-Encoding": "gzip"}, (415, "SVC4005")),
    ],
)
async def test_bodies(
    there: tuple[FakeCore, httpx.AsyncClient], content: bytes, more: Any, found: tuple[int, str]
) -> None:
    core, http = there
    headers = {**TOKEN, "Content-Type": "application/json", **more}
    assert fault(await http.post(SIGNING, content=content, headers=headers)) == found
    assert core.asked == []


async def test_no_more_numbers_than_a_token_may_name(
    there: tuple[FakeCore, httpx.AsyncClient],
) -> None:
    many = ["12155550131"] * NAMES_MOST
    for tns, status in ((many, 200), ([*many, "1"], 400), (many * 32, 400)):
        for path, name, fields in WHOLE:
            side = "dest" if path == SIGNING else "to"
            body = {name: {**fields, side: {"tn": tns}}}
            assert (await there[1].post(path, json=body, headers=TOKEN)).status_code == status


async def test_what_is_unknown_is_passed_over(there: tuple[FakeCore, httpx.AsyncClient]) -> None:
    core, http = there
    fields = {**SIGN, "cert_name": "x", "service_provider_name": "y", "null": [{}]}
    content = json.dumps({"signingRequest": fields, "more": 1.5}).encode()
    headers = {**TOKEN, "Content-Type": "application/json; charset=utf-8"}
    assert (await http.post(SIGNING, content=content, headers=headers)).status_code == 200
    asked = core.last.messages[0]
    assert (asked.service_provider_name, asked.source_name, asked.orig) == ("", "", "12155550121")


async def test_its_log_lines_have_its_id(
    there: tuple[FakeCore, httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def broken(_: Any) -> Any:
        seen.append(request_id.get())
        raise RuntimeError

    monkeypatch.setattr("callscreen.gateway.stir.sign_request", broken)
    headers = {**TOKEN, "X-Request-ID": "one-of-these"}
    answer = await there[1].post(SIGNING, json={"signingRequest": SIGN}, headers=headers)
    assert fault(answer) == (500, "SVC5000")
    assert "RuntimeError" not in answer.text
    assert seen == ["one-of-these"]


async def test_a_body_without_its_length(there: tuple[FakeCore, httpx.AsyncClient]) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"{}"

    headers = {**TOKEN, "Content-Type": "application/json"}
    answer = await there[1].post(SIGNING, content=pieces(), headers=headers)
    assert fault(answer) == (411, "SVC4007")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_methods(there: tuple[FakeCore, httpx.AsyncClient], method: str) -> None:
    answer = await there[1].request(method, SIGNING, headers=TOKEN)
    assert fault(answer) == (405, "POL4050")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/stir", "/stir/v1", "/stir/v2/signing", "/stir/v1/signing/"])
async def test_paths(there: tuple[FakeCore, httpx.AsyncClient], path: str) -> None:
    assert fault(await there[1].post(path, headers=TOKEN)) == (404, "SVC4003")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic"}, {"Authorization": "X y"}])
async def test_a_token_is_needed(
    there: tuple[FakeCore, httpx.AsyncClient], headers: dict[str, str]
) -> None:
    answer = await there[1].post(SIGNING, json={"signingRequest": SIGN}, headers=headers)
    assert fault(answer) == (401, "POL0001")
    assert there[0].asked == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, (400, "SVC4005")),
        (grpc.StatusCode.UNAUTHENTICATED, (401, "POL0001")),
        (grpc.StatusCode.PERMISSION_DENIED, (403, "POL0001")),
        (grpc.StatusCode.NOT_FOUND, (404, "POL0001")),
        (grpc.StatusCode.ABORTED, (409, "POL0001")),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, (429, "POL0001")),
        (grpc.StatusCode.UNAVAILABLE, (503, "SVC5000")),
        (grpc.StatusCode.INTERNAL, (500, "SVC5000")),
    ],
)
async def test_what_the_core_refuses(
    there: tuple[FakeCore, httpx.AsyncClient], code: grpc.StatusCode, found: tuple[int, str]
) -> None:
    core, http = there
    core.answers["Sign"] = Refusal(code, "No such thing.")
    answer = await http.post(SIGNING, json={"signingRequest": SIGN}, headers=TOKEN)
    assert fault(answer) == found


async def test_not_served_without_pcs() -> None:
    async with faked(GatewayConfig(products=("cin",))) as (_, http, _address):
        answer = await http.post(SIGNING, json={"signingRequest": SIGN}, headers=TOKEN)
    assert answer.status_code == 404


@pytest.mark.parametrize(("path", "name", "fields"), WHOLE)
async def test_the_document_has_what_is_answered(path: str, name: str, fields: Any) -> None:
    document = openapi(("pcs",))
    operation = document["paths"][path]["post"]
    assert {int(status) for status in operation["responses"]} >= {
        200,
        *(status for status, _ in FAULTS.values()),
    }
    schema = document["components"]["schemas"][f"stir.{name}"]
    assert schema["properties"][name]["required"] == list(fields)


async def post(caller: Caller, more: dict[str, Any]) -> httpx.Response:
    headers = {"Authorization": caller.authorization}
    body = {"signingRequest": {**SIGN, **more}}
    return await caller.http.post(SIGNING, json=body, headers=headers)


async def test_a_hostile_tenant(pcs: Caller, cin: Caller, core: Any) -> None:
    """Nothing that a tenant can write reaches another's source or certificate."""
    async with open_channel(core[0], GatewayConfig().limits) as channel:
        for name in ("acme", "evil"):
            await pcs.put(f"service_provider/{name}", {})
            await pcs.put(f"administrator/service_provider:{name}/{name}", {})
            at = format_name("pcs", "administrator", (f"service_provider:{name}", name))
            await AuthenticationStub(channel).SetPassword(
                SetPasswordRequest(name=at, password="long enough 7!"),
                metadata=(("authorization", f"Bearer {pcs.token}"),),
            )
    mask = {"numbers_n": ["+1xxxxxxxxxx"], "orig_id_n": ORIGID, "attest_n": "A"}
    source = {
        "orig_id": ORIGID,
        "attest": "A",
        "cert_name": "acme-only",
        "source_ip": ["0.0.0.0/0"],
    }
    source["source_numbers"] = [{**mask, "cert_name_n": "acme-only", "priority": 1}]
    made = await pcs.put("origination_source/acme/main", source)
    assert made["meta"].get("code", 200) in (200, 201), made
    evil = await log_in(pcs.http, "pcs", "evil", "long enough 7!")
    for more in (
        {},
        {"cert_name": "acme-only"},
        {"service_provider_name": "acme", "source_name": "main", "source_ip": "192.0.2.1"},
        {"orig": {"tn": "12155550121", "cert_name": "acme-only"}},
    ):
        answer = await post(evil, more)
        assert fault(answer) == (409, "POL0001"), answer.text
        assert "acme" not in answer.text
    assert fault(await post(cin, {}))[0] in (401, 403)
    answer = await post(await log_in(pcs.http, "pcs", "acme", "long enough 7!"), {})
    assert fault(answer) == (409, "POL0001")  # no certificate is configured here
    rows = [p.read_text() for p in sorted((core[1] / "audit" / "pcs").iterdir())]
    signed = [row for row in "".join(rows).splitlines() if ",sign," in row]
    assert len(signed) == 1
    assert ",acme,service_provider:acme," in signed[0]
    assert json.dumps("acme-only").replace('"', '""') in signed[0]
