"""/stir/v1/signing and /stir/v1/verification: calls signed and callers verified for SBCs that
speak the REST interface of ATIS-1000082.

1. Whoever asks shows a token of PCS as everywhere; the core says what it may do. No request names
   a certificate: the core chooses it among those of the caller's own provider.
2. HTTP status and body say the same; a fault is a requestError with a messageId of FAULTS.
3. A body that says one thing twice is refused: what stands before the gateway may read the other.
4. No request ends in an exception: one that nobody foresaw is logged and answered with SVC5000.
"""

import json
import logging
import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import orjson

from ..ops.logs import request_id
from ..v1.identity_pb2 import SignCallRequest, VerifyCallRequest
from .client import Client
from .config import GatewayConfig
from .credentials import shown_token
from .errors import NOT_LOGGED_IN, ApiError
from .headers import headers_with, respond
from .observed import GONE, Seen
from .origin import Origin, origin_of
from .request import Disconnected, Headers, headers_of, read_body

__all__ = ["FAULTS", "PATHS", "PRODUCT", "Stir"]

PRODUCT: Final = "pcs"
PATHS: Final = ("/stir/v1/signing", "/stir/v1/verification")
BODY_MOST: Final = 65_536  # octets of a request
TN: Final = re.compile(r"\+?[0-9*#]{1,32}")
NUMBERS_MOST: Final = 32  # of dest: what a token may name
CALL_NAMES: Final = ("callid", "fromtag")  # of a verificationRequest, ours: they tell a replay
CALL_NAME_MOST: Final = 1_024  # characters
IAT_MOST: Final = 2**53 - 1  # seconds: what JSON holds exactly
JSON_TYPES: Final = ("*/*", "application/*", "application/json")

# messageId: HTTP status, its text with the variables %1 and %2
FAULTS: Final[Mapping[str, tuple[int, str]]] = {
    "SVC4000": (400, "Error: Missing request body."),
    "SVC4001": (400, "Error: Missing mandatory parameter '%1'."),
    "SVC4002": (406, "Error: Requested response body type '%1' is not supported."),
    "SVC4003": (404, "Error: Requested resource was not found."),
    "SVC4004": (415, "Error: Unsupported request body type, expected 'application/json'."),
    "SVC4005": (400, "Error: Invalid parameter '%1': %2"),
    "SVC4006": (400, "Error: Failed to parse received message body: %1"),
    "SVC4007": (411, "Error: Missing mandatory Content-Length header."),
    "POL4050": (405, "Error: Method not allowed."),
    "POL0001": (403, "Error: %1"),
    "SVC5000": (500, "Error: %1"),
}
UNFORESEEN: Final = "The request could not be completed because of an internal error."

log = logging.getLogger("callscreen.gateway")


class StirFault(Exception):
    """An answer that is a requestError; `status` differs from that of FAULTS where it is given."""

    def __init__(self, id_: str, *variables: str, status: int = 0) -> None:
        super().__init__(id_)
        self.id = id_
        self.variables = variables
        self.status = status or FAULTS[id_][0]

    @property
    def body(self) -> dict[str, Any]:
        kind = "policyException" if self.id.startswith("POL") else "serviceException"
        found = {"messageId": self.id, "text": FAULTS[self.id][1], "variables": self.variables}
        return {"requestError": {kind: found}}


class Stir:
    """The application below /stir."""

    def __init__(self, client: Client, config: GatewayConfig) -> None:
        self.client = client
        self.config = config

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        headers = headers_of(scope)
        origin = origin_of(scope, headers.raw, self.config.proxies)
        request_id.set(origin.request_id)
        with self.client.requests.counted(PRODUCT, scope, headers.raw) as seen:
            await self._respond(scope, receive, send, headers, origin, seen)

    async def _respond(
        self,
        scope: MutableMapping[str, Any],
        receive: Any,
        send: Any,
        headers: Headers,
        origin: Origin,
        seen: Seen,
    ) -> None:
        status, body = 200, {}
        try:
            body = await self._answer(scope, receive, headers, origin, seen)
        except Disconnected:
            seen.code = GONE
            return
        except ApiError as error:
            fault = of_core(error)
            status, body = fault.status, fault.body
        except StirFault as fault:
            status, body = fault.status, fault.body
        except Exception:
            log.exception("%s %r", scope["method"], scope["path"])
            status, body = 500, StirFault("SVC5000", UNFORESEEN).body
        seen.code = status
        octets = orjson.dumps(body)
        start = headers_with(octets, origin)
        if status == 405:
            start.append((b"allow", b"POST"))
        await respond(send, status, b"" if scope["method"] == "HEAD" else octets, start)

    async def _answer(
        self,
        scope: MutableMapping[str, Any],
        receive: Any,
        headers: Headers,
        origin: Origin,
        seen: Seen,
    ) -> dict[str, Any]:
        """Raises StirFault, ApiError, Disconnected."""
        path = scope["raw_path"].decode("latin-1")
        if path not in PATHS:
            raise StirFault("SVC4003")
        seen.object = path.removeprefix("/")
        if scope["method"] != "POST":
            raise StirFault("POL4050")
        token = shown_token(PRODUCT, "POST", headers, self.config.limits)
        if not token:
            raise ApiError(401, NOT_LOGGED_IN)
        metadata = (
            ("authorization", f"Bearer {token}"),
            ("x-request-id", origin.request_id),
            ("x-client-address", origin.address),
            ("x-method", "POST"),
        )
        asked = await self._json(headers, receive)
        if path == PATHS[0]:
            sign = sign_request(part(asked, "signingRequest", dict))
            signed = await self.client.call(self.client.identity.Sign, sign, metadata)
            return {"signingResponse": {"identity": signed.identity}}
        verify = verify_request(part(asked, "verificationRequest", dict))
        found = await self.client.call(self.client.identity.Verify, verify, metadata)
        return {"verificationResponse": verification(found)}

    async def _json(self, headers: Headers, receive: Any) -> dict[str, Any]:
        accept = headers.raw.get(b"accept", b"*/*").decode("latin-1")
        kinds = [each.partition(";")[0].strip().lower() for each in accept.split(",")]
        if not any(kind in JSON_TYPES for kind in kinds):
            raise StirFault("SVC4002", accept[:100])
        if headers.content_length is None:
            raise StirFault("SVC4007")
        if headers.content_length > BODY_MOST:
            raise StirFault("SVC4006", f"more than {BODY_MOST} octets", status=413)
        body = await read_body(headers, receive, self.config.limits)
        if not body:
            raise StirFault("SVC4000")
        if headers.kind != "application/json":
            raise StirFault("SVC4004")
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise StirFault("SVC4006", error.msg) from None
        try:
            json.loads(body, object_pairs_hook=once)
        except RecursionError:
            raise StirFault("SVC4006", "it is nested too deeply") from None
        if not isinstance(found, dict):
            raise StirFault("SVC4006", "it is no JSON object")
        return found


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members, each once. Raises StirFault."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise StirFault("SVC4006", "an object has two members of one name")
    return found


