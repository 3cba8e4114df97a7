"""Call records: every row leads to its record, and every posting to its row.

Invariants:
1. Memory is bounded by a segment's rows: what is sealed is checked segment by segment.
2. Rows whose segment was dropped are no finding: they are removed by and by.
"""

from collections.abc import Iterator
from itertools import pairwise

from google.protobuf.message import DecodeError

from ...fastpath.rows import postings
from ...fastpath.rows_types import BLOCK, ID_BYTES, LENGTH, OFFSET, ROW
from ...v1.screening_pb2 import CallRecord
from ..store.offline import Tables
from ..store.record_runs import POSTED, Segment, decode_segment
from ..store.record_writing import HEAD, Head, block_key, head_key, segment_prefix
from ..store.records import PRODUCT_OCTET
from ..store.tables import (
    BLOCKS,
    FRESH,
    META,
    POSTINGS,
    RECORDS_FORMAT,
    ROWS,
    SEGMENTS,
    decode_number,
)
from .findings import Finding


def check_records(tables: Tables) -> Iterator[Finding]:
    found = decode_number(tables.get(META, b"format") or b"")
    if found != RECORDS_FORMAT:
        yield Finding("records", f"they have format {found}, not {RECORDS_FORMAT}: start the core")
        return
    for product, octet in PRODUCT_OCTET.items():
        for key, value in tables.items(SEGMENTS, bytes([octet])):
            yield from _sealed(tables, product, decode_segment(key, value))
        head = tables.get(META, head_key(product))
        if head is not None:
            number = Head(*HEAD.unpack(head)).segment
            for _, rows in tables.items(FRESH, segment_prefix(product, number)):
                yield from _rows(tables, product, rows)


def _sealed(tables: Tables, product: str, segment: Segment) -> Iterator[Finding]:
    where = f"segment {segment.number} of {product}"
    prefix = segment_prefix(product, segment.number)
    rows = b"".join(value for _, value in tables.items(ROWS, prefix))
    if len(rows) != segment.rows * ROW:
        yield Finding("records", f"{where} has {len(rows) // ROW} of its {segment.rows} rows")
        return
    yield from _rows(tables, product, rows)
    ids = [rows[start : start + ID_BYTES] for start in range(0, len(rows), ROW)]
    if any(before >= after for before, after in pairwise(ids)):
        yield Finding("records", f"the rows of {where} are not in order")
    for column in POSTED:
        held = b"".join(value for _, value in tables.items(POSTINGS, prefix + bytes([column])))
        if held != postings(rows, column):
            yield Finding("records", f"the postings of {where} are not those of its rows")


def _rows(tables: Tables, product: str, rows: bytes) -> Iterator[Finding]:
    """The record of each row; a block is looked up once as long as rows stay in it."""
    number, block = -1, b""
    for start in range(0, len(rows), ROW):
        row = rows[start : start + ROW]
        at = int.from_bytes(row[BLOCK:OFFSET], "big")
        if at != number:
            number, block = at, tables.get(BLOCKS, block_key(at)) or b""
        offset = int.from_bytes(row[OFFSET:LENGTH], "big")
        length = int.from_bytes(row[LENGTH : LENGTH + 4], "big")
        name = row[:ID_BYTES].hex()
        if offset + length > len(block):
            yield Finding("records", f"the record {name} of {product} is missing")
            continue
        try:
            record = CallRecord.FromString(block[offset : offset + length])
        except DecodeError:
            yield Finding("records", f"the record {name} of {product} cannot be decoded")
            continue
        if record.cdr_id.replace("-", "") != name:
            yield Finding("records", f"the record {name} of {product} is that of {record.cdr_id}")


__all__ = ["check_records"]
