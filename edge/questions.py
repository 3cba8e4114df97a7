"""What an INVITE asks of caller identity: whom to verify, and what to sign (RFC 8224 6.1, 6.2).

Invariants
1. Whose call it is comes from P-Asserted-Identity, else from From; where it goes to from To. The
   masks of an origination source are matched against the number that is signed, and no other.
2. The source of a call is the packet's own address, or what a proxy of ours wrote into its Via.
3. A call that cannot be signed is no error: `Unsigned` says why, and the call goes on.
"""

import ipaddress
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from ..fastpath import sip_reference
from ..fastpath.extract import is_anonymous
from ..fastpath.model import Origination
from ..fastpath.sip import parse_name_addr, parse_uri
from ..fastpath.sip_types import Request
from ..fastpath.uri import Uri
from ..identity.composing import origid_of
from ..identity.model import Question, SignRequest
from ..identity.telephone import canonical_number, is_e164

__all__ = [
    "DATE_OFF",
    "NOT_SIGNED",
    "Caller",
    "Unsigned",
    "call_source",
    "caller_of",
    "question_of",
    "sip_date",
    "to_sign",
]

DATE_OFF = 60  # seconds that the Date of a call that is to be signed may differ from now
# Most URIs by far: a number at a host. What else there is takes the whole parser.
PLAIN = re.compile(
    rb"(?:sips?:(\+?[0-9]{3,15})@(?:(?:[A-Za-z0-9]++\.)*+[A-Za-z][A-Za-z0-9]*+"
    rb"|(?:1?[0-9]{1,2}\.){3}1?[0-9]{1,2})(?::[0-9]{1,4})?(?:;user=phone)?|tel:(\+[0-9]{3,15}))"
)
NOT_SIGNED = "N"  # the attestation of calls that go on unsigned


class Unsigned(Exception):
    """A call is not signed; the text says why, and is empty where that was wished."""


class Caller(NamedTuple):
    """Who calls: a URI, its user part, and the digits of its number, "" where it is none."""

    uri: bytes
    user: str
    number: str


def caller_uris(message: Request) -> Iterator[bytes]:
    """The URIs that say who calls, in order of preference: each P-Asserted-Identity, then From."""
    for value in message.all(b"p-asserted-identity"):
        try:
            yield parse_name_addr(value).uri
        except ValueError:  # of another scheme, or nothing that can be read
            continue
    yield message.from_.uri


def question_of(message: Request, orig: str, default_cc: str) -> Question:
    """What is to be verified. `orig` is the caller's user part; `default_cc` goes before national
    numbers."""
    date = message.first(b"date")
    return Question(
        identities=message.all(b"identity"),
        orig=orig,
        dest=user_of(message.to.uri),
        target=user_of(message.uri),
        date="" if date is None else text(date),
        call_id=message.call_id,
        from_tag=message.from_.tag or b"",
        default_cc=default_cc,
        resource_priority=[text(each) for each in message.all(b"resource-priority")],
    )


def caller_of(message: Request, default_cc: str) -> Caller:
    """The caller by the first of these URIs that has a telephone number, else by the first."""
    first = None
    for uri in caller_uris(message):
        user = user_of(uri)
        found = Caller(uri, user, canonical_number(user, default_cc))
        if found.number:
            return found
        first = first or found
    return first or Caller(b"", "", "")


def call_source(message: Request, host: str, via_trusted: bool) -> str:
    """The address that a call comes from: `host`, or the second Via's behind a proxy of ours."""
    vias = message.via
    if not via_trusted or len(vias) < 2:
        return host
    via = sip_reference.via_element(vias[1])
    if via is None:
        return host
    found = text(via.received or via.host).removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(found)
    except ValueError:
        return host
    return found


def to_sign(
    message: Request, origination: Origination, number: str, default_cc: str, now: float
) -> SignRequest:
    """What to sign of a call of a source. `number` is the caller's digits, `now` Unix time.

    Raises Unsigned.
    """
    if origination.attest == NOT_SIGNED:
        raise Unsigned("")
    if is_anonymous(message):
        raise Unsigned("the caller is anonymous")
    if not is_e164(number):
        raise Unsigned("the calling number is not one of E.164")
    dest = canonical_number(user_of(message.to.uri), default_cc)
    if not dest:
        raise Unsigned("the called party of To is no number")
    off = date_off(message, now)
    if off is None:
        raise Unsigned("Date cannot be read")
    if off > DATE_OFF:
        raise Unsigned(f"Date is {off:.0f} seconds off")
    return SignRequest(
        cert_name=origination.cert_name,
        attest=origination.attest,
        orig=number,
        dest=[dest],
        origid=origid_of(origination.orig_id, origination.service_provider_name),
        iat=int(now),
    )


def date_off(message: Request, now: float) -> float | None:
    """Seconds between Date and now: 0 without one, None for one that cannot be read."""
    date = message.first(b"date")
    if date is None:
        return 0.0
    try:
        told = parsedate_to_datetime(text(date))
    except ValueError:
        return None
    if told.tzinfo is None:  # "-0000": universal time, as SIP's GMT is
        told = told.replace(tzinfo=UTC)
    return abs(told.timestamp() - now)


@lru_cache(maxsize=8)  # the calls of one second have one
def sip_date(seconds: int) -> str:
    """The value of a Date field (RFC 3261 20.17)."""
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


def user_of(uri: bytes) -> str:
    """The user part of a URI before its parameters, or the number; "" where it has none."""
    plain = PLAIN.fullmatch(uri)
    if plain is not None:
        return (plain[1] or plain[2]).decode()
    try:
        found: Uri = parse_uri(uri)
    except ValueError:
        return ""
    return text(found.subscriber)


def text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