def of_core(error: ApiError) -> StirFault:
    """What the core, or the reading of a request, refused."""
    code = int(error.code)
    if code in (400, 415):
        field = error.errors[0].field if error.errors else "request"
        return StirFault("SVC4005", field, error.message, status=code)
    if code == 413:
        return StirFault("SVC4006", error.message, status=413)
    if code < 500:
        return StirFault("POL0001", error.message, status=code)
    return StirFault("SVC5000", error.message, status=code)


def sign_request(asked: dict[str, Any]) -> SignCallRequest:
    """Of a signingRequest. Raises StirFault."""
    iat = part(asked, "iat", int)
    if not 0 < iat <= IAT_MOST:
        raise StirFault("SVC4005", "iat", "seconds since 1970")
    attest = part(asked, "attest", str)
    if attest not in ("A", "B", "C"):
        raise StirFault("SVC4005", "attest", "must be A, B or C")
    return SignCallRequest(
        orig=number(part(asked, "orig", dict), "orig.tn"),
        dest=numbers(part(asked, "dest", dict), "dest.tn"),
        attest=attest,
        origid=text(part(asked, "origid", str), "origid"),
        iat=iat,
    )


def verify_request(asked: dict[str, Any]) -> VerifyCallRequest:
    """Of a verificationRequest. Raises StirFault."""
    if not 0 < part(asked, "time", int) <= IAT_MOST:
        raise StirFault("SVC4005", "time", "seconds since 1970")
    orig = number(part(asked, "from", dict), "from.tn")
    dest = numbers(part(asked, "to", dict), "to.tn")
    named = {name: asked[name] for name in CALL_NAMES if name in asked}
    for name in named:
        text(part(asked, name, str), name, CALL_NAME_MOST)
    return VerifyCallRequest(
        call_id=named.get("callid", ""),
        from_tag=named.get("fromtag", ""),
        identity=[text(part(asked, "identity", str), "identity", 8_192)],
        orig=f"+{orig}",
        dest=f"+{dest[0]}",
    )


def verification(found: Any) -> dict[str, Any]:
    """The reason fields are there where a check failed."""
    identity = found.identity
    if not identity.code:
        return {"verstat": identity.verstat}
    failed = [each for each in identity.checks if each.HasField("passed") and not each.passed]
    told = "; ".join(f"{each.name}: {each.detail}" for each in failed)
    return {
        "reasoncode": identity.code,
        "reasontext": found.reason,
        "reasondesc": told or found.reason,
        "verstat": identity.verstat,
    }


def part(asked: dict[str, Any], name: str, kind: type) -> Any:
    """A mandatory parameter of that type. Raises StirFault."""
    found = asked.get(name)
    if found is None:
        raise StirFault("SVC4001", name)
    if kind is int and type(found) is float and found.is_integer():
        return int(found)  # to JSON 1.0 is an integer as well
    if type(found) is not kind:
        raise StirFault("SVC4005", name, "has another type")
    return found


def text(value: str, name: str, most: int = 250) -> str:
    """Printable ASCII of so many characters at most. Raises StirFault."""
    if not 0 < len(value) <= most or not value.isascii() or not value.isprintable():
        raise StirFault("SVC4005", name, f"must be 1 to {most} printable characters")
    return value


def number(asked: dict[str, Any], name: str) -> str:
    return digits(part(asked, "tn", str), name)


def numbers(asked: dict[str, Any], name: str) -> list[str]:
    found = part(asked, "tn", list)
    if not 0 < len(found) <= NUMBERS_MOST:
        raise StirFault("SVC4005", name, f"must have 1 to {NUMBERS_MOST} numbers")
    return [digits(each, name) for each in found]


def digits(value: Any, name: str) -> str:
    if not isinstance(value, str) or not TN.fullmatch(value):
        raise StirFault("SVC4005", name, "must be digits, as of E.164")
    return value.removeprefix("+")
