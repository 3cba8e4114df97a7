"""Moves call records of format 1, which kept a value and two index entries each, into segments.

Invariants:
1. A step is one transaction: whenever it ends, a record stands in one place.
2. Records move in their order, so that segments do not overlap.
3. A record that cannot be read is left where it is, and told of: it holds up no other.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from ...fastpath.records import read
from ...fastpath.rows_types import ROW, Batch, Limits
from ..encoding import length
from .limits import MOVE_RECORDS
from .lmdb_environment import Environment
from .record_writing import Dbs, Growing
from .records import Arrived, of_product
from .tables import FORMER_RECORD_TABLES, META, RECORDS, RECORDS_FORMAT, decode_parts, encode_number

if TYPE_CHECKING:
    import lmdb

    Transaction = lmdb.Transaction[Any]

Changing = Callable[
    [Callable[[Callable[[str], Growing], "Transaction"], bytes | None]], bytes | None
]
ANY: Final = Limits(chars=1 << 20, events=1 << 20, octets=1 << 20, steps=1 << 20)
RECORDS_TAG: Final = b"\x12"  # of AppendRequest's records
TIME: Final = 6  # octets of an identifier, in milliseconds (RFC 9562 section 5.7)
MILLISECONDS: Final = 1_000  # in a second
DAY: Final = 86_400  # seconds

log = logging.getLogger("callscreen.core")


def move(dbs: Dbs, key: bytes, environment: Environment, changing: Changing, now: float) -> None:
    """Moves what there is; none of it came after `now`, in Unix seconds.

    Raises StoreFull, StoreFailed.
    """
    with environment.read() as txn:
        count = int(txn.stat(dbs[RECORDS])["entries"])
        tables = [each for each in FORMER_RECORD_TABLES if txn.stat(dbs[each])["entries"]]
    if not tables:
        return
    log.info("moving %d call records of the former format", count)
    # First the format: from here on an older release must not write here.
    mark = encode_number(RECORDS_FORMAT)
    environment.write(lambda txn: txn.put(b"format", mark, db=dbs[META]))
    for table in tables:
        if table is not RECORDS:
            environment.write(partial(_empty, dbs[table]))
    last = b"" if count else None
    while last is not None:
        last = changing(partial(_step, dbs, key, int(now), last))
    with environment.read() as txn:
        left = int(txn.stat(dbs[RECORDS])["entries"])
    if left:
        log.error("%d call records cannot be read and stay where they are", left)
    log.info("moved %d call records", count - left)


def _step(
    dbs: Dbs,
    key: bytes,
    now: int,
    after: bytes,
    growing: Callable[[str], Growing],
    txn: "Transaction",
) -> bytes | None:
    """Moves some records that follow a key; the last key looked at, None where there was none."""
    cursor = txn.cursor(dbs[RECORDS])
    found = cursor.set_range(after + b"\0")
    first = last = None
    moved: list[bytes] = []
    for _ in range(MOVE_RECORDS):
        if not found or not cursor.key():
            break
        product, cdr_id = decode_parts(cursor.key())
        first = first or (product, _day(cdr_id))
        if first != (product, _day(cdr_id)):
            break  # a segment's records came within days: they will go together
        last, value = cursor.item()
        message = RECORDS_TAG + length(value) + value
        if _readable(message, product, key):
            moved.append(message)
            found = cursor.delete()
        else:
            found = cursor.next()
    if first and moved:
        both = read(b"".join(moved), key, ANY)
        assert isinstance(both, Batch), "each was read by itself"
        rows, values = of_product(both, first[0])
        newest = int.from_bytes(rows[-ROW:][:TIME], "big") // MILLISECONDS
        growing(first[0]).add(Arrived(first[0], rows, values), min(newest, now))
    return last


def _day(cdr_id: str) -> int:
    """That of an identifier, from 1970; -1 for what is none."""
    try:
        return int.from_bytes(UUID(cdr_id).bytes[:TIME], "big") // (DAY * MILLISECONDS)
    except ValueError:
        return -1


def _empty(db: Any, txn: "Transaction") -> None:
    txn.drop(db, delete=False)


def _readable(message: bytes, product: str, key: bytes) -> bool:
    try:
        both = read(message, key, ANY)
    except ValueError:
        return False
    return isinstance(both, Batch) and bool(of_product(both, product)[0])


__all__ = ["move"]
