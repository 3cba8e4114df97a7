"""Rows of an export: those made of the stored octets are those made of the messages."""

from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from callscreen.core.bulk.rows import header, plain_writer, rows_writer
from callscreen.fastpath.csv_rows import TEXT, RowWriter
from callscreen.schema import TYPES
from callscreen.schema.csv import csv_columns, has_csv
from callscreen.schema.fields import Kind
from callscreen.v1.object_pb2 import Object

KINDS = [(kind, product) for kind in TYPES.values() if has_csv(kind) for product in kind.products]
TEXTS = st.one_of(
    st.text(max_size=8),
    st.text(alphabet='",;|\r\n a\u00e9\U0001f600', max_size=8),
    st.from_regex(r"\+1[0-9]{10}", fullmatch=True),
)
UNKNOWN = st.sampled_from([b"", b"\xf8\x07\x01", b"\xfa\x07\x02ab", b"\xfd\x07abcd"])  # field 127


@st.composite
def stored(draw: st.DrawFn, kind: Any) -> bytes:
    body = kind.message()
    for field in kind.fields:
        if draw(st.booleans()):
            continue
        if field.repeated:
            getattr(body, field.name).extend(draw(st.lists(TEXTS, max_size=4)))
        elif field.kind is Kind.STRING:
            setattr(body, field.name, draw(TEXTS))
        elif field.kind is Kind.BOOLEAN:
            setattr(body, field.name, draw(st.booleans()))
        elif draw(st.integers(0, 9)) == 0:
            getattr(body, field.name).SetInParent()
    # What is read may have its fields in any order, and twice.
    octets = body.SerializeToString() + draw(UNKNOWN)
    if draw(st.integers(0, 9)) == 0:
        octets += kind.message(**{kind.key[0]: draw(TEXTS)}).SerializeToString()
    obj = Object(name="pcs/x", revision=7)
    getattr(obj, kind.type).MergeFromString(octets)
    number = Object.DESCRIPTOR.fields_by_name[kind.type].number
    head = Object(name="pcs/x", revision=7).SerializeToString()
    whole = head + varint(number << 3 | 2) + varint(len(octets)) + octets
    return whole if draw(st.booleans()) else obj.SerializeToString()


def varint(number: int) -> bytes:
    made = b""
    while number > 0x7F:
        made += bytes([number & 0x7F | 0x80])
        number >>= 7
    return made + bytes([number])


@pytest.mark.parametrize(("kind", "product"), KINDS)
@given(st.data())
def test_rows_are_those_of_the_messages(kind: Any, product: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(stored(kind), max_size=3))
    assert rows_writer(kind, product)(values) == plain_writer(kind, product)(values)


@pytest.mark.parametrize(("kind", "product"), KINDS)
@given(st.data())
def test_octets_that_are_cut_or_changed(kind: Any, product: str, data: st.DataObject) -> None:
    value = bytearray(data.draw(stored(kind)))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(value) - 1))
        value[place] = data.draw(st.integers(0, 255))
    some = [bytes(value[: data.draw(st.integers(0, len(value)))])]
    try:
        wanted = plain_writer(kind, product)(some)
    except DecodeError:
        with suppress(DecodeError):  # what is no part of a row is not looked at
            assert rows_writer(kind, product)(some).endswith(b"\r\n")
    else:
        assert rows_writer(kind, product)(some) == wanted


def test_most_rows_are_made_without_a_message() -> None:
    def never(value: bytes) -> bytes:
        raise AssertionError(value)

    kind = TYPES["number"]
    fields = {field.name: field.number for field in kind.fields}
    write = RowWriter(16, 10, [(fields["number"], TEXT), (fields["nickname"], TEXT)], never).write
    obj = Object(name="pcs/number/acme/alice/x")
    obj.number.number, obj.number.nickname = "+12125550100", 'the "office"'
    assert write([obj.SerializeToString()] * 2) == b'+12125550100,"the ""office"""\r\n' * 2


def test_a_row_of_one_empty_cell_is_no_empty_line() -> None:
    write = RowWriter(16, 10, [(4, TEXT)], lambda value: b"").write
    obj = Object()
    obj.number.number = "+12125550100"
    assert write([obj.SerializeToString()]) == b'""\r\n'


@pytest.mark.parametrize("columns", [[], [(0, TEXT)], [(64, TEXT)], [(1, 6)], [(1, TEXT)] * 33])
def test_what_is_no_column(columns: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="column"):
        RowWriter(16, 10, columns, lambda value: b"")


def test_the_header_names_the_columns() -> None:
    for kind, product in KINDS:
        assert header(kind, product).decode() == ",".join(csv_columns(kind, product)) + "\r\n"
