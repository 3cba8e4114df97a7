"""Rows of CSV of what is stored, most of them without a message being made.

Invariants:
1. A row is what csv.writer makes of the cells of schema.csv.
"""

import csv
import io
from collections.abc import Callable, Iterable
from typing import Final

from ...fastpath.csv_rows import BOOLEAN, GROUP, LINES, LIST, SECRET, TEXT, RowWriter
from ...schema import ObjectType
from ...schema.csv import LINED, cells_writer, csv_columns
from ...schema.fields import Field, Kind
from ...v1.object_pb2 import Object

__all__ = ["header", "plain_writer", "rows_writer"]

FIRST: Final = min(field.number for field in Object.DESCRIPTOR.oneofs_by_name["kind"].fields)

Rows = Callable[[Iterable[bytes]], bytes]


def header(kind: ObjectType, product: str) -> bytes:
    """The row that names the columns."""
    return encoded([csv_columns(kind, product)])


def plain_writer(kind: ObjectType, product: str) -> Rows:
    """What makes rows of encoded Objects, by way of their messages. It raises DecodeError."""
    cells, type_ = cells_writer(kind, product), kind.type
    return lambda values: encoded(
        cells(getattr(Object.FromString(value), type_)) for value in values
    )


def rows_writer(kind: ObjectType, product: str) -> Rows:
    """As plain_writer, but quickly. What it gives is for one thread."""
    plain = plain_writer(kind, product)
    fields = {field.name: field for field in kind.fields}
    columns = [fields[name] for name in csv_columns(kind, product)]
    sorts = [(field.number, _sort(field)) for field in columns]
    body = Object.DESCRIPTOR.fields_by_name[kind.type].number
    return RowWriter(body, FIRST, sorts, lambda value: plain([value])).write


def encoded(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _sort(field: Field) -> int:
    if field.rules.secret:
        return SECRET
    if field.repeated:
        return LIST
    if field.kind is Kind.STRING:
        return LINES if field.name in LINED else TEXT
    return BOOLEAN if field.kind is Kind.BOOLEAN else GROUP
