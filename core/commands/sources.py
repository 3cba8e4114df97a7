"""Where the candidates for a query come from.

Invariants:
1. A source gives every object that may match, once, and no read transaction of it lasts longer
   than SCAN_CHUNK objects.
2. Unless it says otherwise it gives them in key order.
3. What has gone between two of its transactions is left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Final, Protocol, TypeAlias

from ...schema import ObjectType
from ..indexing import SCOPE_OCTETS, Path, rest_of
from ..limits import COUNT_CHUNK, PAGE_BYTES, SCAN_CHUNK
from ..store.contract import COLUMNS, Key, Store
from ..store.tables import encode_parts
from .paging import Pulse

PAGE_STEP: Final = 20  # objects of a page read together: they may be large

Item: TypeAlias = tuple[Path, bytes]
Span: TypeAlias = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the objects of a collection are kept, and what ends a search there."""

    store: Store
    kind: ObjectType
    product: str
    type: str  # in the store: that of the kind, or its archive's
    pulse: Pulse

    def key(self, path: Path) -> Key:
        return Key(self.product, self.type, path)

    def load(self, paths: Iterable[Path], size: int = SCAN_CHUNK) -> Iterator[Item]:
        """The objects at these paths, so many in a read transaction."""
        wanted = iter(paths)
        while some := list(islice(wanted, size)):
            self.pulse()
            with self.store.read() as reader:
                found = [(path, reader.get(self.key(path))) for path in some]
            yield from ((path, value) for path, value in found if value is not None)

    def page(self, paths: Iterable[Path]) -> list[Item]:
        """The objects at these paths until they are more than fit on a page, two at least."""
        items: list[Item] = []
        octets = 0
        for path, value in self.load(paths, PAGE_STEP):
            items.append((path, value))
            octets += len(value)
            if octets > PAGE_BYTES and len(items) > 1:
                break
        return items

    def firsts(self) -> list[str]:
        """The first parts of all paths, in order."""
        found: list[str] = []
        while True:
            self.pulse()
            after = found[-1] if found else None
            with self.store.read() as reader:
                some = [
                    first for first, _ in reader.firsts(self.product, self.type, after, COUNT_CHUNK)
                ]
            found += some
            if len(some) < COUNT_CHUNK:
                return found

    def entries(
        self, spans: Iterable[Span], want: int, most: int | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """Keys of the index of columns in these spans, each with the number of its span.

        Spans are low and high ends. Many are read in one read transaction where they are short:
        `want` keys in the first, then `most` (SCAN_CHUNK).
        """
        most = most or SCAN_CHUNK
        size = max(1, min(want, most))
        waiting = enumerate(spans)
        span = next(waiting, None)
        while span is not None:
            self.pulse()
            found: list[tuple[int, bytes]] = []
            seen = 0
            with self.store.read() as reader:
                while span is not None and len(found) < size and seen < SCAN_CHUNK:
                    number, (low, high) = span
                    room = size - len(found)
                    keys = [key for key, _ in reader.scan_index(COLUMNS, low, high, room)]
                    found += [(number, key) for key in keys]
                    more = len(keys) == room
                    span = (number, (keys[-1] + b"\x00", high)) if more else next(waiting, None)
                    seen += 1
            yield from found
            size = most

    def count(self, spans: Iterable[Span]) -> int:
        """How many entries the index of columns has in these spans."""
        return sum(1 for _ in self.entries(spans, COUNT_CHUNK, COUNT_CHUNK))


class Source(Protocol):
    """Candidates."""

    @property
    def ordered(self) -> bool:
        """Whether they come in key order."""

    @property
    def counted(self) -> bool:
        """Whether all that it counts are there."""

    def paths(self, shelf: Shelf, after: Path | None, want: int) -> Iterator[Path]:
        """Those behind a path (of an ordered source). `want`: as many are likely to be taken."""

    def items(self, shelf: Shelf) -> Iterator[Item]:
        """All of them."""

    def count(self, shelf: Shelf) -> int:
        """How many there are, without loading them."""


@dataclass(frozen=True, slots=True)
class Scan:
    """All objects below these prefixes, which stand in order and apart."""

    prefixes: Sequence[Path]
    ordered: bool = True
    counted: bool = True

    def paths(self, shelf: Shelf, after: Path | None, want: int) -> Iterator[Path]:
        return (path for path, _ in self._scan(shelf, after, want))

    def items(self, shelf: Shelf) -> Iterator[Item]:
        return self._scan(shelf, None, SCAN_CHUNK)

    def _scan(self, shelf: Shelf, after: Path | None, want: int) -> Iterator[Item]:
        for prefix in self.prefixes:
            if after is not None and prefix < after[: len(prefix)]:
                continue
            below = after is not None and prefix == after[: len(prefix)]
            last = after if below else None
            size = max(1, min(want, SCAN_CHUNK))
            while True:
                shelf.pulse()
                with shelf.store.read() as reader:
                    chunk = list(reader.scan(shelf.product, shelf.type, prefix, last, size))
                yield from ((key.path, value) for key, value in chunk)
                if len(chunk) < size:
                    break
                last, size = chunk[-1][0].path, SCAN_CHUNK

    def count(self, shelf: Shelf) -> int:
        total = 0
        for start in range(0, len(self.prefixes), SCAN_CHUNK):
            shelf.pulse()
            with shelf.store.read() as reader:
                total += sum(
                    reader.count(shelf.product, shelf.type, prefix)
                    for prefix in self.prefixes[start : start + SCAN_CHUNK]
                )
        return total


@dataclass(frozen=True, slots=True)
class Points:
    """The objects at these paths, which stand in order."""

    points: Sequence[Path]
    ordered: bool = True
    counted: bool = False

    def paths(self, shelf: Shelf, after: Path | None, want: int) -> Iterator[Path]:
        return (path for path in self.points if after is None or path > after)

    def items(self, shelf: Shelf) -> Iterator[Item]:
        return shelf.load(self.points)

    def count(self, shelf: Shelf) -> int:
        return len(self.points)


@dataclass(frozen=True, slots=True)
class Equal:
    """The objects whose entries in one column have one of these cells.

    `scopes`: what stands above, and the scope, in order. `below`: what the rest of a path begins
    with.
    """

    scopes: Sequence[tuple[Path, bytes]]
    cells: Sequence[bytes]
    text: bool
    below: Path = ()
    ordered: bool = True
    counted: bool = True

    def paths(self, shelf: Shelf, after: Path | None, want: int) -> Iterator[Path]:
        scopes = self.scopes
        if after is not None:
            scopes = [each for each in scopes if each[0] >= after[: len(each[0])]]
        runs = [
            (
                (*scopes[number][0], *rest_of(key, self.text)[1])
                for number, key in shelf.entries(self._spans(scopes, cell, after), want)
            )
            for cell in self.cells
        ]
        return runs[0] if len(runs) == 1 else merge(*runs)

    def _spans(
        self, scopes: Sequence[tuple[Path, bytes]], cell: bytes, after: Path | None
    ) -> Iterator[Span]:
        for above, scope in scopes:
            low = scope + cell + encode_parts(self.below)
            high = behind(low)
            if after is not None and above == after[: len(above)]:
                low = max(low, scope + cell + encode_parts(after[len(above) :]) + b"\x00")
            yield low, high

    def items(self, shelf: Shelf) -> Iterator[Item]:
        return shelf.load(self.paths(shelf, None, SCAN_CHUNK))

    def count(self, shelf: Shelf) -> int:
        return sum(shelf.count(self._spans(self.scopes, cell, None)) for cell in self.cells)


def behind(prefix: bytes) -> bytes:
    """The least octets above all that begin with these."""
    octets = prefix.rstrip(b"\xff")
    return octets[:-1] + bytes((octets[-1] + 1,)) if octets else b"\xff" * (SCOPE_OCTETS + 1)


__all__ = ["Equal", "Item", "Points", "Scan", "Shelf", "Source", "behind"]
