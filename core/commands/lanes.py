"""Where entries stand in the order of one column: keys, the index of columns, unique values.

Invariants:
1. Entries of a lane order by their group, those of one group by their keys.
2. A lane is read in steps; it holds nothing between them.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from ...schema import parse_name
from ..indexing import Path, rest_of
from ..store.contract import COLUMNS, UNIQUE, Reader
from .draft import unique_key
from .sources import Shelf, behind


class Entry(NamedTuple):
    """`group` orders; `mark` is where the lane goes on."""

    group: Any
    path: Path
    mark: Any


class Lane(Protocol):
    """Entries of one column in one place."""

    def up(self, shelf: Shelf, reader: Reader, after: Entry | None, limit: int) -> list[Entry]:
        """The next entries, ascending."""

    def down(self, shelf: Shelf, reader: Reader, below: Any, limit: int) -> list[Entry]:
        """The last entries of groups below one (None: of all), backwards."""

    def within(
        self, shelf: Shelf, reader: Reader, group: Any, after: Entry | None, limit: int
    ) -> list[Entry]:
        """The next entries of a group, ascending."""


@dataclass(frozen=True, slots=True)
class KeyLane:
    """Objects below a path, by the next part of theirs."""

    prefix: Path

    def up(self, shelf: Shelf, reader: Reader, after: Entry | None, limit: int) -> list[Entry]:
        return self._scan(shelf, reader, self.prefix, after and after.path, limit)

    def down(self, shelf: Shelf, reader: Reader, below: Any, limit: int) -> list[Entry]:
        edge = None if below is None else (*self.prefix, below)
        return self._scan(shelf, reader, self.prefix, edge, limit, True)

    def within(
        self, shelf: Shelf, reader: Reader, group: Any, after: Entry | None, limit: int
    ) -> list[Entry]:
        return self._scan(shelf, reader, (*self.prefix, group), after and after.path, limit)

    def _scan(
        self,
        shelf: Shelf,
        reader: Reader,
        prefix: Path,
        after: Path | None,
        limit: int,
        reverse: bool = False,
    ) -> list[Entry]:
        place = len(self.prefix)
        found = reader.scan(shelf.product, shelf.type, prefix, after, limit, reverse)
        return [Entry(key.path[place], key.path, None) for key, _ in found]


@dataclass(frozen=True, slots=True)
class ColumnLane:
    """Entries of the index of columns: one scope, from one cell to another, both included."""

    above: Path
    scope: bytes
    text: bool
    least: bytes = b""
    greatest: bytes = b""

    @property
    def low(self) -> bytes:
        return self.scope + self.least

    @property
    def high(self) -> bytes:
        return behind(self.scope + self.greatest)

    def up(self, shelf: Shelf, reader: Reader, after: Entry | None, limit: int) -> list[Entry]:
        low = self.low if after is None else after.mark + b"\x00"
        return self._scan(reader, low, self.high, limit)

    def down(self, shelf: Shelf, reader: Reader, below: Any, limit: int) -> list[Entry]:
        high = self.high if below is None else self.scope + below
        return self._scan(reader, self.low, high, limit, True)

    def within(
        self, shelf: Shelf, reader: Reader, group: Any, after: Entry | None, limit: int
    ) -> list[Entry]:
        begin: bytes = self.scope + group
        low = begin if after is None else after.mark + b"\x00"
        return self._scan(reader, low, behind(begin), limit)

    def _scan(
        self, reader: Reader, low: bytes, high: bytes, limit: int, reverse: bool = False
    ) -> list[Entry]:
        found = []
        for key, _ in reader.scan_index(COLUMNS, low, high, limit, reverse):
            cell, rest = rest_of(key, self.text)
            found.append(Entry(cell, (*self.above, *rest), key))
        return found


@dataclass(frozen=True, slots=True)
class UniqueLane:
    """Entries of the index of unique values: of all providers, no two with one value."""

    field: str

    def up(self, shelf: Shelf, reader: Reader, after: Entry | None, limit: int) -> list[Entry]:
        begin = self._begin(shelf)
        low = begin if after is None else after.group + b"\x00"
        return self._scan(shelf, reader, low, behind(begin), limit)

    def down(self, shelf: Shelf, reader: Reader, below: Any, limit: int) -> list[Entry]:
        begin = self._begin(shelf)
        high = behind(begin) if below is None else below
        return self._scan(shelf, reader, begin, high, limit, True)

    def within(
        self, shelf: Shelf, reader: Reader, group: Any, after: Entry | None, limit: int
    ) -> list[Entry]:
        low = group if after is None else after.group + b"\x00"
        return self._scan(shelf, reader, low, group + b"\x00", limit)

    def _begin(self, shelf: Shelf) -> bytes:
        return unique_key(shelf.product, shelf.type, self.field, "")

    def _scan(
        self,
        shelf: Shelf,
        reader: Reader,
        low: bytes,
        high: bytes,
        limit: int,
        reverse: bool = False,
    ) -> list[Entry]:
        found = reader.scan_index(UNIQUE, low, high, limit, reverse)
        return [
            Entry(key, shelf.kind.path_of(parse_name(name.decode()).key), None)
            for key, name in found
        ]


__all__ = ["ColumnLane", "Entry", "KeyLane", "Lane", "UniqueLane"]
