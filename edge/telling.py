"""Verdicts and signatures as an answer and a call record say them.

Invariants
1. What stands in an answer that lets a call go on: the Identity that was made for it, with a Date
   where it has none; and who calls, with the verdict (verstat), where that was asked for.
2. Each bad Identity is told in a Reason of its own, in every final answer (RFC 9410).
3. A call is refused with the code of its verdict only where that is invalid: where it could not be
   told, or there is none, the rules go on.
4. VALID is told only of the number that the rules go by.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from ..fastpath.asking_types import Asked, Claimed
from ..fastpath.model import Origination
from ..fastpath.respond_types import Told
from ..identity.model import NOT_VALIDATED, Check, State, Verdict
from ..identity.service import PlainSigned
from ..identity.telephone import is_e164
from .identity_records import identity_octets, signature_octets
from .questions import Caller, ToSign, sip_date

__all__ = ["Signature", "of_screened", "tell", "tell_signed", "tell_valid"]

SIGNATURE = re.compile(rb"\.([A-Za-z0-9_-]{1,200})(?=;|\s|\Z)")
NO_IDENTITY, VALID = int(State.NONE), int(State.VALID)
NOTHING = Told(NO_IDENTITY)
ANOTHER = Check("caller", None, "the rules go by another number than the one that was verified")


class Signature(NamedTuple):
    """How a call was signed by the wish of a source, or why it was not."""

    origination: Origination
    request: ToSign | None
    signed: PlainSigned | None = None
    failure: str = ""


def tell(
    verdict: Verdict | None,
    asked: Asked | None = None,
    signature: Signature | None = None,
    caller: Caller | None = None,
) -> Told:
    """What a responder is told of a call; `asked` is what it said, None where nobody read it, and
    `caller` who makes it."""
    if verdict is None:
        if signature is None:
            return NOTHING
        lines = b"" if asked is None else signed_lines(asked, signature)
        return Told(NO_IDENTITY, lines=lines, record=signature_octets(*signature))
    status, reason, lines = 0, "", b""
    if verdict.state == State.INVALID:
        status, reason = verdict.code, verdict.reason
    record = identity_octets(verdict)
    always = b"".join(line("Reason", value) for value in reason_values(verdict))
    if asked is not None and caller is not None:
        lines = asserted(asked, caller, verdict.verstat)
    if signature is not None and asked is not None:
        lines += signed_lines(asked, signature)
        record += signature_octets(*signature)
    return Told(int(verdict.state), status, reason, lines, always, record)


def of_screened(verdict: Verdict, asked: Asked) -> Verdict:
    """What a verdict says of the number that the rules go by: nothing where that is another's."""
    screened = asked.screened.removeprefix("+")
    if verdict.state is not State.VALID or screened in ("", verdict.orig):
        return verdict
    checks = (*verdict.checks, ANOTHER)
    return verdict._replace(state=State.UNKNOWN, verstat=NOT_VALIDATED, checks=checks)


def tell_signed(origination: Origination, request: ToSign, signed: PlainSigned) -> Told:
    """As `tell`, of a call that was signed and has no Date."""
    lines = b"Identity: %b\r\n%b" % (signed.value, date_line(request.iat))
    record = signature_octets(origination, request, signed)
    return Told(NO_IDENTITY, 0, "", lines, b"", record)


def tell_valid(claimed: Claimed, verdict: Verdict) -> Told:
    """As `tell`, of a call whose verdict is VALID and says nothing of bad headers."""
    lines, shown = b"", claimed.shown
    if shown:
        said = claimed.orig.encode(), verdict.verstat.encode(), shown
        lines = b"P-Asserted-Identity: <sip:%b;verstat=%b@%b;user=phone>\r\n" % said
    return Told(VALID, 0, "", lines, b"", identity_octets(verdict))


def asserted(asked: Asked, caller: Caller, verstat: str) -> bytes:
    """P-Asserted-Identity with the verdict, of a caller who has a number and does not hide it."""
    number, host = caller.number, caller.host
    if not is_e164(number) or asked.anonymous:
        return b""
    if not host:
        return line("P-Asserted-Identity", f"<tel:+{number};verstat={verstat}>")
    value = f"<sip:+{number};verstat={verstat}@{host};user=phone>"
    return line("P-Asserted-Identity", value)


def reason_values(verdict: Verdict) -> Iterator[str]:
    """A Reason for each bad Identity, which its signature alone names (RFC 9410 section 4)."""
    for code, reason, token in verdict.failed:
        signature = SIGNATURE.search(token)
        which = f';ppi="..{signature[1].decode()}"' if signature else ""
        yield f'STIR;cause={code};text="{reason}"{which}'


def signed_lines(asked: Asked, signature: Signature) -> bytes:
    """What goes on with a call that was signed."""
    if signature.signed is None or signature.request is None:
        return b""
    lines = b"Identity: %b\r\n" % signature.signed.value
    return lines if asked.date is not None else lines + date_line(signature.request.iat)


@lru_cache(maxsize=8)  # the calls of one second have one
def date_line(seconds: int) -> bytes:
    return line("Date", sip_date(seconds))


def line(name: str, value: str) -> bytes:
    """A header field; nothing where its value would end it."""
    if "\r" in value or "\n" in value:
        return b""
    return f"{name}: {value}\r\n".encode()
