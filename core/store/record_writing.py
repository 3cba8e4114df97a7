"""Appends to a product's open segment, and seals it: what a write transaction does.

Invariants:
1. Of records with the same identifier the first one stays: open rows and sealed ones are looked at.
2. Made anew from its blocks in order, an open segment is the one that it was.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...fastpath.rows import merge, placed, postings, sort, spans, without
from ...fastpath.rows_types import ENTRY, ID_BYTES, ROW
from .limits import CHUNK_POSTINGS, CHUNK_ROWS, SEGMENT_ROWS, SEGMENT_SECONDS
from .record_runs import (
    CHUNK,
    CHUNK_KEY,
    POSTED,
    SEGMENT_KEY,
    SealedRun,
    Segment,
    decode_segment,
)
from .records import PRODUCT_OCTET, Arrived
from .tables import BLOCKS, FRESH, META, POSTINGS, ROWS, SEGMENTS, Table

if TYPE_CHECKING:
    import lmdb

    Transaction = lmdb.Transaction[Any]

Dbs = Mapping[Table, Any]  # the engine's handles
HEAD: Final = Struct(">IIIQQ")
RUN_RATIO: Final = 4
BLOCK_BITS: Final = 24  # of a block's number within its segment; product and segment before it


class Head(NamedTuple):
    """How far a product's records have come; times in Unix seconds, of the open segment."""

    segment: int = 0
    blocks: int = 0
    dropped: int = 0  # segments
    begun: int = 0
    came: int = 0

    def encode(self) -> bytes:
        return HEAD.pack(*self)


class View(NamedTuple):
    """What a transaction sees of a product beside its tables."""

    head: Head
    runs: tuple[bytes, ...]  # rows of the open segment, each run sorted
    segments: tuple[Segment, ...]


NOTHING: Final = View(Head(), (), ())


def head_key(product: str) -> bytes:
    """Where the head of a product stands in META."""
    return b"head " + product.encode()


def block_number(product: str, segment: int, block: int) -> int:
    """The key of a block, as a number of 8 octets."""
    return (PRODUCT_OCTET[product] << 32 | segment) << BLOCK_BITS | block


def block_key(number: int) -> bytes:
    """The octets of a block's key."""
    return number.to_bytes(8, "big")


def segment_prefix(product: str, segment: int) -> bytes:
    """What every key of a segment begins with."""
    return SEGMENT_KEY.pack(PRODUCT_OCTET[product], segment)


def read_view(txn: "Transaction", dbs: Dbs, product: str) -> View:
    """The view of a product, from its tables."""
    stored = txn.get(head_key(product), db=dbs[META])
    head = Head(*HEAD.unpack(stored)) if stored else Head()
    runs: list[bytes] = []
    for _, rows in prefixed(txn, dbs[FRESH], segment_prefix(product, head.segment)):
        _grow(runs, rows)
    found = prefixed(txn, dbs[SEGMENTS], bytes([PRODUCT_OCTET[product]]))
    return View(head, tuple(runs), tuple(decode_segment(key, value) for key, value in found))


