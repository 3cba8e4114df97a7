"""What an INVITE asks of caller identity: whom to verify, and what to sign (RFC 8224 6.1, 6.2).

Invariants
1. Whose call it is comes from P-Asserted-Identity, else from From; where it goes to from To. The
   masks of an origination source are matched against the number that is signed, and no other.
2. The source of a call is the packet's own address, or what a proxy of ours wrote into its Via.
3. A call that cannot be signed is no error: `Unsigned` says why, and the call goes on.
4. What the responder has read of a message (Asked) is not read again, unless it is no plain form.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from ..fastpath.asking_types import Asked, Claimed
from ..fastpath.model import Origination
from ..fastpath.sip import parse, parse_name_addr, parse_uri
from ..fastpath.sip_types import Request
from ..fastpath.uri import Uri
from ..identity.composing import origid_of
from ..identity.model import Question
from ..identity.telephone import canonical_number, is_e164

__all__ = [
    "DATE_OFF",
    "NOT_SIGNED",
    "Caller",
    "ToSign",
    "Unsigned",
    "caller_asked",
    "caller_of",
    "claimed_question",
    "number_of",
    "question_of",
    "signed_by",
    "sip_date",
    "to_sign",
]

DATE_OFF = 60  # seconds that the Date of a call that is to be signed may differ from now
# Most URIs by far: a number at a host. What else there is takes the whole parser.
PLAIN = re.compile(
    rb"(?:sips?:(\+?[0-9]{3,15})@(?:(?:[A-Za-z0-9]++\.)*+[A-Za-z][A-Za-z0-9]*+"
    rb"|(?:1?[0-9]{1,2}\.){3}1?[0-9]{1,2})(?::[0-9]{1,4})?(?:;user=phone)?|tel:(\+[0-9]{3,15}))"
)
PLAIN_MOST = 16  # characters of a number that needs no canonical form
NOT_SIGNED = "N"  # the attestation of calls that go on unsigned


class ToSign(NamedTuple):
    """What a shaken token is to say of a call (RFC 8588)."""

    cert_name: str
    attest: str
    orig: str  # digits
    dest: str
    origid: str
    iat: int


class Unsigned(Exception):
    """A call is not signed; the text says why, and is empty where that was wished."""


class Caller(NamedTuple):
    """Who calls: a user part, the digits of its number, "" where it is none, and its URI's host."""

    user: str
    number: str
    host: str = ""


def caller_uris(message: Request) -> Iterator[bytes]:
    """The URIs that say who calls, in order of preference: each P-Asserted-Identity, then From."""
    for value in message.all(b"p-asserted-identity"):
        try:
            yield parse_name_addr(value).uri
        except ValueError:  # of another scheme, or nothing that can be read
            continue
    yield message.from_.uri


def caller_of(message: Request, default_cc: str) -> Caller:
    """The caller by the first of these URIs that has a telephone number, else by the first."""
    first = None
    for uri in caller_uris(message):
        user = user_of(uri)
        number = canonical_number(user, default_cc)
        if number:
            return Caller(user, number, text(parse_uri(uri).host))
        first = first or Caller(user, "")
    return first or Caller("", "")


def caller_asked(asked: Asked, request: bytes) -> Caller:
    """The caller of a call, whose octets are `request`."""
    user = asked.calling
    if user is None:
        return caller_of(parse(request), asked.default_cc)
    return Caller(user, number_of(user, asked.default_cc), text(asked.host))


def question_of(asked: Asked, caller: Caller) -> Question:
    """What is to be verified."""
    return Question(
        identities=asked.identities,
        orig=caller.user,
        dest=user_part(asked.called),
        target=user_part(asked.target),
        date=asked.date or "",
        call_id=asked.call_id,
        from_tag=asked.from_tag,
        default_cc=asked.default_cc,
        resource_priority=asked.priority,
    )


def claimed_question(claimed: Claimed) -> Question:
    """What is to be verified of a call, so far as a single plain token asks for it."""
    identity, orig, dest, call_id, from_tag, _, _ = claimed
    return Question((identity,), orig, dest, "", "", call_id, from_tag)


def to_sign(asked: Asked, origination: Origination, number: str, now: float) -> ToSign:
    """What to sign of a call of a source. `number` is the caller's digits, `now` Unix time.

    Raises Unsigned.
    """
    if origination.attest == NOT_SIGNED:
        raise Unsigned("")
    if asked.anonymous:
        raise Unsigned("the caller is anonymous")
    if not is_e164(number):
        raise Unsigned("the calling number is not one of E.164")
    dest = number_of(user_part(asked.called), asked.default_cc)
    if not dest:
        raise Unsigned("the called party of To is no number")
    if asked.date is not None:
        off = date_off(asked.date, now)
        if off is None:
            raise Unsigned("Date cannot be read")
        if off > DATE_OFF:
            raise Unsigned(f"Date is {off:.0f} seconds off")
    return signed_by(origination, number, dest, now)


def signed_by(origination: Origination, orig: str, dest: str, now: float) -> ToSign:
    """What a source's token says of a call between two numbers at a Unix time."""
    _, _, orig_id, attest, cert_name, _ = origination
    origid = origid_for(orig_id, origination.service_provider_name)
    return ToSign(cert_name, attest, orig, dest, origid, int(now))


def date_off(date: str, now: float) -> float | None:
    """Seconds between a Date and now, None for one that cannot be read."""
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return None
    if told.tzinfo is None:  # "-0000": universal time, as SIP's GMT is
        told = told.replace(tzinfo=UTC)
    return abs(told.timestamp() - now)


origid_for = lru_cache(maxsize=1_024)(origid_of)  # the calls of a source have one


@lru_cache(maxsize=8)  # the calls of one second have one
def sip_date(seconds: int) -> str:
    """The value of a Date field (RFC 3261 20.17)."""
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


def number_of(user: str, default_cc: str) -> str:
    """Digits of a user part, as canonical_number has them."""
    if user[:1] == "+" and len(user) <= PLAIN_MOST and user.isascii() and user[1:].isdigit():
        return user[1:]
    return canonical_number(user, default_cc)


def user_part(read: str | bytes) -> str:
    """A user part that was read, or that of a URI."""
    return read if isinstance(read, str) else user_of(read)


def user_of(uri: bytes) -> str:
    """The user part of a URI before its parameters, or the number, with the context of a national
    one; "" where it has none."""
    plain = PLAIN.fullmatch(uri)
    if plain is not None:
        return (plain[1] or plain[2]).decode()
    try:
        found: Uri = parse_uri(uri)
    except ValueError:
        return ""
    context = found.user_params.get(b"phone-context")
    if not context or found.subscriber.startswith(b"+"):
        return text(found.subscriber)
    return text(found.subscriber + b";phone-context=" + context)


def text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
