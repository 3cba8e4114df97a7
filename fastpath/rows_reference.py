"""Rows of call records in plain Python: what rows.pyx means.

1. Rows are sorted by identifier, each identifier once, wherever a function asks for sorted rows.
2. Nothing here looks into a record: a row says all that is asked of it.
"""

from collections.abc import Iterator, Sequence

from .rows_types import (
    BLOCK,
    DIGEST,
    END,
    ENTRY,
    ID_BYTES,
    OFFSET,
    ROW,
    START,
    TIME_BYTES,
    UNSET,
    Condition,
)

__all__ = [
    "bounds",
    "by_time",
    "lower",
    "merge",
    "placed",
    "postings",
    "select",
    "sort",
    "spans",
    "without",
]

Octets = bytes | bytearray | memoryview


def sort(rows: Octets) -> bytes:
    """Rows in the order of their identifiers; of those with the same one the first stays."""
    first: dict[bytes, bytes] = {}
    for row in _rows(rows):
        first.setdefault(row[:ID_BYTES], row)
    return b"".join(first[each] for each in sorted(first))


def merge(rows: Octets, others: Octets) -> bytes:
    """Two runs of sorted rows as one; of the same identifier the row of the first run stays."""
    return sort(bytes(rows) + bytes(others))


def without(rows: Octets, others: Octets) -> bytes:
    """The rows whose identifier none of the others, which are sorted, has."""
    known = {row[:ID_BYTES] for row in _rows(others)}
    return b"".join(row for row in _rows(rows) if row[:ID_BYTES] not in known)


def lower(rows: Octets, id: bytes) -> int:
    """The place of the first of sorted rows whose identifier is not below this one."""
    return sum(row[:ID_BYTES] < id for row in _rows(rows))


def placed(rows: Octets, block: int) -> bytes:
    """The same rows, of records that lie in this block."""
    number = block.to_bytes(OFFSET - BLOCK, "big")
    return b"".join(row[:BLOCK] + number + row[OFFSET:] for row in _rows(rows))


def spans(rows: Octets) -> bytes:
    """First and last start, then first and last end, of one row or more."""
    all_rows = list(_rows(rows))
    found = b""
    for at in (START, END):
        times = [row[at : at + TIME_BYTES] for row in all_rows]
        found += min(times) + max(times)
    return found


def by_time(rows: Octets, offset: int, descending: bool) -> bytes:
    """Rows in the order of the time at this offset, the newest first of those that are equal.

    What is unset comes first, or last when descending.
    """
    newest_first = sorted(_rows(rows), reverse=True)
    timed = [row for row in newest_first if row[offset : offset + TIME_BYTES] != UNSET]
    unset = [row for row in newest_first if row[offset : offset + TIME_BYTES] == UNSET]
    timed.sort(key=lambda row: row[offset : offset + TIME_BYTES], reverse=descending)
    return b"".join(timed + unset if descending else unset + timed)


def postings(rows: Octets, offset: int) -> bytes:
    """An entry a row: the digest at this offset and the row's place, in the order of both."""
    entries = (
        row[offset : offset + DIGEST] + place.to_bytes(ENTRY - DIGEST, "big")
        for place, row in enumerate(_rows(rows))
    )
    return b"".join(sorted(entries))


def bounds(entries: Octets, digest: bytes) -> tuple[int, int]:
    """First place, and the one after the last, of the postings of this digest."""
    digests = [bytes(entries[start : start + DIGEST]) for start in range(0, len(entries), ENTRY)]
    return sum(each < digest for each in digests), sum(each <= digest for each in digests)


def select(rows: Octets, conditions: Sequence[Condition]) -> list[int]:
    """The places of the rows that meet every condition."""
    return [
        place
        for place, row in enumerate(_rows(rows))
        if all(low <= row[at : at + len(low)] <= high for at, low, high in conditions)
    ]


def _rows(rows: Octets) -> Iterator[bytes]:
    whole = bytes(rows)
    return (whole[start : start + ROW] for start in range(0, len(whole), ROW))
