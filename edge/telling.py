"""Verdicts and signatures as an answer and a call record say them.

Invariants
1. What stands in an answer that lets a call go on: the Identity that was made for it, with a Date
   where it has none; and who calls, with the verdict (verstat), where that was asked for.
2. Each bad Identity is told in a Reason of its own, in every final answer (RFC 9410).
3. A call is refused with the code of its verdict only where that is invalid: where it could not be
   told, or there is none, the rules go on.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..fastpath.extract import is_anonymous
from ..fastpath.model import Origination
from ..fastpath.respond_types import Told
from ..fastpath.sip import parse_uri
from ..fastpath.sip_types import Request
from ..identity.model import Signed, SignRequest, State, Verdict
from ..identity.telephone import is_e164
from .identity_records import identity_octets, signature_octets
from .questions import Caller, sip_date

__all__ = ["Signature", "tell"]

SIGNATURE = re.compile(rb"\.([A-Za-z0-9_-]{1,200})(?=;|\s|\Z)")


class Signature(NamedTuple):
    """How a call was signed by the wish of a source, or why it was not."""

    origination: Origination
    request: SignRequest | None
    signed: Signed | None = None
    failure: str = ""


def tell(
    verdict: Verdict | None,
    message: Request | None = None,
    signature: Signature | None = None,
    caller: Caller | None = None,
) -> Told:
    """What a responder is told of a call; `message` is its INVITE, None where nobody read it, and
    `caller` who makes it."""
    status, reason, record, lines, always = 0, "", b"", b"", b""
    state = State.NONE
    if verdict is not None:
        state = verdict.state
        if state == State.INVALID:
            status, reason = verdict.code, verdict.reason
        record = identity_octets(verdict)
        always = b"".join(line("Reason", value) for value in reason_values(verdict))
        if message is not None and caller is not None:
            lines = asserted(message, caller, verdict.verstat)
    if signature is not None and message is not None:
        lines += signed_lines(message, signature)
        record += signature_octets(*signature)
    return Told(int(state), status, reason, lines, always, record)


def asserted(message: Request, caller: Caller, verstat: str) -> bytes:
    """P-Asserted-Identity with the verdict, of a caller who has a number and does not hide it."""
    number = caller.number
    if not is_e164(number) or is_anonymous(message):
        return b""
    host = parse_uri(caller.uri).host.decode()
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


def signed_lines(message: Request, signature: Signature) -> bytes:
    """What goes on with a call that was signed."""
    signed = signature.signed
    if signed is None:
        return b""
    date = line("Date", sip_date(signed.iat)) if message.first(b"date") is None else b""
    return line("Identity", signed.value) + date


def line(name: str, value: str) -> bytes:
    """A header field; nothing where its value would end it."""
    if "\r" in value or "\n" in value:
        return b""
    return f"{name}: {value}\r\n".encode()
