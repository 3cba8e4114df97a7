"""Columns of tables: what a table query may name, and what stands there.

1. A cell is text, an integer, a boolean, or a time in nanoseconds since 1970 UTC; None where unset.
2. Secrets, lists and groups are no columns.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from google.protobuf.message import Message

from ..v1.object_pb2 import Stamps
from ..v1.rules_pb2 import Format
from .fields import Kind, Shape
from .times import nanoseconds

Cell = str | int | bool | None
Row = Callable[[str], Cell]  # the cell of a column, by its name


class ColumnKind(StrEnum):
    """What the cells of a column are."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "time"


class Column(NamedTuple):
    """A column that can be sorted and searched by; in one of numbers they are held as E.164."""

    name: str
    kind: ColumnKind
    numbers: bool = False
    stamp: bool = False  # not the object's own: `like` does not look at it


STAMPS = (
    Column("created", ColumnKind.TIME, stamp=True),
    Column("created_by", ColumnKind.STRING, stamp=True),
    Column("modified", ColumnKind.TIME, stamp=True),
    Column("modified_by", ColumnKind.STRING, stamp=True),
)


def columns(shape: Shape, product: str) -> tuple[Column, ...]:
    """The columns of a type's table in that product, the stamps last."""
    own = (
        Column(field.name, ColumnKind(field.kind.value), field.rules.format == Format.NUMBER)
        for field in shape.of(product)
        if field.kind in (Kind.STRING, Kind.INTEGER, Kind.BOOLEAN)
        and not (field.repeated or field.rules.secret)
    )
    return (*own, *STAMPS)


def object_row(body: Message, stamps: Stamps) -> Row:
    """The cells of one object."""

    def cell(column: str) -> Cell:
        if column in _STAMP_NAMES:
            return _stamp(stamps, column)
        value: Cell = getattr(body, column) if body.HasField(column) else None
        return value

    return cell


_STAMP_NAMES = frozenset(column.name for column in STAMPS)


def _stamp(stamps: Stamps, column: str) -> Cell:
    if column == "created":
        return nanoseconds(stamps.created) if stamps.HasField("created") else None
    if column == "modified":
        return nanoseconds(stamps.modified) if stamps.HasField("modified") else None
    return getattr(stamps, column) or None
