"""Call records on LMDB, in an environment of their own: they never wait behind provisioning.

Invariants, besides those of the contract:
1. A record, its index entries and its counts are one transaction.
2. What cannot be written raises before the first write of its append.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .contract import StoreFailed, StoreFull
from .limits import MAP_BYTES, MAP_LIMIT_BYTES, RECORDS_PAGE
from .lmdb_environment import Environment, another, place_below
from .records import Record, scope_of, scopes_of
from .tables import (
    BY_PROVIDER,
    BY_SUBSCRIBER,
    COUNTS,
    RECORD_TABLES,
    RECORDS,
    after_prefix,
    checked,
    decode_number,
    decode_parts,
    encode_number,
    encode_parts,
)

if TYPE_CHECKING:
    import lmdb

    Transaction = lmdb.Transaction[bytes]

TABLE_OF = (RECORDS, BY_PROVIDER, BY_SUBSCRIBER)  # by the parts of a scope, less one
Encoded = tuple[Record, tuple[bytes, bytes, bytes]]


def encode_record(record: Record) -> Encoded:
    """A record with its key in each table. Raises KeyTooLong."""
    product, provider, subscriber = (
        checked(encode_parts((*scope, record.cdr_id))) for scope in scopes_of(record)
    )
    return record, (product, provider, subscriber)


class LmdbRecords:
    """A contract RecordStore in a folder. See Environment for how it opens and fails."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        map_bytes: int = MAP_BYTES,
        map_limit_bytes: int = MAP_LIMIT_BYTES,
    ) -> None:
        """Opens the folder or makes it. Raises StoreInUse, FormatTooNew, StoreFull, StoreFailed."""
        self._environment = Environment(path, RECORD_TABLES, map_bytes, map_limit_bytes)
        self._dbs = self._environment.dbs

    def append(self, records: Sequence[Record]) -> int:
        result = self.append_group([records])[0]
        if isinstance(result, Exception):
            raise result
        return result

    def append_group(self, group: Sequence[Sequence[Record]]) -> list[int | Exception]:
        encoded: list[list[Encoded] | Exception] = []
        for records in group:
            try:
                encoded.append([encode_record(record) for record in records])
            except Exception as error:
                encoded.append(error)
        try:
            return self._environment.write(lambda txn: self._write(txn, encoded))
        except (StoreFull, StoreFailed) as error:
            return [another(error) for _ in group]

    def _write(
        self, txn: "Transaction", group: Sequence[list[Encoded] | Exception]
    ) -> list[int | Exception]:
        counts: Counter[tuple[str, ...]] = Counter()
        results: list[int | Exception] = []
        for records in group:
            if isinstance(records, Exception):
                results.append(records)
            else:
                results.append(sum(self._add(txn, *record, counts) for record in records))
        for scope, added in counts.items():
            key = encode_parts(scope)
            total = decode_number(txn.get(key, b"", db=self._dbs[COUNTS])) + added
            txn.put(key, encode_number(total), db=self._dbs[COUNTS])
        return results

    def _add(
        self,
        txn: "Transaction",
        record: Record,
        keys: tuple[bytes, bytes, bytes],
        counts: Counter[tuple[str, ...]],
    ) -> int:
        if not txn.put(keys[0], record.value, overwrite=False, db=self._dbs[RECORDS]):
            return 0
        txn.put(keys[1], b"", db=self._dbs[BY_PROVIDER])
        txn.put(keys[2], b"", db=self._dbs[BY_SUBSCRIBER])
        counts.update(scopes_of(record))
        return 1

    def get(self, product: str, cdr_id: str) -> bytes | None:
        key = checked(encode_parts((product, cdr_id)))
        with self._environment.read() as txn:
            return txn.get(key, db=self._dbs[RECORDS])

    def scan(
        self,
        product: str,
        service_provider_name: str | None = None,
        subscriber_name: str | None = None,
        start_after: str | None = None,
        skip: int = 0,
        limit: int = RECORDS_PAGE,
        newest_first: bool = True,
    ) -> list[tuple[str, bytes]]:
        scope = scope_of(product, service_provider_name, subscriber_name)
        page: list[tuple[str, bytes]] = []
        with self._environment.read() as txn:
            if skip >= self._count(txn, scope):
                return page
            for key in self._keys(txn, scope, start_after, newest_first):
                if skip > 0:
                    skip -= 1
                    continue
                if len(page) >= limit:
                    break
                cdr_id = decode_parts(key)[-1]
                value = txn.get(encode_parts((product, cdr_id)), db=self._dbs[RECORDS])
                if value is not None:
                    page.append((cdr_id, value))
        return page

    def _keys(
        self, txn: "Transaction", scope: tuple[str, ...], start_after: str | None, backwards: bool
    ) -> Iterator[bytes]:
        low = encode_parts(scope)
        high = after_prefix(low)
        edge = None if start_after is None else encode_parts((*scope, start_after))
        cursor = txn.cursor(self._dbs[TABLE_OF[len(scope) - 1]])
        if backwards:
            found = place_below(cursor, edge or high)
            keys = cursor.iterprev(values=False)
        else:
            found = cursor.set_range(edge or low)
            if found and cursor.key() == edge:
                found = cursor.next()
            keys = cursor.iternext(values=False)
        if found:
            for key in keys:
                if not low <= key < high:
                    return
                yield key

    def count(
        self,
        product: str,
        service_provider_name: str | None = None,
        subscriber_name: str | None = None,
    ) -> int:
        scope = scope_of(product, service_provider_name, subscriber_name)
        with self._environment.read() as txn:
            return self._count(txn, scope)

    def _count(self, txn: "Transaction", scope: tuple[str, ...]) -> int:
        return decode_number(txn.get(encode_parts(scope), b"", db=self._dbs[COUNTS]))

    def oldest_reader_age(self) -> float:
        return self._environment.oldest_reader_age()

    def close(self) -> None:
        self._environment.close()


__all__ = ["LmdbRecords"]
