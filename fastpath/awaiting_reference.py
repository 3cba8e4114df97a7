"""What a call awaits and what it is told, in plain Python: what settling.pyx means by it.

1. Of an INVITE without Identity nobody needs to ask: it has none, which settings may not suffer.
2. A call that awaits something has no answer yet; told, it awaits nothing any more, but for the
   signature of a diversion, which is told too.
3. Only what goes on from a source that signs, and carries no Identity, is to be signed.
4. What came signed and goes elsewhere is verified first, where such diversions are signed.

RFC 8224 6.1, 6.2.2; RFC 8946; RFC 9410.
"""

from typing import Protocol

from .model import CIN, INVALID, NONE, STIR_RULE, UNASKED, UNKNOWN, VALID, StirSettings, Verdict
from .respond_types import SIGN, VERIFY, Told
from .routes_reference import DECLINE, Answer
from .sip_types import Request

__all__ = ["awaited", "diverts", "granted_lines", "known", "told_of"]

NO_IDENTITY = 428, "Use Identity Header"


class Signing(Protocol):
    """What of an index, compiled or plain, is asked here."""

    def signs(self, source_ip: str) -> bool: ...
    def stir_settings(self) -> StirSettings: ...


def known(index: Signing, request: Request, told: Told | None) -> int:
    """What is known of the caller's identity; without an Identity field nobody needs to ask."""
    if not request.all(b"identity"):
        return INVALID if index.stir_settings().require_identity else NONE
    return UNASKED if told is None else told.verdict or UNKNOWN


def awaited(
    index: Signing, request: Request, product: int, source_ip: str, verdict: Verdict
) -> str:
    """What a call to a listener of a product waits for, empty for nothing."""
    if verdict.awaits or is_diverted(request, verdict):
        return VERIFY
    goes_on = verdict.treatment == "continue" and product != CIN
    unsigned = not request.all(b"identity")
    return SIGN if goes_on and unsigned and index.signs(source_ip) else ""


def is_diverted(request: Request, verdict: Verdict) -> bool:
    """Whether it is to be signed that a call goes to voice mail: it came signed, and the provider
    wishes it."""
    wished = verdict.rules_of and verdict.settings.divert_cert_name
    return bool(wished and verdict.treatment == "voicemail" and request.all(b"identity"))


def diverts(given: Answer, request: Request, verdict: Verdict, told: Told | None) -> bool:
    """Whether a call awaits the signature of its diversion: it was verified, and goes elsewhere."""
    if told is None or told.verdict != VALID or told.diversion is not None:
        return False
    return given.status == 302 and is_diverted(request, verdict)


def told_of(given: Answer, request: Request, verdict: Verdict, told: Told | None) -> Answer:
    """An answer that turns a call away for its identity, with what was found amiss."""
    if given != DECLINE or verdict.reason != STIR_RULE:
        return given
    if not request.all(b"identity"):
        return Answer(*NO_IDENTITY)
    return Answer(told.status, told.reason) if told is not None and told.status else given


def granted_lines(given: Answer, verdict: Verdict, told: Told | None) -> bytes:
    """Header lines that no limit of an answer counts."""
    if told is None:
        return b""
    lines = b""
    if given.status == 302:
        lines = told.lines if verdict.treatment == "continue" else told.diversion or b""
    return lines + told.always
