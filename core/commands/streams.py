"""Objects in the order of a column, merged from a lane for each service provider.

Invariants:
1. A lane is walked in the order of its groups, either way; entries of one group always come in the
   order of their keys.
2. Of a lane no more is read than is asked for, in steps that grow to SCAN_CHUNK, each in a read
   transaction of its own.
3. Where octets do not settle the order (a cut text, a second column to sort by) those of equal
   octets are loaded and ordered, as many as are wanted of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import total_ordering
from heapq import merge, nsmallest
from itertools import groupby
from math import sqrt
from operator import attrgetter
from typing import Any, Final

from ...schema import Query
from ...v1.object_pb2 import Object
from ..indexing import Path, is_cut, rest_of
from ..limits import SCAN_CHUNK
from ..store.contract import Reader
from .lanes import ColumnLane, Entry, Lane
from .sources import Item, Shelf, Source

GROWTH: Final = 2  # a step is so many times as long as the one before


class TooFar(Exception):
    """So much of the lanes is somebody else's that a scan is the shorter way."""


def heads(shelf: Shelf, lanes: Sequence[Lane], falling: bool, size: int) -> list[list[Entry]]:
    """The first step of each lane, many in one read transaction."""
    found = []
    some = max(1, SCAN_CHUNK // size)
    for start in range(0, len(lanes), some):
        shelf.pulse()
        with shelf.store.read() as reader:
            for lane in lanes[start : start + some]:
                read = lane.down if falling else lane.up
                found.append(read(shelf, reader, None, size))
    return found


def steps(
    shelf: Shelf,
    read: Callable[[Reader, Entry | None, int], list[Entry]],
    chunk: list[Entry],
    size: int,
) -> Iterator[Entry]:
    """Entries step by step, each from where the one before ended. `chunk`: the first step."""
    yield from chunk
    while len(chunk) == size:
        after, size = chunk[-1], min(size * GROWTH, SCAN_CHUNK)
        shelf.pulse()
        with shelf.store.read() as reader:
            chunk = read(reader, after, size)
        yield from chunk


def ascending(shelf: Shelf, lane: Lane, chunk: list[Entry], size: int) -> Iterator[Entry]:
    """The lane in its order, from its first step."""

    def read(reader: Reader, after: Entry | None, limit: int) -> list[Entry]:
        return lane.up(shelf, reader, after, limit)

    return steps(shelf, read, chunk, size)


def descending(shelf: Shelf, lane: Lane, chunk: list[Entry], size: int) -> Iterator[Entry]:
    """The lane's groups backwards from its first step, the entries of each in key order."""
    while True:
        runs = [list(run) for _, run in groupby(chunk, attrgetter("group"))]
        whole = len(chunk) < size
        for run in runs if whole else runs[:-1]:  # the last may go on below
            yield from reversed(run)
        if whole:
            return
        if len(runs) == 1:  # a group longer than a step
            below: Any = runs[0][0].group
            yield from _group(shelf, lane, below, size)
        else:
            below = runs[-2][0].group
        size = min(size * GROWTH, SCAN_CHUNK)
        shelf.pulse()
        with shelf.store.read() as reader:
            chunk = lane.down(shelf, reader, below, size)


def _group(shelf: Shelf, lane: Lane, group: Any, size: int) -> Iterator[Entry]:
    def read(reader: Reader, after: Entry | None, limit: int) -> list[Entry]:
        return lane.within(shelf, reader, group, after, limit)

    with shelf.store.read() as reader:
        chunk = read(reader, None, size)
    return steps(shelf, read, chunk, size)


@total_ordering
class _Falling:
    """Compares the other way round."""

    __slots__ = ("group",)

    def __init__(self, entry: Entry) -> None:
        self.group = entry.group

    def __lt__(self, other: "_Falling") -> bool:
        return bool(other.group < self.group)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Falling) and bool(other.group == self.group)


@dataclass(frozen=True, slots=True)
class Merged:
    """Objects in the order that a query asks for, from lanes that stand in key order.

    `below`: only what has this prefix counts. `refined`: lanes alone do not settle the order.
    """

    lanes: Sequence[Lane]
    falling: bool
    query: Query
    refined: bool
    below: Path = ()

    def paths(self, shelf: Shelf, end: int, total: int) -> Iterator[Path]:
        """The first `end` of `total`. Raises TooFar where most of what is read is not below."""
        share = end / max(len(self.lanes), 1)
        size = max(2, min(int(share + 2 * sqrt(share)) + 1, SCAN_CHUNK))  # most lanes need no more
        walk = descending if self.falling else ascending
        streams = [
            walk(shelf, lane, head, size)
            for lane, head in zip(
                self.lanes, heads(shelf, self.lanes, self.falling, size), strict=True
            )
            if head
        ]
        key: Callable[[Entry], Any] = _Falling if self.falling else attrgetter("group")
        entries = streams[0] if len(streams) == 1 else merge(*streams, key=key)
        if self.below:
            entries = self._own(entries, total)
        left = end
        for group, run in groupby(entries, attrgetter("group")):
            found: Iterator[Path] = (entry.path for entry in run)
            if self.refined or (isinstance(group, bytes) and is_cut(group)):
                found = iter(self._sorted(shelf, found, left))
            for path in found:
                yield path
                left -= 1
                if not left:
                    return

    def _own(self, entries: Iterator[Entry], total: int) -> Iterator[Entry]:
        place = len(self.below)
        foreign = 0
        for entry in entries:
            if entry.path[:place] == self.below:
                yield entry
                continue
            foreign += 1
            if foreign > SCAN_CHUNK + total:
                raise TooFar

    def _sorted(self, shelf: Shelf, paths: Iterator[Path], most: int) -> list[Path]:
        rows = (
            (self.query.sort_key(shelf.kind.row(Object.FromString(value))), path)
            for path, value in shelf.load(paths)
        )
        return [path for _, path in nsmallest(most, rows)]


@dataclass(frozen=True, slots=True)
class Straight:
    """Objects in the order of their keys, which is the one asked for."""

    source: Source

    def paths(self, shelf: Shelf, end: int, total: int) -> Iterator[Path]:
        return self.source.paths(shelf, None, end)


@dataclass(frozen=True, slots=True)
class Ranged:
    """As a source: what these lanes of columns hold, in any order."""

    column: str
    lanes: Sequence[ColumnLane]
    ordered: bool = False
    counted: bool = True

    def paths(self, shelf: Shelf, after: Path | None, want: int) -> Iterator[Path]:
        spans = ((lane.low, lane.high) for lane in self.lanes)
        for number, key in shelf.entries(spans, SCAN_CHUNK):
            lane = self.lanes[number]
            yield (*lane.above, *rest_of(key, lane.text)[1])

    def items(self, shelf: Shelf) -> Iterator[Item]:
        return shelf.load(self.paths(shelf, None, SCAN_CHUNK))

    def count(self, shelf: Shelf) -> int:
        return shelf.count((lane.low, lane.high) for lane in self.lanes)


__all__ = ["Merged", "Ranged", "Straight", "TooFar"]
