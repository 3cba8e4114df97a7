"""Call records in memory: the plain twin that says what their contract means."""

import threading
from collections.abc import Sequence

from .contract import StoreClosed
from .limits import RECORDS_PAGE
from .records import Record, scope_of, scopes_of
from .tables import checked, encode_parts


class MemoryRecords:
    """A contract RecordStore that forgets everything when it is closed."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], Record] = {}
        self._lock = threading.Lock()
        self._closed = False

    def append(self, records: Sequence[Record]) -> int:
        for record in records:
            for scope in scopes_of(record):
                checked(encode_parts((*scope, record.cdr_id)))
        with self._lock:
            self._check_open()
            before = len(self._records)
            for record in records:
                self._records.setdefault(record[:2], record)
            return len(self._records) - before

    def append_group(self, group: Sequence[Sequence[Record]]) -> list[int | Exception]:
        results: list[int | Exception] = []
        for records in group:
            try:
                results.append(self.append(records))
            except StoreClosed:
                raise
            except Exception as error:
                results.append(error)
        return results

    def get(self, product: str, cdr_id: str) -> bytes | None:
        checked(encode_parts((product, cdr_id)))
        with self._lock:
            self._check_open()
            record = self._records.get((product, cdr_id))
        return None if record is None else record.value

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
        found = self._within(scope_of(product, service_provider_name, subscriber_name))
        if start_after is not None and newest_first:
            found = [record for record in found if record.cdr_id < start_after]
        elif start_after is not None:
            found = [record for record in found if record.cdr_id > start_after]
        found.sort(key=lambda record: record.cdr_id, reverse=newest_first)
        skip = max(skip, 0)
        return [(record.cdr_id, record.value) for record in found[skip : skip + max(limit, 0)]]

    def _within(self, scope: tuple[str, ...]) -> list[Record]:
        with self._lock:
            self._check_open()
            return [record for record in self._records.values() if scope in scopes_of(record)]

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed

    def count(
        self,
        product: str,
        service_provider_name: str | None = None,
        subscriber_name: str | None = None,
    ) -> int:
        return len(self._within(scope_of(product, service_provider_name, subscriber_name)))

    def oldest_reader_age(self) -> float:
        return 0.0

    def close(self) -> None:
        with self._lock:
            self._closed = True


__all__ = ["MemoryRecords"]
