"""The CSV form of the types that have one: columns, and cells to fields and back.

1. Reading what was written gives the same fields, save that an unset text and an empty one are the
   same empty cell, that a `|` in an address is a line break, and that a secret is never written.
2. A cell gives a field's value or Invalid; what values may hold is for `normalise` and `validate`.
3. The first row tells how many cells every other row has.

The entries of a list are separated by `;`, booleans are true or false, a group is JSON.
"""

from collections.abc import Callable, Sequence
from functools import cache
from json import dumps, loads
from typing import Any, Final, NoReturn

from google.protobuf.message import Message

from .errors import Invalid, field_error
from .fields import Field, Kind
from .objects import TYPES, ObjectType
from .writing import writer

SEPARATOR: Final = ";"  # of the entries of a list
LINE_BREAK: Final = "|"  # in an address, which has lines
LINED: Final = frozenset({"address"})
BOOLEANS: Final = {"true": True, "false": False}

Cells = Sequence[str]
Read = Callable[[Cells], dict[str, Any]]  # a row -> the fields that it sets
Write = Callable[[Message], list[str]]


def has_csv(kind: ObjectType) -> bool:
    """Whether a type has a CSV form."""
    return bool(kind.shape.rules.csv)


@cache
def csv_columns(kind: ObjectType, product: str) -> tuple[str, ...]:
    """The columns of a type in that product, in the documented order; none where it has no form."""
    own = {field.name for field in kind.shape.of(product)}
    return tuple(name for name in kind.shape.rules.csv if name in own)


def is_header(kind: ObjectType, cells: Cells) -> bool:
    """Whether a file's first row names columns: it names one of the key."""
    return any(cell.strip() in kind.key for cell in cells)


def header_columns(
    kind: ObjectType, product: str, cells: Cells, given: Sequence[str] = ()
) -> tuple[str, ...]:
    """The columns that a header row names; `given` are key parts that the file need not name.

    Raises Invalid for a name that is unknown or there twice, and where a key field is missing.
    """
    names = tuple(cell.strip() for cell in cells)
    known = csv_columns(kind, product)
    for place, name in enumerate(names):
        if name not in known:
            _refuse(kind, name, "unknown", "is unknown")
        if name in names[:place]:
            _refuse(kind, name, "unknown", "is named twice by the header row")
    for name in kind.key[len(given) :]:
        if name not in names:
            _refuse(kind, name, "required", "is required, but missing from the header row")
    return names


def detect_type(cells: Cells, product: str) -> str | None:
    """The one type whose columns a header row names; None where there is none, or several."""
    names = {cell.strip() for cell in cells}
    found = [
        name
        for name, kind in TYPES.items()
        if has_csv(kind) and set(kind.key) <= names <= set(csv_columns(kind, product))
    ]
    return found[0] if len(found) == 1 else None


def cells_reader(kind: ObjectType, product: str, names: Sequence[str]) -> Read:
    """What makes the fields of a message from the cells of a row. An empty cell sets nothing."""
    fields = {field.name: field for field in kind.fields}
    readers = tuple((name, _reader(kind, product, fields[name])) for name in names)
    width = len(readers)

    def read(cells: Cells) -> dict[str, Any]:
        if len(cells) != width:
            what = f"The line has {len(cells)} cells, and there are {width} columns."
            raise Invalid([field_error(kind.class_name, "", "format", "")._replace(message=what)])
        return {
            name: text if read_cell is None else read_cell(text)
            for (name, read_cell), text in zip(readers, cells, strict=True)
            if text
        }

    return read


def cells_writer(kind: ObjectType, product: str) -> Write:
    """What makes the row of a message, a cell a column; secrets are left empty."""
    fields = {field.name: field for field in kind.fields}
    writers = tuple(_writer(product, fields[name]) for name in csv_columns(kind, product))
    return lambda message: [write(message) for write in writers]


def _reader(kind: ObjectType, product: str, field: Field) -> Callable[[str], Any] | None:
    """What reads a cell that is not empty; None for text as it stands."""
    name = field.name
    if field.repeated:
        return _entries
    if field.kind is Kind.BOOLEAN:

        def read_boolean(text: str) -> bool:
            truth = BOOLEANS.get(text.strip().lower())
            if truth is None:
                _refuse(kind, name, "type", "must be true or false")
            return truth

        return read_boolean
    if field.kind is Kind.MESSAGE:

        def read_group(text: str) -> Any:
            try:
                value = loads(text)
            except (ValueError, RecursionError):
                _refuse(kind, name, "type", "must be JSON")
            message, _ = kind.from_json({field.json_name: value}, product)
            return getattr(message, name)

        return read_group
    return (lambda text: text.replace(LINE_BREAK, "\n")) if name in LINED else None


def _entries(text: str) -> list[str]:
    entries = text.split(SEPARATOR)
    if " " not in text and "" not in entries:
        return entries
    return [entry.strip() for entry in entries if entry.strip()]


def _writer(product: str, field: Field) -> Callable[[Any], str]:
    name = field.name
    if field.rules.secret:
        return lambda message: ""
    if field.repeated:
        return lambda message: SEPARATOR.join(getattr(message, name))
    if field.kind is Kind.BOOLEAN:
        return lambda message: _boolean(message, name)
    if field.kind is Kind.MESSAGE and field.shape:
        write = writer(field.shape, product)

        def write_group(message: Any) -> str:
            if not message.HasField(name):
                return ""
            return dumps(write(getattr(message, name)), separators=(",", ":"))

        return write_group
    if name in LINED:
        return lambda message: str(getattr(message, name)).replace("\n", LINE_BREAK)
    return lambda message: str(getattr(message, name))


def _boolean(message: Any, name: str) -> str:
    if not message.HasField(name):
        return ""
    return "true" if getattr(message, name) else "false"


def _refuse(kind: ObjectType, field: str, code: str, what: str) -> NoReturn:
    raise Invalid([field_error(kind.class_name, field, code, what)])
