"""Reads the value of an Identity header field (RFC 8224 section 4.1) into its token.

Invariants
1. What is handed back is in full form, of a supported `ppt`, signed with ES256 by 64 octets, and
   names one https URL, alike in `info` and `x5u`; nothing is known yet of what its claims mean.
2. One token has one spelling: base64url without padding, blanks or spare bits.
3. A Fault of code 428 is a value to be ignored, as of an unsupported `ppt`; others are failures.
"""

import re
from binascii import a2b_base64
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from .canonical import strict_json
from .model import NOT_VALIDATED, Fault, IdentityHeader
from .straight import plain_header
from .urls import is_certificate_url

__all__ = [
    "SUPPORTED",
    "VALUES_MOST",
    "VALUE_MOST",
    "read_identity",
    "read_plain",
    "read_token",
    "split_identities",
]

VALUE_MOST = 8_192  # octets of one value
VALUES_MOST = 10  # of one call
PART_MOST = 1_024  # octets of a header part, or of parameters, that are remembered
REMEMBERED = 1_024  # of each: a signer's are the same every time
SUPPORTED = frozenset({"", "shaken", "div", "div-o", "rph", "rcd"})

PARAMETER = re.compile(
    rb";[ \t]*([A-Za-z0-9_.!%*+`'~-]+)"
    rb"(?:[ \t]*=[ \t]*(<[^<>\"\x00-\x20\x7f-\xff]*>"
    rb'|"(?:[^"\\\x00-\x08\x0a-\x1f]|\\[\x20-\x7e])*"'
    rb"|[A-Za-z0-9_.!%*+`'~:/?@\[\]-]+))?[ \t]*"
)
BASE64 = bytes.maketrans(b"-_+/=", b"+/!!!")  # what is none of base64url is none of base64 then
PADDING = (b"", None, b"==", b"=")  # by the length of a text, modulo 4
LAST = (None, None, frozenset(b"AQgw"), frozenset(b"AEIMQUYcgkosw048"))  # no spare bit is set
SIGNATURE_CHARACTERS = 86  # of 64 octets


class Parameters(NamedTuple):
    info: str
    alg: str
    ppt: str | None  # None: it was left out


def fault(check: str, code: int, detail: str) -> Fault:
    return Fault(check, code, NOT_VALIDATED, detail)


def split_identities(values: Iterable[bytes]) -> list[bytes]:
    """Every single value of the Identity fields of a call, comma-separated ones apart.

    Raises a Fault of code 438 where there are more than VALUES_MOST.
    """
    found: list[bytes] = []
    for value in values:
        for each in [value] if b"," not in value else parted(value):
            if each.strip():
                found.append(each.strip())
            if len(found) > VALUES_MOST:
                raise fault("identity", 438, f"more than {VALUES_MOST} values")
    return found


# What is open at the end takes the rest; so every alternative holds once it has begun, none gives
# back what it took, and a stranger's text costs its length once.
PART = re.compile(rb'(?:[^,<"]++|<[^>]*+>?|"(?:[^"\\]|\\.?)*+"?)*+', re.DOTALL)


def parted(value: bytes) -> list[bytes]:
    """Parts between commas that stand neither in a URL nor in quotes."""
    parts, place = [], 0
    while place <= len(value):
        found = PART.match(value, place)
        assert found is not None  # nothing is a part, too
        parts.append(found[0])
        place = found.end() + 1
    return parts


def read_identity(value: bytes) -> IdentityHeader:
    """One value, taken apart and checked as far as no claim's meaning is needed. Raises Fault.

    436 for `info` and `x5u`, 437 for `alg` and `typ`, 438 for what is malformed, 428 for a `ppt`
    that is not SUPPORTED.
    """
    if len(value) > VALUE_MOST:
        raise fault("identity", 438, f"more than {VALUE_MOST} octets")
    token, semicolon, behind = value.partition(b";")
    token, behind = token.strip(b" \t"), (semicolon + behind).rstrip(b" \t")
    parts = token.split(b".")
    if len(parts) != 3:
        raise fault("identity", 438, "not the three parts of a token")
    first, second, last = parts
    said = known_parameters(behind) if len(behind) <= PART_MOST else read_parameters(behind)
    if said.ppt is not None and said.ppt not in SUPPORTED:
        raise fault("ppt", 428, f"{said.ppt} is not supported")
    if not first or not second:
        raise fault("compact", 438, "the compact form is not for SHAKEN (RFC 8588)")
    protected, ppt = known_protected(first) if len(first) <= PART_MOST else read_protected(first)
    agree(said, protected, ppt)
    if len(last) != SIGNATURE_CHARACTERS:
        raise fault("signature", 438, "the signature has not 64 octets")
    return IdentityHeader(
        token=token,
        signed=token[: -SIGNATURE_CHARACTERS - 1],
        signature=decoded(last, "signature"),
        protected=protected,
        claims=json_of(second, "claims"),
        info=said.info,
        ppt=ppt,
    )


