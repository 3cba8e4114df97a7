"""What a message became, what was found out about a call, and the limits that callers need.

1. Everything here is immutable and holds no reference into a datagram.
"""

import re
from typing import NamedTuple

__all__ = [
    "ANSWER_MORE",
    "DIVERT",
    "EDGE_OCTETS",
    "RETRY_AFTER",
    "SEED_OCTETS",
    "SIGN",
    "TOLD_OCTETS",
    "VERIFY",
    "Address",
    "Responded",
    "Told",
    "check_told",
]

ANSWER_MORE = 1024  # octets that an answer may be longer than what it answers, over UDP
EDGE_OCTETS = 250  # of an edge's name in records
RETRY_AFTER = 2  # seconds, for a call that comes before the data or too fast
SEED_OCTETS = 16  # of the randomness in record identifiers
TOLD_OCTETS = 65536  # of each text of a Told
VERIFY, SIGN, DIVERT = "verify", "sign", "divert"  # what a call awaits

Address = tuple[str, int]
LINES = re.compile(rb"(?:[!-9;-~]+:[^\r\n]*\r\n)*")
PHRASE = re.compile(r"[^\x00-\x1f\x7f]*")


class Responded(NamedTuple):
    """What to do about one message. Nothing at all: an ACK, or a drop.

    A call that awaits something has neither answer nor record: it is given again, with a Told.
    """

    answer: bytes | None = None
    destination: Address | None = None  # of the answer, over UDP
    record: bytes | None = None  # a `records` entry of an AppendRequest on the wire
    dropped: str | None = None  # the kind of a drop
    status: int = 0  # of the answer
    awaits: str = ""  # VERIFY, SIGN or DIVERT; empty: nothing
    provider: str = ""  # of a call that awaits: whose rules of PCS hold, empty for nobody's
    calling: str = ""  # and its numbers as screened, empty for none
    called: str = ""
    onward: bytes | None = None  # a datagram that is no answer: the request on its way
    send_to: Address | None = None  # and where it goes
    place: bytes = b""  # of DIVERT: the URI that the call is to be sent to
    cert_name: str = ""  # and the certificate that is to sign that


class Told(NamedTuple):
    """What was found out about a call that awaited it; it awaits nothing any more, but for the
    signature of its diversion where the verdict is VALID and `diversion` None.

    Of an INVITE without Identity the verdict is known, and the one here does not count.
    """

    verdict: int = 1  # a State of the identity library; 0 counts as 4, unknown
    status: int = 0  # of the answer where the stir_shaken rule turns the call away; 0: 603 Decline
    reason: str = ""  # its phrase
    lines: bytes = b""  # header lines of an answer that lets the call go on
    always: bytes = b""  # header lines of every answer
    record: bytes = b""  # fields of a CallRecord on the wire, put behind its own
    diversion: bytes | None = None  # header lines of an answer that sends the call elsewhere


def check_told(told: Told) -> None:
    """Raises ValueError where an answer made of it would be none."""
    if not 0 <= told.verdict <= 4 or not (told.status == 0 or 400 <= told.status <= 699):
        raise ValueError(f"no verdict, or no status of a refusal: {told.verdict}, {told.status}")
    if not PHRASE.fullmatch(told.reason):
        raise ValueError("a control character in a reason phrase")
    texts = told.lines, told.always, told.diversion or b""
    if not all(map(LINES.fullmatch, texts)):
        raise ValueError("header lines that are none")
    if max(map(len, (told.reason, told.record, *texts))) > TOLD_OCTETS:
        raise ValueError(f"more than {TOLD_OCTETS} octets")
