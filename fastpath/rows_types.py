"""The layout of a row: what a call record is found by, in octets that order as what they mean.

1. A row is ROW octets: identifier, where the record lies, when the call was, whose, and between
   which numbers.
2. A time is seconds in 5 octets and nanoseconds in 4; UNSET, after every time, where there is none.
3. A name or number stands there as its digest, DIGEST octets: see records_reference.digest.
"""

from typing import Final, NamedTuple

__all__ = [
    "BLOCK",
    "CALLED",
    "CALLING",
    "DIGEST",
    "END",
    "ENTRY",
    "ID_BYTES",
    "LENGTH",
    "OFFSET",
    "PROVIDER",
    "ROW",
    "START",
    "SUBSCRIBER",
    "TIME_BYTES",
    "UNSET",
    "Batch",
    "Condition",
    "Limits",
]

ID_BYTES: Final = 16
TIME_BYTES: Final = 9
DIGEST: Final = 12
BLOCK: Final = 16  # after the identifier: 8 octets, the key of the block that holds the record
OFFSET: Final = 24  # 4 octets: where in the block it begins
LENGTH: Final = 28  # 4 octets
START: Final = 32
END: Final = START + TIME_BYTES
PROVIDER: Final = END + TIME_BYTES
SUBSCRIBER: Final = PROVIDER + DIGEST
CALLED: Final = SUBSCRIBER + DIGEST
CALLING: Final = CALLED + DIGEST
ROW: Final = CALLING + DIGEST
ENTRY: Final = DIGEST + 4  # a posting: a digest, and the place of a row
UNSET: Final = b"\xff" * TIME_BYTES


class Batch(NamedTuple):
    """A request's number, how many records it has, and those of each product with their rows."""

    id: int
    size: int  # records
    pcs: tuple[bytes, bytes]
    cin: tuple[bytes, bytes]


class Condition(NamedTuple):
    """What stands at `offset` of a row is at least `low` and at most `high`, which are as long."""

    offset: int
    low: bytes
    high: bytes


class Limits(NamedTuple):
    """What a record may have at most."""

    chars: int  # of a short text
    events: int  # characters
    octets: int
    steps: int  # of its trace
