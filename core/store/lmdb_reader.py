"""Reads objects, indexes and private entries within one LMDB transaction."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from .contract import Key
from .lmdb_batch import index_table
from .lmdb_environment import Environment, place_below
from .tables import (
    META,
    OBJECT_COUNTS,
    OBJECTS,
    PRIVATE,
    UNIQUE_VALUES,
    Table,
    after_prefix,
    checked,
    decode_number,
    decode_parts,
    encode_key,
    encode_parts,
)

if TYPE_CHECKING:
    import lmdb

    Transaction = lmdb.Transaction[bytes]


class LmdbReader:
    """A contract Reader over one transaction, read or write."""

    def __init__(
        self, txn: "Transaction", environment: Environment, revision: int | None = None
    ) -> None:
        """Without a revision it is read from the transaction when it is asked for."""
        self._txn = txn
        self._dbs = environment.dbs
        self._revision = revision

    def close(self) -> None:
        """Lets go of the transaction: its slot is free only when nobody refers to it."""
        del self._txn

    @property
    def revision(self) -> int:
        if self._revision is None:
            self._revision = decode_number(self._txn.get(b"revision", b"", db=self._dbs[META]))
        return self._revision

    def get(self, key: Key) -> bytes | None:
        return self._txn.get(encode_key(key), db=self._dbs[OBJECTS])

    def present(self, keys: Sequence[bytes]) -> list[bytes]:
        return self._found(OBJECTS, keys)

    def claimed(self, keys: Sequence[bytes]) -> list[bytes]:
        return self._found(UNIQUE_VALUES, keys)

    def _found(self, table: Table, keys: Sequence[bytes]) -> list[bytes]:
        cursor = self._txn.cursor(self._dbs[table])
        # Of many keys in a row mostly none is there: one look tells.
        if not keys or not cursor.set_range(min(keys)) or cursor.key() > max(keys):
            return []
        return [key for key, _ in cursor.getmulti(keys)]

    def scan(
        self,
        product: str,
        type: str,
        prefix: tuple[str, ...] = (),
        start_after: tuple[str, ...] | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> Iterator[tuple[Key, bytes]]:
        low = encode_parts((product, type, *prefix))
        high = after_prefix(low)
        edge = None if start_after is None else encode_parts((product, type, *start_after))
        cursor = self._txn.cursor(self._dbs[OBJECTS])
        if reverse:
            found = place_below(cursor, high if edge is None else min(edge, high))
            entries = cursor.iterprev()
        else:
            found = cursor.set_range(low if edge is None else max(edge, low))
            if found and cursor.key() == edge:
                found = cursor.next()
            entries = cursor.iternext()
        if not found:
            return
        skip = len(encode_parts((product, type)))  # the same in every key of the scan
        for key, value in islice(entries, limit):
            if not low <= key < high:
                return
            yield Key(product, type, decode_parts(key[skip:])), value

    def page(
        self,
        product: str,
        type: str,
        prefix: tuple[str, ...],
        start_after: tuple[str, ...] | None,
        limit: int,
    ) -> tuple[list[bytes], tuple[str, ...] | None]:
        low = encode_parts((product, type, *prefix))
        high = after_prefix(low)
        edge = None if start_after is None else encode_parts((product, type, *start_after))
        cursor = self._txn.cursor(self._dbs[OBJECTS])
        found = cursor.set_range(low if edge is None else max(edge, low))
        if found and cursor.key() == edge:
            found = cursor.next()
        entries = list(islice(cursor.iternext(), limit)) if found else []
        while entries and entries[-1][0] >= high:
            entries.pop()
        if not entries:
            return [], None
        skip = len(encode_parts((product, type)))
        return [value for _, value in entries], decode_parts(entries[-1][0][skip:])

    def count(self, product: str, type: str, prefix: tuple[str, ...] = ()) -> int:
        low = encode_parts((product, type, *prefix))
        if len(prefix) < 2:
            return decode_number(self._txn.get(low, b"", db=self._dbs[OBJECT_COUNTS]))
        high = after_prefix(low)
        cursor = self._txn.cursor(self._dbs[OBJECTS])
        if not cursor.set_range(low):
            return 0
        total = 0
        for key in cursor.iternext(values=False):
            if key >= high:
                break
            total += 1
        return total

    def private(self, key: bytes) -> bytes | None:
        return self._txn.get(checked(key), db=self._dbs[PRIVATE])

    def scan_private(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        cursor = self._txn.cursor(self._dbs[PRIVATE])
        if cursor.set_range(prefix) if prefix else cursor.first():
            for key, value in cursor:
                if not key.startswith(prefix):
                    return
                yield key, value

    def firsts(
        self, product: str, type: str, start_after: str | None = None, limit: int | None = None
    ) -> Iterator[tuple[str, int]]:
        low = encode_parts((product, type))
        edge = low if start_after is None else encode_parts((product, type, start_after))
        cursor = self._txn.cursor(self._dbs[OBJECT_COUNTS])
        found = cursor.set_range(edge)
        if found and cursor.key() == edge:  # the count of all, or of what comes before
            found = cursor.next()
        if not found:
            return
        for key, value in islice(cursor.iternext(), limit):
            if not key.startswith(low):
                return
            yield decode_parts(key[len(low) :])[0], decode_number(value)

    def unique(self, key: bytes) -> bytes | None:
        return self._txn.get(checked(key), db=self._dbs[UNIQUE_VALUES])

    def scan_index(
        self,
        table: str,
        low: bytes,
        high: bytes,
        limit: int | None = None,
        reverse: bool = False,
    ) -> Iterator[tuple[bytes, bytes]]:
        cursor = self._txn.cursor(self._dbs[index_table(table)])
        if reverse:
            found, entries = place_below(cursor, high), cursor.iterprev()
        else:
            found, entries = cursor.set_range(low), cursor.iternext()
        if not found:
            return
        for key, value in islice(entries, limit):
            if not low <= key < high:
                return
            yield key, value


__all__ = ["LmdbReader"]
