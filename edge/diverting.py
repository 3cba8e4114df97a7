"""Signed calls that are sent elsewhere: what a `div` token says of such a one (RFC 8946).

Invariants
1. A `div` goes from the called number, which a valid token must name, to where the call goes now,
   and keeps the caller and the time of the original. Where that is the same number it needs none.
2. A diversion that cannot be signed is no error: its record says why, and the call goes there.
"""

from typing import Protocol

from ..fastpath.respond_types import Responded, Told
from ..fastpath.sip import parse
from ..identity.checking import user_at_host
from ..identity.claims import check_shape, is_uri
from ..identity.header import read_identity
from ..identity.model import Fault, Signed, SignRequest, State, Verdict
from ..identity.signing import NoSignature
from ..identity.telephone import canonical_number
from .identity_records import diversion_octets
from .questions import Unsigned, user_of

__all__ = ["Signing", "names", "tell_diverted", "to_divert"]

FROM = ("shaken", "div")  # what a `div` may stand beside


class Signing(Protocol):
    def sign(self, request: SignRequest) -> Signed:
        """Raises NoSignature."""


def tell_diverted(
    told: Told,
    diverted: Responded,
    request: bytes,
    verdict: Verdict | None,
    default_cc: str,
    identity: Signing,
) -> Told:
    """What is told of a call that is sent elsewhere: as before, and its diversion.

    `request` is its octets, `verdict` None where it is known no more.
    """
    wanted, signed, failure = None, None, ""
    try:
        wanted = to_divert(diverted, request, verdict, default_cc)
        signed = identity.sign(wanted)
    except Unsigned as why:
        if not str(why):
            return told._replace(diversion=b"")
        failure = str(why)
    except NoSignature as why:
        failure = str(why)
    lines = b"" if signed is None else f"Identity: {signed.value}\r\n".encode()
    more = diversion_octets(diverted.provider, diverted.cert_name, wanted, signed, failure)
    return told._replace(diversion=lines, record=told.record + more)


def to_divert(
    diverted: Responded, request: bytes, verdict: Verdict | None, default_cc: str
) -> SignRequest:
    """The token of a diversion. Raises Unsigned: with no text where the call needs none."""
    dest, div = party_of(diverted.place, default_cc), diverted.called.removeprefix("+")
    if dest == div:
        raise Unsigned("")
    if verdict is None or verdict.state is not State.VALID or not names(verdict, diverted.called):
        raise Unsigned("no valid token names who was called")
    if div not in verdict.dest:
        (div,) = verdict.dest
    original = original_of(request, verdict, div)
    if not original:
        raise Unsigned("no token names who was called")
    return SignRequest(diverted.cert_name, "", verdict.orig, (dest,), div=div, original=original)


def names(verdict: Verdict, called: str) -> bool:
    """Whether the last good token is to the called number, or to the one URI that was called."""
    return called.removeprefix("+") in verdict.dest or (
        len(verdict.dest) == 1 and is_uri(verdict.dest[0])
    )


def party_of(place: bytes, default_cc: str) -> str:
    """The number of a URI; where it has none, the URI without parameters."""
    number = canonical_number(user_of(place), default_cc)
    found = number or user_at_host(place.decode("utf-8", "replace"))
    if not found:
        raise Unsigned("it goes to no number, and to no URI of a user")
    return found


def original_of(request: bytes, verdict: Verdict, div: str) -> bytes:
    """The Identity value that a `div` stands beside, empty for none: it names the verified caller,
    and who is diverted. All that fit say the same, but for when; the verified time comes first."""
    fitting = []
    for value in parse(request).all(b"identity"):
        try:
            header = read_identity(value)
            check_shape(header.claims, header.ppt)
        except Fault:
            continue
        claims = header.claims
        names = [name for each in claims["dest"].values() for name in each]
        fits = header.ppt in FROM and verdict.orig in claims["orig"].values()
        if fits and div in names:
            fitting.append((claims["iat"] != verdict.iat, value))
    return min(fitting, default=(True, b""))[1]
