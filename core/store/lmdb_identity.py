"""What an LMDB store is before its first use: its name, its counts, whether its indexes hold.

Invariants:
1. Objects are counted as they come and go; a folder of before there were counts is counted once.
2. Entries of columns that a release which keeps none has passed by are dropped: all of them.
"""

import secrets
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from .lmdb_batch import counts_of
from .tables import (
    COLUMN_VALUES,
    META,
    OBJECT_COUNTS,
    OBJECTS,
    Table,
    decode_number,
    decode_parts,
    encode_number,
)

if TYPE_CHECKING:
    import lmdb

    Transaction = lmdb.Transaction[bytes]
    Databases: TypeAlias = Mapping[Table, lmdb._Database]


def identify(txn: "Transaction", dbs: "Databases") -> tuple[str, int]:
    """Id and epoch, made where there are none."""
    meta = dbs[META]
    identity = txn.get(b"id", db=meta)
    if identity is None:
        identity = secrets.token_hex(16).encode()
        txn.put(b"id", identity, db=meta)
        txn.put(b"epoch", encode_number(1), db=meta)
    _count_all(txn, dbs)
    if txn.get(b"indexed", db=meta) != txn.get(b"revision", db=meta):
        txn.drop(dbs[COLUMN_VALUES], delete=False)
        txn.put(b"indexed", txn.get(b"revision", b"", db=meta), db=meta)
    return identity.decode(), decode_number(txn.get(b"epoch", b"", db=meta))


def _count_all(txn: "Transaction", dbs: "Databases") -> None:
    if txn.cursor(dbs[OBJECT_COUNTS]).first():
        return
    cursor = txn.cursor(dbs[OBJECTS])
    changes: Counter[bytes] = Counter()
    for key in cursor.iternext(values=False):
        changes.update(counts_of(decode_parts(key)))
    recount(txn, dbs, changes)


def recount(txn: "Transaction", dbs: "Databases", changes: Mapping[bytes, int]) -> None:
    """Adds to the counts; one that is 0 goes."""
    counts = dbs[OBJECT_COUNTS]
    for key, change in changes.items():
        number = decode_number(txn.get(key, b"", db=counts)) + change
        if number:
            txn.put(key, encode_number(number), db=counts)
        else:
            txn.delete(key, db=counts)


__all__ = ["identify", "recount"]
