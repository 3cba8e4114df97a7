"""Call records in memory: the plain twin that says what their contract means."""

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...fastpath.rows_reference import by_time, select
from ...fastpath.rows_types import BLOCK, ID_BYTES, LENGTH, OFFSET, ROW, START, Condition
from .contract import StoreClosed, Usage
from .limits import RECORDS_PAGE
from .records import Arrived, Found

KEY_BYTES = 16  # of SipHash


class Held(NamedTuple):
    """A record, and when it came, in Unix seconds."""

    row: bytes
    value: bytes
    came: float


class MemoryRecords:
    """A contract RecordStore that forgets everything when it is closed."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.key = secrets.token_bytes(KEY_BYTES)
        self.fatal = False
        self._clock = clock
        self._records: dict[tuple[str, bytes], Held] = {}
        self._lock = threading.Lock()
        self._closed = False

    def append(self, records: Sequence[Arrived]) -> int:
        now = self._clock()
        with self._lock:
            self._check_open()
            before = len(self._records)
            for product, rows, values in records:
                for start in range(0, len(rows), ROW):
                    row = rows[start : start + ROW]
                    at = int.from_bytes(row[OFFSET:LENGTH], "big")
                    size = int.from_bytes(row[LENGTH:START], "big")
                    held = Held(row, values[at : at + size], now)
                    self._records.setdefault((product, row[:BLOCK]), held)
            return len(self._records) - before

    def append_group(self, group: Sequence[Sequence[Arrived]]) -> list[int | Exception]:
        return [self.append(records) for records in group]

    def get(self, product: str, id: bytes) -> bytes | None:
        with self._lock:
            self._check_open()
            held = self._records.get((product, id))
        return None if held is None else held.value

    def page(
        self,
        product: str,
        conditions: Sequence[Condition] = (),
        start_after: bytes | None = None,
        skip: int = 0,
        limit: int = RECORDS_PAGE,
        newest_first: bool = True,
    ) -> list[Found]:
        found = self._meeting(product, conditions)
        if start_after is not None and newest_first:
            found = [each for each in found if each.id < start_after]
        elif start_after is not None:
            found = [each for each in found if each.id > start_after]
        found.sort(reverse=newest_first)
        skip = max(skip, 0)
        return found[skip : skip + max(limit, 0)]

    def page_by_time(
        self,
        product: str,
        conditions: Sequence[Condition],
        column: int,
        descending: bool,
        skip: int = 0,
        limit: int = RECORDS_PAGE,
    ) -> list[Found]:
        rows = by_time(b"".join(self._rows(product, conditions)), column, descending)
        rows = rows[max(skip, 0) * ROW :][: max(limit, 0) * ROW]
        ids = [rows[start : start + ID_BYTES] for start in range(0, len(rows), ROW)]
        with self._lock:
            return [Found(id, self._records[product, id].value) for id in ids]

    def _meeting(self, product: str, conditions: Sequence[Condition]) -> list[Found]:
        ids = [row[:ID_BYTES] for row in self._rows(product, conditions)]
        with self._lock:
            return [Found(id, self._records[product, id].value) for id in ids]

    def _rows(self, product: str, conditions: Sequence[Condition]) -> list[bytes]:
        with self._lock:
            self._check_open()
            return [
                held.row
                for (each, _), held in self._records.items()
                if each == product and select(held.row, conditions)
            ]

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed

    def count(self, product: str, conditions: Sequence[Condition] = ()) -> int:
        return len(self._meeting(product, conditions))

    def expire(self, product: str, before: float) -> bool:
        with self._lock:
            self._check_open()
            for key, held in list(self._records.items()):
                if key[0] == product and held.came < before:
                    del self._records[key]
        return False

    def usage(self) -> Usage:
        with self._lock:
            self._check_open()
            octets = sum(len(held.value) for held in self._records.values())
        return Usage(octets, 0, 0, self.fatal)

    def oldest_reader_age(self) -> float:
        return 0.0

    def close(self) -> None:
        with self._lock:
            self._closed = True


__all__ = ["MemoryRecords"]
