"""Runs of sorted rows, sealed or still growing.

Invariants:
1. A run answers from what it spans where that is enough, then from postings where few rows can
   match, else by its rows, a chunk at a time.
2. What a run gives are views into the transaction: they die with it.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from struct import Struct, iter_unpack
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from ...fastpath.rows import bounds, by_time, lower, select, spans
from ...fastpath.rows_types import (
    CALLED,
    CALLING,
    DIGEST,
    END,
    ENTRY,
    ID_BYTES,
    PROVIDER,
    ROW,
    START,
    SUBSCRIBER,
    TIME_BYTES,
    Condition,
)
from .limits import CHUNK_ROWS
from .tables import POSTINGS, ROWS, Table

if TYPE_CHECKING:
    import lmdb

    Transaction = lmdb.Transaction[Any]

Octets: TypeAlias = bytes | memoryview
ID: Final = 0  # the column of identifiers
POSTED: Final = (CALLED, CALLING, SUBSCRIBER, PROVIDER)  # columns with postings
FEW: Final = 16  # one row in so many is worth a look at postings
CHUNK: Final = CHUNK_ROWS * ROW
SEGMENT_KEY: Final = Struct(">BI")
CHUNK_KEY: Final = Struct(">BII")
SEGMENT: Final = Struct(f">IQ{ID_BYTES}s{ID_BYTES}s{4 * TIME_BYTES}s")


class Segment(NamedTuple):
    """What a sealed run of rows spans, and when its last record came, in Unix seconds."""

    number: int
    rows: int
    came: int
    first: bytes
    last: bytes
    times: bytes  # as fastpath.rows.spans gives them

    def encode(self) -> bytes:
        return SEGMENT.pack(*self[1:])


def decode_segment(key: bytes, value: bytes) -> Segment:
    """The segment that was kept under this key."""
    return Segment(SEGMENT_KEY.unpack(key)[1], *SEGMENT.unpack(value))


class Run:
    """Sorted rows that are still growing, in memory; one row or more."""

    posted: tuple[int, ...] = ()

    def __init__(self, rows: Octets) -> None:
        self._rows = memoryview(rows)
        self.count = len(rows) // ROW
        self.first, self.last = bytes(rows[:ID_BYTES]), bytes(rows[-ROW:][:ID_BYTES])
        self._spans = {ID: (self.first, self.last)}  # the times are not known

    def chunk(self, number: int) -> Octets:
        """CHUNK_ROWS rows, or what is left of them."""
        return self._rows[number * CHUNK : (number + 1) * CHUNK]

    def postings(self, column: int, digest: bytes) -> list[Octets]:
        """The postings of a digest, in pieces."""
        raise LookupError(column)

    def tally(self, conditions: Sequence[Condition]) -> int:
        """How many rows meet every condition."""
        left = self._left(conditions)
        if not left:
            return 0 if left is None else self.count
        posted, pieces, few = self._fewest(left)
        if posted and len(left) == 1:
            return few
        if posted and few * FEW <= self.count:
            left.remove(posted)
            return sum(1 for _ in self._placed(left, pieces, 0, self.count, False))
        return sum(len(select(self.chunk(each), left)) for each in range(self._chunks()))

    def rows(
        self, conditions: Sequence[Condition], edge: bytes | None, newest_first: bool
    ) -> Iterator[bytes]:
        """The rows that meet every condition, in order, from after the edge."""
        left = self._left(conditions)
        if left is None:
            return
        low, high = self._within(edge, newest_first)
        posted, pieces, few = self._fewest(left)
        if posted and few * FEW <= self.count:
            left.remove(posted)
            yield from self._placed(left, pieces, low, high, newest_first)
            return
        chunks = range(low // CHUNK_ROWS, -(-high // CHUNK_ROWS))
        for number in reversed(chunks) if newest_first else chunks:
            chunk, start = self.chunk(number), number * CHUNK_ROWS
            places = select(chunk, left)
            for place in reversed(places) if newest_first else places:
                if low <= start + place < high:
                    yield bytes(chunk[place * ROW : (place + 1) * ROW])

    def times(self, column: int) -> tuple[bytes, bytes]:
        """The first and the last of a column of times; UNSET counts as the last."""
        if column not in self._spans:
            both = spans(self._rows)
            for at, each in ((0, START), (2 * TIME_BYTES, END)):
                self._spans[each] = (both[at:][:TIME_BYTES], both[at + TIME_BYTES :][:TIME_BYTES])
        return self._spans[column]

    def timed(self, conditions: Sequence[Condition], column: int, descending: bool) -> bytes:
        """The rows that meet every condition, in the order of a time: see fastpath.rows.by_time."""
        if self._left(conditions) == []:
            chunks = (self.chunk(each) for each in range(self._chunks()))
            return by_time(b"".join(chunks), column, descending)
        return by_time(b"".join(self.rows(conditions, None, True)), column, descending)

    def find(self, id: bytes) -> bytes | None:
        """The row with this identifier."""
        place = self.place(id)
        if place == self.count:
            return None
        row = self._row(place)
        return row if row[:ID_BYTES] == id else None

    def place(self, id: bytes) -> int:
        """The place of the first row that is not below the identifier."""
        if id <= self.first:
            return 0
        if id > self.last:
            return self.count
        low, high = 0, self._chunks()  # the last chunk that begins at or below it
        while high - low > 1:
            middle = (low + high) // 2
            if bytes(self.chunk(middle)[:ID_BYTES]) <= id:
                low = middle
            else:
                high = middle
        return low * CHUNK_ROWS + lower(self.chunk(low), id)

    def _chunks(self) -> int:
        return -(-self.count // CHUNK_ROWS)

    def _row(self, place: int) -> bytes:
        number, at = divmod(place, CHUNK_ROWS)
        return bytes(self.chunk(number)[at * ROW : (at + 1) * ROW])

    def _within(self, edge: bytes | None, newest_first: bool) -> tuple[int, int]:
        """First place and the one after the last, from after the edge."""
        if edge is None:
            return 0, self.count
        if newest_first:
            return 0, self.place(edge)
        place = self.place(edge)
        return place + (place < self.count and self._row(place)[:ID_BYTES] == edge), self.count

    def _left(self, conditions: Sequence[Condition]) -> list[Condition] | None:
        """Those conditions that some rows may meet and others not; None where no row can."""
        left = []
        for condition in conditions:
            column, low, high = condition
            if column in self._spans:
                least, most = self._spans[column]
                if high < least or low > most or high < low:
                    return None
                if low <= least and most <= high:
                    continue
            left.append(condition)
        return left

    def _fewest(self, conditions: list[Condition]) -> tuple[Condition | None, list[Octets], int]:
        """The condition that the fewest rows meet, of those with postings; these, and how many."""
        found: tuple[Condition | None, list[Octets], int] = None, [], self.count + 1
        for condition in conditions:
            if condition.offset in self.posted:
                pieces = self.postings(condition.offset, condition.low)
                few = sum(map(len, pieces)) // ENTRY
                if few < found[2]:
                    found = condition, pieces, few
        return found

    def _placed(
        self,
        rest: list[Condition],
        pieces: list[Octets],
        low: int,
        high: int,
        backwards: bool,
    ) -> Iterator[bytes]:
        places = [place for piece in pieces for (place,) in iter_unpack(f">{DIGEST}xI", piece)]
        chosen = places[bisect_left(places, low) : bisect_left(places, high)]
        for place in reversed(chosen) if backwards else chosen:
            row = self._row(place)
            if select(row, rest):
                yield row


class SealedRun(Run):
    """The rows of a segment on disk."""

    posted = POSTED

    def __init__(
        self, txn: "Transaction", dbs: Mapping[Table, Any], product: int, segment: Segment
    ) -> None:
        self._txn, self._rows_db, self._postings_db = txn, dbs[ROWS], dbs[POSTINGS]
        self._product, self._segment = product, segment.number
        self.count, self.first, self.last = segment.rows, segment.first, segment.last
        times = [segment.times[at : at + TIME_BYTES] for at in range(0, 4 * TIME_BYTES, TIME_BYTES)]
        self._spans = {
            ID: (self.first, self.last),
            START: (times[0], times[1]),
            END: (times[2], times[3]),
        }

    def chunk(self, number: int) -> Octets:
        key = CHUNK_KEY.pack(self._product, self._segment, number)
        found: Octets = self._txn.get(key, b"", db=self._rows_db)
        return found

    def postings(self, column: int, digest: bytes) -> list[Octets]:
        prefix = SEGMENT_KEY.pack(self._product, self._segment) + bytes([column])
        cursor = self._txn.cursor(self._postings_db)
        pieces: list[Octets] = []
        # The chunk before may end with postings of this digest.
        more = cursor.set_range(prefix + digest)
        if not (cursor.prev() if more else cursor.last()) or bytes(cursor.key()[:6]) != prefix:
            more = cursor.set_range(prefix + digest)
        else:
            more = True
        while more and bytes(cursor.key()[:6]) == prefix:
            entries = cursor.value()
            first, last = bounds(entries, digest)
            if last > first:
                pieces.append(entries[first * ENTRY : last * ENTRY])
            if last * ENTRY < len(entries):
                break
            more = cursor.next()
        return pieces


__all__ = [
    "CHUNK",
    "CHUNK_KEY",
    "POSTED",
    "SEGMENT_KEY",
    "Run",
    "SealedRun",
    "Segment",
    "decode_segment",
]
