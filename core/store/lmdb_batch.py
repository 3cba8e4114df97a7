"""A batch as the writes that it is on LMDB.

Invariants:
1. What cannot be written raises here, before anything is written.
2. Every object is counted by product and type, and by the first part of its path as well.
"""

from collections.abc import Sequence
from typing import NamedTuple

from .contract import UNIQUE, Batch, Delete, IndexDelete, PrivateDelete
from .tables import (
    OBJECTS,
    PRIVATE,
    UNIQUE_VALUES,
    Table,
    checked,
    encode_key,
    encode_parts,
)

INDEXES = {UNIQUE: UNIQUE_VALUES}


class Write(NamedTuple):
    """One encoded write; no value removes. `counts` are the keys of what it is counted in."""

    table: Table
    key: bytes
    value: bytes | None
    counts: tuple[bytes, ...] = ()


def counts_of(parts: Sequence[str]) -> tuple[bytes, ...]:
    """Keys of the counts that an object of these parts (product, type, path) is in."""
    return tuple({encode_parts(parts[:2]), encode_parts(parts[:3])})


def encode_batch(batch: Batch) -> list[Write]:
    """A batch as writes. Raises KeyTooLong, and ValueError for an unknown index table."""
    writes = [
        Write(
            OBJECTS,
            encode_key(w.key),
            None if isinstance(w, Delete) else w.value,
            counts_of((w.key.product, w.key.type, *w.key.path)),
        )
        for w in batch.writes
    ]
    for entry in batch.private:
        value = None if isinstance(entry, PrivateDelete) else entry.value
        writes.append(Write(PRIVATE, checked(entry.key), value))
    for mark in batch.index:
        if mark.table not in INDEXES:
            raise ValueError(f"no index table {mark.table!r}")
        value = None if isinstance(mark, IndexDelete) else mark.value
        writes.append(Write(INDEXES[mark.table], checked(mark.key), value))
    return writes


__all__ = ["Write", "counts_of", "encode_batch"]
