"""What the search of a query leaves of a collection, by keys and indexes.

Invariants:
1. The source of a plan gives every object that the query keeps.
2. A term is left out of what is asked of each candidate only where the candidates are exactly
   those that it keeps; a column is constant only where it is the same in all of them.
"""

from dataclasses import dataclass
from enum import StrEnum

from ...schema import ObjectType, Query, parse_name
from ...schema.query import Term
from ..indexing import UNSET, Indexed, Path, depth, encode_cell, indexed, is_cut, scope
from ..limits import SCAN_CHUNK
from ..store.contract import UNIQUE
from .draft import unique_key
from .lanes import ColumnLane
from .sources import Equal, Points, Scan, Shelf, Source
from .streams import Merged, Ranged, Straight


class By(StrEnum):
    """What finds the candidates of a search, or puts them in order."""

    KEY = "key"
    UNIQUE = "unique"
    COLUMN = "column"
    SCAN = "scan"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Plan:
    """`query` is what is still to be asked; `stream` gives the order where nothing is."""

    search: By
    source: Source
    query: Query
    order: By = By.MEMORY
    stream: Merged | Straight | None = None


def path_columns(kind: ObjectType) -> tuple[str | None, ...]:
    """The column that each part of a path is; None where it is part of one."""
    extra = len(kind.path_of(kind.key)) - len(kind.key)
    return (*([None] * (extra + 1 if extra else 0)), *kind.key[1 if extra else 0 :])


def exact(term: Term) -> str | int | None:
    """The only value that the term keeps; None where there are several."""
    if term.span is None or term.span[0] != term.span[1]:
        return None
    return term.span[0]


class Narrowed:
    """What the terms of a query leave of a collection."""

    def __init__(self, shelf: Shelf, query: Query, prefix: Path) -> None:
        self._shelf = shelf
        self._kind = shelf.kind
        self._query = query
        self._parts = len(self._kind.path_of(self._kind.key))
        self.prefix = prefix
        self.constant: set[str] = set()  # columns that are the same in all that is left
        self._held: list[Term] = []  # terms that all that is left satisfies

    def plan(self) -> Plan:
        if not self._by_key():
            return self._made(By.KEY, Points([]))
        if len(self.prefix) == self._parts:
            return self._made(By.KEY, Points([self.prefix]))
        return (
            self._by_unique()
            or self._by_inner_key()
            or self._by_cell()
            or self._by_range()
            or self._made(
                By.KEY if self._held or self._query.keeps_all else By.SCAN, Scan([self.prefix])
            )
        )

    def _made(self, by: By, source: Source) -> Plan:
        return Plan(by, source, self._query.without(self._held, self._query.orders))

    def _texts(self, column: str) -> list[tuple[Term, str]]:
        return [
            (term, value)
            for term in self._query.terms
            if term.column == column and isinstance(value := exact(term), str)
        ]

    def _by_key(self) -> bool:
        """Lengthens the prefix by terms on its next columns; whether anything can be there."""
        extra = self._parts - len(self._kind.key)
        for place, column in enumerate(self._kind.key):
            start = place + extra if place else 0
            if start > len(self.prefix):
                return True
            for term, value in self._texts(column):
                part = (value,) if place else self._kind.path_of((value,))
                path = (*self.prefix[:start], *part)
                shorter = min(len(path), len(self.prefix))
                if path[:shorter] != self.prefix[:shorter]:
                    return False
                self.prefix = max(path, self.prefix, key=len)
                self._held.append(term)
            if place + extra < len(self.prefix):
                self.constant.add(column)
        return True

    def _by_unique(self) -> Plan | None:
        for column in self._kind.unique_columns:
            for _, value in self._texts(column):
                if not value:
                    continue
                key = unique_key(self._shelf.product, self._kind.type, column, value)
                with self._shelf.store.read() as reader:
                    entries = list(reader.scan_index(UNIQUE, key, key + b"\x00"))
                paths = [self._kind.path_of(parse_name(name.decode()).key) for _, name in entries]
                below = [path for path in paths if path[: len(self.prefix)] == self.prefix]
                return self._made(By.UNIQUE, Points(below))
        return None

    def _by_inner_key(self) -> Plan | None:
        """A term on the second part of the path, whatever the first."""
        columns = path_columns(self._kind)
        if self.prefix or len(columns) < 2 or columns[1] is None:
            return None
        for term, value in self._texts(columns[1]):
            self._held.append(term)
            self.constant.add(columns[1])
            paths = [(first, value) for first in self._shelf.firsts()]
            return self._made(By.KEY, Points(paths) if len(columns) == 2 else Scan(paths))
        return None

    def _by_cell(self) -> Plan | None:
        """The term on an indexed column that leaves least."""
        found: list[tuple[Term, Equal, bool]] = []
        for column in indexed(self._kind, self._shelf.product):
            for term in self._query.terms:
                value = exact(term)
                if term.column != column.name or value is None:
                    continue
                cells = [encode_cell(value)]
                whole = not (column.text and is_cut(cells[0]))
                if value == "":
                    cells.insert(0, UNSET)
                below = self.prefix[depth(self._kind) :]
                source = Equal(self.scopes(column), cells, column.text, below)
                found.append((term, source, whole))
        if not found:
            return None
        if len(found) > 1:
            found.sort(key=lambda each: self._some(each[1]))
        term, source, whole = found[0]
        if whole:
            self._held.append(term)
        if whole and len(source.cells) == 1:
            self.constant.add(term.column)
        return self._made(By.COLUMN, source)

    def _some(self, source: Equal) -> int:
        """How much a source gives, counted up to SCAN_CHUNK."""
        count = 0
        for _ in source.paths(self._shelf, None, SCAN_CHUNK):
            count += 1
            if count == SCAN_CHUNK:
                break
        return count

    def _by_range(self) -> Plan | None:
        if len(self.prefix) > depth(self._kind):
            return None
        for column in indexed(self._kind, self._shelf.product):
            for term in self._query.terms:
                if term.column == column.name and term.span is not None:
                    low, high = term.span
                    self._held.append(term)
                    least, greatest = encode_cell(low), encode_cell(high)
                    if least > greatest:
                        return self._made(By.COLUMN, Points([]))
                    lanes = [
                        ColumnLane(above, head, column.text, least, greatest)
                        for above, head in self.scopes(column)
                    ]
                    return self._made(By.COLUMN, Ranged(column.name, lanes))
        return None

    def scopes(self, column: Indexed) -> list[tuple[Path, bytes]]:
        """What stands above, and the scope, of every stream of the column's entries."""
        return scopes_of(self._shelf, column, self.prefix)


def scopes_of(shelf: Shelf, column: Indexed, prefix: Path) -> list[tuple[Path, bytes]]:
    """The scopes of a column that hold what lies below a prefix, in order."""
    place = depth(shelf.kind)
    apart = place > len(prefix)
    aboves = [(first,) for first in shelf.firsts()] if apart else [prefix[:place]]
    return [(above, scope(shelf.product, shelf.type, column.name, above)) for above in aboves]


__all__ = ["By", "Narrowed", "Plan", "path_columns", "scopes_of"]
