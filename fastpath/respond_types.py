"""What a message became, and the limits that Python callers need.

1. Everything here is immutable and holds no reference into a datagram.
"""

from typing import NamedTuple

__all__ = ["ANSWER_MORE", "EDGE_OCTETS", "RETRY_AFTER", "SEED_OCTETS", "Address", "Responded"]

ANSWER_MORE = 1024  # octets that an answer may be longer than what it answers, over UDP
EDGE_OCTETS = 250  # of an edge's name in records
RETRY_AFTER = 2  # seconds, for a call that comes before the data or too fast
SEED_OCTETS = 16  # of the randomness in record identifiers

Address = tuple[str, int]


class Responded(NamedTuple):
    """What to do about one message. Nothing at all: an ACK, or a drop."""

    answer: bytes | None = None
    destination: Address | None = None  # of the answer, over UDP
    record: bytes | None = None  # a `records` entry of an AppendRequest on the wire
    dropped: str | None = None  # the kind of a drop
    status: int = 0  # of the answer
    forward: bytes | None = None  # in proxy mode: the URI to send the request on to, not the answer
