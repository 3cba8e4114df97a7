from collections.abc import Sequence

from .rows_types import Condition

Octets = bytes | bytearray | memoryview

def sort(rows: Octets) -> bytes:
    """Rows in the order of their identifiers; of those with the same one the first stays."""

def merge(rows: Octets, others: Octets) -> bytes:
    """Two runs of sorted rows as one; of the same identifier the row of the first run stays."""

def without(rows: Octets, others: Octets) -> bytes:
    """The rows whose identifier none of the others, which are sorted, has."""

def lower(rows: Octets, id: bytes) -> int:
    """The place of the first of sorted rows whose identifier is not below this one."""

def placed(rows: Octets, block: int) -> bytes:
    """The same rows, of records that lie in this block."""

def spans(rows: Octets) -> bytes:
    """First and last start, then first and last end, of one row or more."""

def by_time(rows: Octets, offset: int, descending: bool) -> bytes:
    """Rows in the order of the time at this offset, the newest first of those that are equal.

    What is unset comes first, or last when descending.
    """

def postings(rows: Octets, offset: int) -> bytes:
    """An entry a row: the digest at this offset and the row's place, in the order of both."""

def bounds(entries: Octets, digest: bytes) -> tuple[int, int]:
    """First place, and the one after the last, of the postings of this digest."""

def select(rows: Octets, conditions: Sequence[Condition]) -> list[int]:
    """The places of the rows that meet every condition."""
