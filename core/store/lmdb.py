"""The store on LMDB.

Invariants, besides those of the contract:
1. Objects, indexes, private entries, log record and revision of a group are one transaction.
2. A function's batch is encoded whole before its first write: what cannot be written raises
   before anything is.
3. Objects are counted as they come and go, by product and type and by the first part of the path.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .contract import (
    Batch,
    Compacted,
    Conflict,
    IndexDelete,
    IndexPut,
    Key,
    Last,
    Member,
    PrivatePut,
    Reader,
    Snapshot,
    StoreFailed,
    StoreFull,
    Usage,
)
from .limits import (
    CHUNK_BYTES,
    CHUNK_ENTRIES,
    COMPACT_RECORDS,
    LOG_RECORDS,
    MAP_BYTES,
    MAP_LIMIT_BYTES,
    PRUNE_RECORDS,
    TAIL_BYTES,
    TAIL_RECORDS,
)
from .lmdb_batch import Entries, Write, encode_batch, encode_index
from .lmdb_environment import Environment, another
from .lmdb_fresh import remove_gone, write_fresh
from .lmdb_identity import identify, recount
from .lmdb_reader import LmdbReader
from .tables import (
    LOG,
    META,
    OBJECT_TABLES,
    OBJECTS,
    PRIVATE,
    decode_number,
    encode_key,
    encode_number,
)

if TYPE_CHECKING:
    import lmdb

    Transaction = lmdb.Transaction[bytes]


class LmdbStore:
    """A contract Store in a folder. See Environment for how it opens and fails."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        map_bytes: int = MAP_BYTES,
        map_limit_bytes: int = MAP_LIMIT_BYTES,
        log_records: int = LOG_RECORDS,
    ) -> None:
        """Opens the folder or makes it. Raises StoreInUse, FormatTooNew, StoreFull, StoreFailed."""
        self._environment = Environment(path, OBJECT_TABLES, map_bytes, map_limit_bytes)
        self._dbs = self._environment.dbs
        self._log_records = log_records
        self.id, self.epoch = self._environment.write(lambda txn: identify(txn, self._dbs))

    def _read_revision(self, txn: "Transaction") -> int:
        return decode_number(txn.get(b"revision", b"", db=self._dbs[META]))

    @property
    def revision(self) -> int:
        # from the data, not from memory: never behind what a reader may have seen already
        with self._environment.read() as txn:
            return self._read_revision(txn)

    @property
    def fatal(self) -> bool:
        return self._environment.fatal

    def transact(self, group: Sequence[Member], last: Last | None = None) -> list[int | Exception]:
        try:
            return self._environment.write(lambda txn: self._run(txn, group, last))
        except (StoreFull, StoreFailed) as error:
            return [another(error) for _ in group]

    def _run(
        self, txn: "Transaction", group: Sequence[Member], last: Last | None
    ) -> list[int | Exception]:
        first = revision = self._read_revision(txn)
        results: list[int | Exception] = []
        for member in group:
            try:
                batch = member(LmdbReader(txn, self._environment, revision))
                if batch is None:
                    results.append(revision)
                    continue
                writes, entries = encode_batch(batch), encode_index(batch.index)
                record = batch.change(revision + 1)
            except Exception as error:
                results.append(error)
                continue
            revision += 1
            if batch.fresh is not None:
                recount(txn, self._dbs, write_fresh(txn, self._dbs, batch.fresh))
            if batch.gone is not None:
                recount(txn, self._dbs, remove_gone(txn, self._dbs, batch.gone))
            self._apply(txn, writes)
            self._index(txn, entries)
            txn.put(encode_number(revision), record, append=True, db=self._dbs[LOG])
            results.append(revision)
        if revision > first:
            for word in (b"revision", b"indexed"):
                txn.put(word, encode_number(revision), db=self._dbs[META])
            budget = PRUNE_RECORDS + 2 * (revision - first)
            self._prune(txn, revision - self._log_records, budget)
            for entry in last(results) if last else ():
                if isinstance(entry, PrivatePut):
                    txn.put(entry.key, entry.value, db=self._dbs[PRIVATE])
                else:
                    txn.delete(entry.key, db=self._dbs[PRIVATE])
        return results

    def _apply(self, txn: "Transaction", writes: Sequence[Write]) -> None:
        changes: Counter[bytes] = Counter()
        for table, key, value, counts in writes:
            db = self._dbs[table]
            if value is None:
                if txn.delete(key, db=db):
                    changes.subtract(counts)
            elif txn.put(key, value, overwrite=False, db=db):
                changes.update(counts)
            else:
                txn.put(key, value, db=db)
        if changes:
            recount(txn, self._dbs, changes)

    def _index(self, txn: "Transaction", entries: Entries) -> None:
        for table, states in entries.items():
            puts = sorted((key, value) for key, value in states.items() if value is not None)
            if puts:
                txn.cursor(self._dbs[table]).putmulti(puts)
            for key, value in states.items():
                if value is None:
                    txn.delete(key, db=self._dbs[table])

    def _prune(self, txn: "Transaction", upto: int, budget: int) -> int:
        """Drops the oldest log records up to a revision; how many."""
        cursor = txn.cursor(self._dbs[LOG])
        dropped = 0
        found = cursor.first()
        while found and dropped < budget and decode_number(cursor.key()) <= upto:
            cursor.delete()
            dropped += 1
            found = cursor.first()
        return dropped

    def commit(self, batch: Batch, expected_revision: int | None = None) -> int:
        def member(reader: Reader) -> Batch:
            if expected_revision is not None and reader.revision != expected_revision:
                raise Conflict
            return batch

        result = self.transact([member])[0]
        if isinstance(result, Exception):
            raise result
        return result

    def reindex(self, changes: Sequence[IndexPut | IndexDelete]) -> None:
        entries = encode_index(changes)
        self._environment.write(lambda txn: self._index(txn, entries))

    @contextmanager
    def read(self) -> Iterator[Reader]:
        with self._environment.read() as txn:
            reader = LmdbReader(txn, self._environment)
            try:
                yield reader
            finally:
                reader.close()

    def get(self, key: Key) -> bytes | None:
        txn, ticket = self._environment.begin()  # what `read` does, at half its cost
        try:
            return txn.get(encode_key(key), db=self._dbs[OBJECTS])
        finally:
            self._environment.end(txn, ticket)

    def scan(
        self,
        product: str,
        type: str,
        prefix: tuple[str, ...] = (),
        start_after: tuple[str, ...] | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> list[tuple[Key, bytes]]:
        with self.read() as reader:
            return list(reader.scan(product, type, prefix, start_after, limit, reverse))

    def tail(self, after: int, limit: int = TAIL_RECORDS) -> list[tuple[int, bytes]]:
        records: list[tuple[int, bytes]] = []
        size = 0
        with self._environment.read() as txn:
            if not self._oldest(txn) - 1 <= after <= self._read_revision(txn):
                raise Compacted
            cursor = txn.cursor(self._dbs[LOG])
            if limit < 1 or not cursor.set_range(encode_number(after + 1)):
                return records
            for key, value in cursor:
                records.append((decode_number(key), value))
                size += len(value)
                if len(records) == limit or size >= TAIL_BYTES:
                    break
        return records

    def snapshot(self, products: Collection[str], types: Collection[str]) -> Snapshot:
        ranges = [(product, type) for product in sorted(products) for type in sorted(types)]
        return Snapshot(self.revision, self._chunks(ranges))

    def _chunks(self, ranges: Sequence[tuple[str, str]]) -> Iterator[list[tuple[Key, bytes]]]:
        for product, type_name in ranges:
            last: tuple[str, ...] | None = None
            while chunk := self._chunk(product, type_name, last):
                yield chunk
                last = chunk[-1][0].path

    def _chunk(
        self, product: str, type_name: str, last: tuple[str, ...] | None
    ) -> list[tuple[Key, bytes]]:
        chunk: list[tuple[Key, bytes]] = []
        size = 0
        with self.read() as reader:
            for key, value in reader.scan(
                product, type_name, start_after=last, limit=CHUNK_ENTRIES
            ):
                chunk.append((key, value))
                size += len(value)
                if size >= CHUNK_BYTES:
                    break
        return chunk

    def oldest(self) -> int:
        with self._environment.read() as txn:
            return self._oldest(txn)

    def _oldest(self, txn: "Transaction") -> int:
        cursor = txn.cursor(self._dbs[LOG])
        return decode_number(cursor.key()) if cursor.first() else self._read_revision(txn) + 1

    def compact(self, keep: int) -> None:
        upto = self.revision - max(keep, 0)
        while self._environment.write(lambda txn: self._prune(txn, upto, COMPACT_RECORDS)):
            pass

    def copy(self, file: int) -> int:
        """See Copied."""
        return self._environment.copy(file, self._read_revision)

    def oldest_reader_age(self) -> float:
        return self._environment.oldest_reader_age()

    def usage(self) -> Usage:
        return self._environment.usage()

    def close(self) -> None:
        self._environment.close()


__all__ = ["LmdbStore"]
