"""A batch as the writes that it is on LMDB.

Invariants:
1. What cannot be written raises here, before anything is written.
2. Every object is counted by product and type, and by the first part of its path as well.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from .contract import COLUMNS, UNIQUE, Batch, Delete, IndexDelete, IndexPut, PrivateDelete
from .tables import (
    COLUMN_VALUES,
    OBJECTS,
    PRIVATE,
    UNIQUE_VALUES,
    Table,
    checked,
    encode_key,
    encode_parts,
)

INDEXES: Final[Mapping[str, Table]] = {UNIQUE: UNIQUE_VALUES, COLUMNS: COLUMN_VALUES}

Entries: TypeAlias = Mapping[Table, Mapping[bytes, bytes | None]]  # no value removes


class Write(NamedTuple):
    """One encoded write; no value removes. `counts` are the keys of what it is counted in."""

    table: Table
    key: bytes
    value: bytes | None
    counts: tuple[bytes, ...] = ()


def counts_of(parts: Sequence[str]) -> tuple[bytes, ...]:
    """Keys of the counts that an object of these parts (product, type, path) is in."""
    return tuple({encode_parts(parts[:2]), encode_parts(parts[:3])})


def index_table(name: str) -> Table:
    """Where an index is kept. Raises ValueError for an unknown one."""
    if name not in INDEXES:
        raise ValueError(f"no index table {name!r}")
    return INDEXES[name]


def encode_index(marks: Sequence[IndexPut | IndexDelete]) -> Entries:
    """The last state of each index entry. Raises KeyTooLong, and ValueError for an unknown index.

    Entries of an index are alike and many: they are written together, in the order of their keys.
    """
    tables: dict[Table, dict[bytes, bytes | None]] = {}
    for mark in marks:
        table = tables.setdefault(index_table(mark.table), {})
        table[checked(mark.key)] = mark.value if isinstance(mark, IndexPut) else None
    return tables


def encode_batch(batch: Batch) -> list[Write]:
    """A batch as writes, but for its index entries. Raises KeyTooLong."""
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
    return writes


__all__ = ["Entries", "Write", "counts_of", "encode_batch", "encode_index", "index_table"]
