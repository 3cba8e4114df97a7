"""What is asked of one cell: the values of `search`, and the functions of `sort_function`.

1. `read_search` gives a test for every value that fits the kind of column, else None. Where it
   has a span, the cells that pass are those from its first to its last value, both included; a
   span of the empty text has what is unset as well.
2. A pair is exclusive at both ends. A time that is written less precisely than a cell means all of
   its span: a date alone the whole day.
3. A function gives values that are comparable with one another whatever the cell.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from re import compile as _compile
from typing import Any, NamedTuple

from .columns import Cell, ColumnKind
from .times import MILLISECOND, SECOND

Test = Callable[[Cell], bool]
Span = tuple[str, str] | tuple[int, int]


class Condition(NamedTuple):
    """What is asked of one cell; `span` where an index by the column's order can answer it."""

    test: Test
    span: Span | None = None


_NUMBER = _compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_TIME = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(?:[Zz]|[+ -][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_ONE_TIME = _compile(f"({_TIME})")
_TWO_TIMES = _compile(f"({_TIME}):({_TIME})")
_PARTS = _compile(
    r"(?P<date>.{10})(?:.(?P<minute>.{5})(?::(?P<second>.{2})(?:\.(?P<fraction>[0-9]+))?)?"
    r"(?P<zone>[Zz]|[+ -].+)?)?"
)
_DIGITS = _compile(r"([0-9]+)")
_BOOLEANS = {"true": True, "false": False}


def read_search(kind: ColumnKind, text: str) -> Condition | None:
    """The test that `column:text` asks of a cell of that kind; None where the text does not fit."""
    if kind is ColumnKind.TIME:
        return _time_test(text)
    if kind is ColumnKind.BOOLEAN:
        truth = _BOOLEANS.get(text.lower())
        if truth is None:
            return None
        return Condition(lambda cell: cell is truth, (truth, truth))
    low, colon, high = (part.strip() for part in text.partition(":"))
    if colon and _NUMBER.fullmatch(low) and _NUMBER.fullmatch(high):
        test = _between(Decimal(low), Decimal(high))
        if kind is ColumnKind.STRING:
            return Condition(test)  # numbers in a text do not order as the text does
        return Condition(test, (_whole(low, ROUND_FLOOR) + 1, _whole(high, ROUND_CEILING) - 1))
    if kind is ColumnKind.STRING:
        return Condition(lambda cell: (cell or "") == text, (text, text))
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    return Condition(
        lambda cell: cell is not None and number == cell,
        (_whole(text, ROUND_CEILING), _whole(text, ROUND_FLOOR)),
    )


def _whole(text: str, rounding: str) -> int:
    return int(Decimal(text).to_integral_value(rounding))


def _between(low: Decimal, high: Decimal) -> Test:
    def test(cell: Cell) -> bool:
        number = _number(cell)
        return number is not None and low < number < high

    return test


def _number(cell: Cell) -> Decimal | None:
    if isinstance(cell, str):
        return Decimal(cell) if _NUMBER.fullmatch(cell) else None
    return None if cell is None else Decimal(cell)


def _time_test(text: str) -> Condition | None:
    one = _ONE_TIME.fullmatch(text)
    match = one or _TWO_TIMES.fullmatch(text)
    if match is None:
        return None
    spans = [span for part in match.groups() if (span := _span(part))]
    if len(spans) != len(match.groups()):
        return None
    first, width = spans[0]
    span = (first, first + width - 1) if one else (first + 1, spans[1][0] - 1)
    return Condition(lambda cell: isinstance(cell, int) and span[0] <= cell <= span[1], span)


def _span(text: str) -> tuple[int, int] | None:
    """Start and width, in nanoseconds, of the time a text names: UTC unless it says otherwise."""
    parts = _PARTS.fullmatch(text)
    if parts is None:
        return None
    zone = (parts["zone"] or "Z").replace(" ", "+").upper()
    written = f"{parts['date']}T{parts['minute'] or '00:00'}:{parts['second'] or '00'}{zone}"
    try:
        moment = datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    nanos = int((parts["fraction"] or "0").ljust(9, "0"))
    start = int((moment - _EPOCH).total_seconds()) * SECOND + nanos
    if not parts["minute"]:
        return start, 86_400 * SECOND
    if not parts["second"]:
        return start, 60 * SECOND
    if not parts["fraction"]:
        return start, SECOND
    return start, max(SECOND // 10 ** len(parts["fraction"]), MILLISECOND)  # as cells are shown


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _natural(cell: Cell) -> tuple[tuple[int, Any], ...]:
    """Runs of digits by their value, before text."""
    pieces = _DIGITS.split(str(cell).casefold())
    return tuple((0, int(piece)) if piece.isdecimal() else (1, piece) for piece in pieces if piece)


def _numeric(cell: Cell) -> tuple[bool, Any]:
    """Numbers by value, after what is none."""
    number = _number(cell)
    return (False, str(cell)) if number is None else (True, number)


FUNCTIONS: Mapping[str, Callable[[Cell], Any]] = {
    "": lambda cell: cell,
    "lower": lambda cell: str(cell).lower(),
    "length": lambda cell: len(str(cell)),
    "numeric": _numeric,
    "natural": _natural,
}
