"""Table queries of the REST reference, compiled.

1. A query names only columns of its table and holds only values that fit them, else Invalid.
2. All conditions hold at once; `search` takes the place of `icontains` on the same column, and
   `sort_function` that of `sort`.
3. Sorting is stable, what is unset comes first when ascending, and nothing here reads a row it is
   not given.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, NoReturn, Protocol, TypeVar

from .cells import FUNCTIONS, Span, Test, read_search
from .columns import Cell, Column, ColumnKind, Row
from .errors import FieldError, Invalid
from .formats import number

MAX_QUERY = 4096  # characters of each parameter
MAX_TERMS = 32  # comma-separated terms of each parameter

_DIRECTIONS = {"asc": False, "desc": True, "des": True}

T = TypeVar("T")


class TableQuery(Protocol):
    """The parameters as they come; an empty one asks nothing."""

    sort: str
    search: str
    like: str
    sort_function: str
    icontains: str


class Term(NamedTuple):
    """One condition on a column; `span` where it asks for a run of its values (see cells)."""

    column: str
    test: Test
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One column to sort by, perhaps by a function of its cells."""

    column: str
    descending: bool
    function: Callable[[Cell], Any] = FUNCTIONS[""]

    @property
    def plain(self) -> bool:
        """Whether it is by the cells themselves."""
        return self.function is FUNCTIONS[""]

    def key(self, row: Row) -> tuple[bool, Any]:
        """Comparable with the key of any other row."""
        cell = row(self.column)
        return (False, 0) if cell is None else (True, self.function(cell))


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query: which rows it keeps, and in what order."""

    terms: tuple[Term, ...]
    like: str
    texts: tuple[str, ...]  # the columns that `like` looks at
    orders: tuple[Order, ...]

    @property
    def keeps_all(self) -> bool:
        """Whether every row matches."""
        return not (self.terms or self.like)

    @property
    def sorts(self) -> bool:
        """Whether the query asks for an order of its own."""
        return bool(self.orders)

    def matches(self, row: Row) -> bool:
        """Whether the query keeps this row."""
        return all(term.test(row(term.column)) for term in self.terms) and (
            not self.like or any(self.like in str(row(name) or "") for name in self.texts)
        )

    def without(self, terms: Collection[Term], orders: Sequence[Order]) -> "Query":
        """The same, where what these terms ask is known to hold, in this order instead."""
        left = tuple(term for term in self.terms if term not in terms)
        return replace(self, terms=left, orders=tuple(orders))

    def order(self, items: Iterable[T], row_of: Callable[[T], Row]) -> list[T]:
        """The items in the order asked for; those that are equal stay as they come."""
        ordered = list(items)
        for order in reversed(self.orders):
            ordered.sort(key=lambda item: order.key(row_of(item)), reverse=order.descending)
        return ordered

    def sort_key(self, row: Row) -> "tuple[Any, ...]":
        """A key by which sorting, merging or taking the least gives the order asked for."""
        return tuple(
            _Reversed(order.key(row)) if order.descending else order.key(row)
            for order in self.orders
        )


class _Reversed:
    """Compares the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: "_Reversed") -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and bool(other.value == self.value)

    __hash__ = None  # type: ignore[assignment]


def compile_query(query: TableQuery, columns: Sequence[Column], default_cc: str = "") -> Query:
    """The query over a table with these columns. Raises Invalid.

    A telephone number searched for is taken as one provisioned would be; without a default country
    code it is taken as it stands.
    """
    known = {column.name: column for column in columns}
    terms = [_search(term, known, default_cc) for term in _terms("search", query.search)]
    searched = {term.column for term in terms}
    contained = [_icontains(term, known) for term in _terms("icontains", query.icontains)]
    terms += [term for term in contained if term.column not in searched]
    if len(query.like) > MAX_QUERY:
        _refuse("like", f"must have at most {MAX_QUERY} characters")
    orders = [_sort_function(term, known) for term in _terms("sort_function", query.sort_function)]
    plain = [_sort(term, known) for term in _terms("sort", query.sort)]
    texts = tuple(
        column.name for column in columns if column.kind is ColumnKind.STRING and not column.stamp
    )
    return Query(tuple(terms), query.like, texts, tuple(orders or plain))


def _refuse(parameter: str, what: str) -> NoReturn:
    raise Invalid([FieldError(parameter, "format", f"Parameter '{parameter}' {what}.")])


def _terms(parameter: str, text: str) -> list[str]:
    if len(text) > MAX_QUERY:
        _refuse(parameter, f"must have at most {MAX_QUERY} characters")
    terms = [term.strip() for term in text.split(",") if term.strip()]
    if len(terms) > MAX_TERMS:
        _refuse(parameter, f"must have at most {MAX_TERMS} terms")
    return terms


def _column(parameter: str, name: str, known: dict[str, Column]) -> Column:
    column = known.get(name.strip())
    if column is None:
        _refuse(parameter, "names a column that does not exist")
    return column


def _search(term: str, known: dict[str, Column], default_cc: str) -> Term:
    name, colon, value = term.partition(":")
    column = _column("search", name, known)
    if not colon:
        _refuse("search", "must be column:value or column:low:high")
    if column.numbers and default_cc:
        value = _as_held(value, default_cc)
    condition = read_search(column.kind, value.strip())
    if condition is None:
        _refuse("search", f"holds a value that is no {column.kind} or pair of them")
    return Term(column.name, condition.test, condition.span)


def _as_held(text: str, default_cc: str) -> str:
    """A number as it is held, where the text is one. A `+` in a URL may have become a space."""
    try:
        return number(f"+{text[1:]}" if text.startswith(" ") else text, default_cc)
    except ValueError:
        return text


def _icontains(term: str, known: dict[str, Column]) -> Term:
    name, colon, value = term.partition(":")
    column = _column("icontains", name, known)
    if not colon or column.kind is not ColumnKind.STRING:
        _refuse("icontains", "must be column:text, the column being one of text")
    text = value.strip().casefold()
    return Term(column.name, lambda cell: text in str(cell or "").casefold())


def _sort(term: str, known: dict[str, Column]) -> Order:
    name, *rest = term.replace(":", " ").split() or [""]
    column = _column("sort", name, known)
    return Order(column.name, _descending("sort", rest))


def _sort_function(term: str, known: dict[str, Column]) -> Order:
    name, *rest = term.replace(":", " ").split() or [""]
    column = _column("sort_function", name, known)
    function = FUNCTIONS.get(rest[0].lower()) if rest else None
    if function is None:
        _refuse("sort_function", "must be column:function: lower, length, numeric or natural")
    return Order(column.name, _descending("sort_function", rest[1:]), function)


def _descending(parameter: str, words: Sequence[str]) -> bool:
    if not words:
        return False
    if len(words) > 1 or words[0].lower() not in _DIRECTIONS:
        _refuse(parameter, "must have asc or desc as its direction")
    return _DIRECTIONS[words[0].lower()]
