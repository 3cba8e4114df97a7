"""What is counted, in words.

1. The place of a kind in DROP_KINDS is its number in counts.pxd; several may have one word.
2. Every word here is the code's: none is a caller's.
"""

from typing import NamedTuple

from .sip_types import FAULTS

__all__ = ["DROP_KINDS", "Counted"]

DROP_KINDS = (
    "",
    *(FAULTS[fault].kind for fault in sorted(FAULTS)),
    "answer_too_large",
    "untrusted",
    "ignored",
    "unsendable",
    "send_buffer",
    "unreachable",
    "fault",
)


class Counted(NamedTuple):
    """Counters since the start; dictionaries hold what is not 0."""

    received: int  # datagrams, or messages of a stream
    acknowledged: int  # ACKs swallowed
    retransmitted: int  # INVITEs that came again, of those answered
    limited: int  # answered 503 for their peer's rate, of those answered
    forwarded: int  # sent on: calls and what belongs to them, and responses
    records_made: int
    records_lost: int  # found no room
    answered: dict[int, int]  # by SIP status
    dropped: dict[str, int]  # by kind
    calls: dict[tuple[str, str, str], int]  # by product, treatment and reason
    handed: int = 0  # calls handed over: whoever answers them counts the answer
    identity_overflow: int = 0  # calls that awaited something and found no room: settled at once