def prefixed(txn: "Transaction", db: Any, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Entries whose key begins with these octets, in order."""
    cursor = txn.cursor(db)
    found = cursor.set_range(prefix)
    while found and bytes(cursor.key()).startswith(prefix):
        yield bytes(cursor.key()), bytes(cursor.value())
        found = cursor.next()


def _grow(runs: list[bytes], fresh: bytes) -> None:
    """Adds sorted rows that no run has; each run stays RUN_RATIO times the next, so few are."""
    runs.append(fresh)
    while len(runs) > 1 and len(runs[-2]) < RUN_RATIO * len(runs[-1]):
        last = runs.pop()
        runs[-1] = merge(runs[-1], last)


class Growing:
    """A product's open segment within one write transaction."""

    def __init__(self, txn: "Transaction", dbs: Dbs, product: str, view: View) -> None:
        self._txn, self._dbs, self._product = txn, dbs, product
        self._head = view.head
        self._runs = list(view.runs)
        self._segments = list(view.segments)

    def add(self, arrived: Arrived, now: int) -> int:
        """Keeps the records that are new; how many."""
        fresh = self._new(sort(arrived.rows))
        if not fresh:
            return 0
        head = self._head
        number = block_number(self._product, head.segment, head.blocks)
        fresh = placed(fresh, number)
        _grow(self._runs, fresh)
        self._txn.put(block_key(number), arrived.values, db=self._dbs[BLOCKS])
        self._txn.put(block_key(number), fresh, db=self._dbs[FRESH])
        begun = head.begun if head.blocks else now
        came = max(now, head.came) if head.blocks else now
        self._head = head._replace(blocks=head.blocks + 1, begun=begun, came=came)
        if sum(map(len, self._runs)) >= SEGMENT_ROWS * ROW or now - begun >= SEGMENT_SECONDS:
            self.seal()
        return len(fresh) // ROW

    def _new(self, fresh: bytes) -> bytes:
        """Less the rows of records that stand here already."""
        for run in self._runs:
            if fresh[:ID_BYTES] <= run[-ROW:][:ID_BYTES]:
                fresh = without(fresh, run)
        for segment in self._segments:
            first, last = fresh[:ID_BYTES], fresh[-ROW:][:ID_BYTES]
            if not fresh or segment.last < first or last < segment.first:
                continue
            run_ = SealedRun(self._txn, self._dbs, PRODUCT_OCTET[self._product], segment)
            begin, end = run_.place(first) // CHUNK_ROWS, run_.place(last) // CHUNK_ROWS
            for number in range(begin, end + 1):
                fresh = without(fresh, run_.chunk(number))
        return fresh

    def seal(self) -> None:
        """Ends the open segment, which has a row or more."""
        head, rows = self._head, reduce(merge, self._runs)
        prefix = segment_prefix(self._product, head.segment)
        for number, start in enumerate(range(0, len(rows), CHUNK)):
            key = CHUNK_KEY.pack(PRODUCT_OCTET[self._product], head.segment, number)
            self._txn.put(key, rows[start : start + CHUNK], db=self._dbs[ROWS])
        for column in POSTED:
            entries = postings(rows, column)
            for start in range(0, len(entries), CHUNK_POSTINGS * ENTRY):
                chunk = entries[start : start + CHUNK_POSTINGS * ENTRY]
                key = prefix + bytes([column]) + chunk[:ENTRY]
                self._txn.put(key, chunk, db=self._dbs[POSTINGS])
        segment = Segment(
            head.segment,
            len(rows) // ROW,
            head.came,
            rows[:ID_BYTES],
            rows[-ROW:][:ID_BYTES],
            spans(rows),
        )
        self._txn.put(prefix, segment.encode(), db=self._dbs[SEGMENTS])
        self._segments.append(segment)
        cursor = self._txn.cursor(self._dbs[FRESH])
        while cursor.set_range(prefix) and cursor.key().startswith(prefix):
            cursor.delete()
        self._runs = []
        self._head = Head(segment=head.segment + 1, dropped=head.dropped)

    def drop(self, segment: Segment) -> None:
        """Takes a sealed segment out of every answer; its values are left to be removed."""
        self._segments.remove(segment)
        prefix = segment_prefix(self._product, segment.number)
        self._txn.delete(prefix, db=self._dbs[SEGMENTS])
        self._head = self._head._replace(dropped=self._head.dropped + 1)

    def finish(self) -> View:
        """Stores the head; the view of what has been written."""
        self._txn.put(head_key(self._product), self._head.encode(), db=self._dbs[META])
        return View(self._head, tuple(self._runs), tuple(self._segments))


__all__ = [
    "NOTHING",
    "Dbs",
    "Growing",
    "Head",
    "View",
    "block_key",
    "head_key",
    "prefixed",
    "read_view",
    "segment_prefix",
]
