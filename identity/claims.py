"""Whether the claims of a token have the shape that its `ppt` asks for; nothing of their truth.

Invariants
1. A token that passes has an integer `iat`, one `orig` and at least one `dest`: RFC 8225 section 5;
   and what RFC 8588, 8946, 8443, 9027 and 9795 ask of shaken, div, rph and rcd.
2. Every Fault is of code 438.
"""

import re
from typing import Any

from .model import NOT_VALIDATED, Fault, IdentityHeader

__all__ = [
    "ATTESTATIONS",
    "NAMES_MOST",
    "check_claims",
    "check_shape",
    "is_origid",
    "is_tn",
    "is_uri",
]

ATTESTATIONS = frozenset("ABC")
NAMES_MOST = 32  # of numbers, or of URIs, that one `dest` has
VALUES_MOST = 32  # of priorities, or of digests
URI_MOST = 512  # characters
TEXT_MOST = 1_024  # characters of a name or of a reason
IAT_MOST = 1 << 40  # seconds
PSAP_CALLBACK = "psap-callback"  # the one value of `sph` (RFC 9027 section 4)

TN = re.compile(r"[0-9#*]{1,32}", re.ASCII)
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21\x23-\x3b\x3d\x3f-\x7e]+")
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
PRIORITY = re.compile(r"[A-Za-z0-9_!%*+`'~-]+\.[A-Za-z0-9_!%*+`'~-]+")  # RFC 4412 section 3.1
DIGEST = re.compile(r"sha(?:256|384|512)-[A-Za-z0-9+/_-]{42,88}={0,2}")
POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)+")  # RFC 6901


def check_claims(header: IdentityHeader) -> None:
    """Raises Fault where claims are missing or malformed."""
    check_shape(header.claims, header.ppt)


def check_shape(claims: dict[str, Any], ppt: str) -> None:
    """As check_claims, of claims that are in no header yet."""
    iat = claims.get("iat")
    if type(iat) is not int or not 0 < iat < IAT_MOST:
        raise wrong("iat", "iat is no time in seconds")
    check_party(claims.get("orig"), "orig")
    check_dest(claims.get("dest"))
    if ppt in CHECKS:
        CHECKS[ppt](claims)
    if "rcd" in claims or "rcdi" in claims or "crn" in claims:
        check_display(claims)


def wrong(check: str, detail: str) -> Fault:
    return Fault(check, 438, NOT_VALIDATED, detail)


def require(holds: bool, check: str, detail: str) -> None:
    if not holds:
        raise wrong(check, detail)


def is_tn(value: Any) -> bool:
    """Whether it is a number in its canonical form (RFC 8225 section 5.2.1)."""
    return type(value) is str and TN.fullmatch(value) is not None


def is_origid(value: Any) -> bool:
    """Whether it is a UUID (RFC 8588 section 5)."""
    return type(value) is str and UUID.fullmatch(value) is not None


def is_uri(value: Any) -> bool:
    """Whether it is an absolute URI of at most URI_MOST characters."""
    return type(value) is str and len(value) <= URI_MOST and URI.fullmatch(value) is not None


def is_text(value: Any) -> bool:
    return type(value) is str and len(value) <= TEXT_MOST


def check_party(value: Any, name: str, beside: frozenset[str] = frozenset()) -> None:
    """`orig` or `div`: exactly one number or one URI."""
    if type(value) is not dict or len(value.keys() - beside if beside else value) != 1:
        raise wrong(name, f"{name} is not one tn or one uri")
    if not (is_tn(value["tn"]) if "tn" in value else is_uri(value.get("uri"))):
        raise wrong(name, f"{name} is neither a number nor a URI")


def check_dest(value: Any) -> None:
    if type(value) is not dict or not value:
        raise wrong("dest", "dest is no object with a tn or a uri")
    for kind, each in value.items():
        good = is_tn if kind == "tn" else is_uri
        if kind not in ("tn", "uri"):
            raise wrong("dest", "dest has other than tn and uri")
        if type(each) is not list or not 0 < len(each) <= NAMES_MOST:
            raise wrong("dest", f"{kind} is no array")
        if not all(map(good, each)):
            raise wrong("dest", f"{kind} has what is none")


def check_shaken(claims: dict[str, Any]) -> None:
    attest = claims.get("attest")
    if type(attest) is not str or attest not in ATTESTATIONS:
        raise wrong("attest", "attest is not A, B or C")
    if not is_origid(claims.get("origid")):
        raise wrong("origid", "origid is no UUID")
    if "tn" not in claims["orig"]:
        raise wrong("orig", "orig is no telephone number")


def check_nested(claims: dict[str, Any]) -> None:
    check_diverted(claims)
    require(type(claims.get("opt")) is str, "opt", "opt is no token")
    require(claims["opt"].isascii(), "opt", "opt is no token")


def check_div(claims: dict[str, Any]) -> None:
    check_diverted(claims)
    require("opt" not in claims, "div", "opt is of div-o alone")


def check_diverted(claims: dict[str, Any]) -> None:
    check_party(claims.get("div"), "div", frozenset({"hi"}))
    require(is_text(claims["div"].get("hi", "")), "div", "hi is no text")


def check_priority(claims: dict[str, Any]) -> None:
    given = claims.get("rph")
    require(type(given) is dict and "auth" in given, "rph", "rph has no auth")
    assert isinstance(given, dict)
    for each in given.values():
        good = type(each) is list and 0 < len(each) <= VALUES_MOST
        require(good, "rph", "rph has what is no array")
        require(all(map(is_priority, each)), "rph", "rph has what is no priority")
    if "sph" in claims:
        require(claims["sph"] == PSAP_CALLBACK, "sph", "sph is not psap-callback")


def is_priority(value: Any) -> bool:
    return type(value) is str and len(value) <= URI_MOST and PRIORITY.fullmatch(value) is not None


def check_rich(claims: dict[str, Any]) -> None:
    require("rcd" in claims or "crn" in claims, "rcd", "neither rcd nor crn")


def check_display(claims: dict[str, Any]) -> None:
    """`rcd`, `rcdi` and `crn`, which any token may have (RFC 9795 section 5, 6, 8)."""
    require(is_text(claims.get("crn", "")), "crn", "crn is no text")
    if "rcd" in claims:
        check_card(claims["rcd"])
    if "rcdi" in claims:
        check_digests(claims["rcdi"])


def check_card(card: Any) -> None:
    require(type(card) is dict and is_text(card.get("nam")), "rcd", "rcd has no nam")
    require("jcd" not in card or "jcl" not in card, "rcd", "rcd has both jcd and jcl")
    require(is_text(card.get("apn", "")), "rcd", "apn is no text")
    for name in ("icn", "jcl"):
        if name in card:
            good = is_uri(card[name]) and card[name][:6].lower() == "https:"
            require(good, "rcd", f"{name} is no https URI")
    require(type(card.get("jcd", [])) is list, "rcd", "jcd is no array")


def check_digests(digests: Any) -> None:
    good = type(digests) is dict and 0 < len(digests) <= VALUES_MOST
    require(good, "rcdi", "rcdi is no object of digests")
    for pointer, digest in digests.items():
        require(POINTER.fullmatch(pointer) is not None, "rcdi", "a key is no JSON pointer")
        good = type(digest) is str and DIGEST.fullmatch(digest) is not None
        require(good, "rcdi", "a value is no digest")


CHECKS = {
    "shaken": check_shaken,
    "div": check_div,
    "div-o": check_nested,
    "rph": check_priority,
    "rcd": check_rich,
}