def read_token(token: bytes) -> IdentityHeader:
    """As read_identity, of a token that stands alone, such as in another: `x5u` is its `info`.

    438 for a `ppt` that is not SUPPORTED as well: it was to say something here.
    """
    if b";" in token or token.strip(b" \t") != token:
        raise fault("opt", 438, "not a token alone")
    try:
        protected, _ = read_protected(token.partition(b".")[0])
        return read_identity(token + b";info=<" + protected["x5u"].encode() + b">")
    except Fault as found:
        if found.code == 428:
            raise fault("opt", 438, found.detail) from found
        raise


def read_plain(value: bytes) -> IdentityHeader | None:
    """As read_identity, of a value whose token is plain: its claims need no further look.

    None where it is not plain, or anything is amiss.
    """
    return plain_header(value, known_around)


def read_around(first: bytes, behind: bytes) -> tuple[dict[str, Any], str, str]:
    """What stands around the claims of a value: the header part, `info` and `ppt`. Raises Fault."""
    said = read_parameters(behind)
    protected, ppt = read_protected(first)
    agree(said, protected, ppt)
    return protected, said.info, ppt


def read_parameters(octets: bytes) -> Parameters:
    """What follows the token. Raises Fault."""
    given: dict[bytes, bytes] = {}
    place = 0
    while place < len(octets):
        found = PARAMETER.match(octets, place)
        if not found:
            raise fault("identity", 438, "malformed parameters")
        name, place = found[1].lower(), found.end()
        if name in given:
            raise fault(*twice(name.decode()))
        given[name] = found[2] or b""
    info = given.get(b"info", b"")
    if info[:1] != b"<":
        raise fault("info", 436, "no info in angle brackets")
    alg = plain(given.get(b"alg", b"ES256"))
    ppt = plain(given[b"ppt"]) if b"ppt" in given else None
    return Parameters(info[1:-1].decode("ascii"), alg, ppt)


def twice(name: str) -> tuple[str, int, str]:
    return ("info", 436, "info twice") if name == "info" else ("identity", 438, f"{name} twice")


def plain(value: bytes) -> str:
    """A parameter's value without its quotes."""
    text = value.decode("utf-8", "replace")
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def read_protected(text: bytes) -> tuple[dict[str, Any], str]:
    """The header part of a token, and its `ppt`, empty where there is none. Raises Fault."""
    protected = json_of(text, "header")
    ppt = protected.get("ppt", "")
    if type(ppt) is not str or ("ppt" in protected and not ppt):
        raise fault("identity", 438, "ppt is no text")
    if ppt not in SUPPORTED:
        raise fault("ppt", 428, f"{ppt} is not supported")
    if protected.get("typ") != "passport":
        raise fault("typ", 437, "typ is not passport")
    if protected.get("alg") != "ES256":
        raise fault("alg", 437, "alg is not ES256")
    if "crit" in protected:
        raise fault("identity", 438, "crit names what is not understood")
    x5u = protected.get("x5u")
    if type(x5u) is not str or not is_certificate_url(x5u):
        raise fault("x5u", 436, "x5u is no https URL on port 443 or 8443 without a query")
    return protected, ppt


# A Fault that was raised is not remembered.
known_parameters = lru_cache(REMEMBERED)(read_parameters)
known_protected = lru_cache(REMEMBERED)(read_protected)
known_around = lru_cache(REMEMBERED)(read_around)


def agree(said: Parameters, protected: dict[str, Any], ppt: str) -> None:
    """Raises Fault where the parameters say other than the token."""
    if said.alg != "ES256":
        raise fault("alg", 437, "alg is not ES256")
    if said.info != protected["x5u"]:
        raise fault("info", 436, "info is not x5u")
    if said.ppt is not None and said.ppt != ppt:
        raise fault("identity", 438, "ppt differs from that of the token")


def json_of(text: bytes, part: str) -> dict[str, Any]:
    try:
        return strict_json(decoded(text, part))
    except ValueError as error:
        raise fault(part, 438, f"not strict JSON: {error}"[:200]) from error


def decoded(text: bytes, part: str) -> bytes:
    """Octets of base64url in its only form: no padding, no spare bit set. Raises Fault."""
    rest = len(text) % 4
    padding, last = PADDING[rest], LAST[rest]
    if padding is None or (last is not None and text[-1] not in last):
        raise fault(part, 438, "not base64url")
    try:
        return a2b_base64(text.translate(BASE64) + padding, strict_mode=True)
    except ValueError as error:
        raise fault(part, 438, "not base64url") from error
