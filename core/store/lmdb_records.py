"""Call records on LMDB, in an environment of their own: they never wait behind provisioning.

Records are kept as they come, an append a block. Their rows wait in an open segment, which is
held in memory too; a full one is sealed: sorted rows and postings, written once, never changed.
So an append costs two writes however many records it has, and what is old goes a segment at a time.

Invariants, besides those of the contract:
1. A block, its rows and the sealing of their segment are one transaction.
2. A reader's open rows and segments are those of its transaction: a View is there before its
   commit, and until after the next one.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ...fastpath.rows_types import BLOCK, ID_BYTES, LENGTH, OFFSET, START, Condition
from .contract import StoreFailed, StoreFull, Usage
from .limits import DROP_VALUES, MAP_BYTES, MAP_LIMIT_BYTES, RECORDS_PAGE
from .lmdb_environment import Environment, another
from .record_moving import move
from .record_order import by_time_in_order, in_order
from .record_runs import Run, SealedRun
from .record_writing import NOTHING, Growing, View, head_key, read_view, segment_prefix
from .records import PRODUCT_OCTET, Arrived, Found
from .tables import BLOCKS, META, POSTINGS, RECORD_TABLES, RECORDS_FORMAT, ROWS

if TYPE_CHECKING:
    import lmdb

    Transaction = lmdb.Transaction[Any]

KEY: Final = b"key"  # in META: of the digests
KEY_BYTES: Final = 16
Result = TypeVar("Result")
Grow = Callable[[str], Growing]  # what grows a product


class LmdbRecords:
    """A contract RecordStore in a folder. See Environment for how it opens and fails."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        map_bytes: int = MAP_BYTES,
        map_limit_bytes: int = MAP_LIMIT_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Opens the folder or makes it; moves what the former format holds.

        Raises StoreInUse, FormatTooNew, StoreFull, StoreFailed.
        """
        self._environment = Environment(
            path, RECORD_TABLES, map_bytes, map_limit_bytes, RECORDS_FORMAT
        )
        self._dbs = self._environment.dbs
        self._clock = clock
        self._lock = threading.Lock()  # of the views
        self._turn = threading.Lock()  # of writers, whose views follow one another
        try:
            self.key = self._environment.write(self._keyed)
            with self._environment.read() as txn:
                views = [(each, read_view(txn, self._dbs, each)) for each in PRODUCT_OCTET]
            self._views = {(product, view.head.encode()): view for product, view in views}
            self._now = dict(views)
            move(self._dbs, self.key, self._environment, self._changing, clock())
        except BaseException:
            self._environment.close()
            raise

    def _keyed(self, txn: "Transaction") -> bytes:
        found = txn.get(KEY, db=self._dbs[META])
        if found is None:
            found = secrets.token_bytes(KEY_BYTES)
            txn.put(KEY, found, db=self._dbs[META])
        return found

    @property
    def fatal(self) -> bool:
        return self._environment.fatal

    def copy(self, file: int) -> int:
        """See Copied; records have no revision: 0."""
        return self._environment.copy(file, lambda txn: 0)

    def append(self, records: Sequence[Arrived]) -> int:
        result = self.append_group([records])[0]
        if isinstance(result, Exception):
            raise result
        return result

    def append_group(self, group: Sequence[Sequence[Arrived]]) -> list[int | Exception]:
        now = int(self._clock())

        def work(growing: Grow, txn: "Transaction") -> list[int | Exception]:
            return [sum(growing(each.product).add(each, now) for each in one) for one in group]

        try:
            return self._changing(work)
        except (StoreFull, StoreFailed) as error:
            return [another(error) for _ in group]

    def _changing(self, work: "Callable[[Grow, Transaction], Result]") -> Result:
        """Runs work in a write transaction; the views of what it grew are in force with it."""
        made: dict[str, View] = {}

        def write(txn: "Transaction") -> Result:
            open_: dict[str, Growing] = {}

            def growing(product: str) -> Growing:
                if product not in open_:
                    view = self._now[product]
                    open_[product] = Growing(txn, self._dbs, product, view)
                return open_[product]

            result = work(growing, txn)
            made.clear()
            for product, each in open_.items():
                view = made[product] = each.finish()
                self._views[product, view.head.encode()] = view
            return result

        with self._turn:
            try:
                result = self._environment.write(write)
                self._now.update(made)
                return result
            finally:
                with self._lock:
                    self._views = {
                        (product, view.head.encode()): view for product, view in self._now.items()
                    }

    @contextmanager
    def _reading(self, product: str) -> Iterator[tuple["Transaction", View]]:
        with self._lock:  # no view is forgotten between the two
            txn, ticket = self._environment.begin(buffers=True)
            try:
                head = txn.get(head_key(product), db=self._dbs[META])
                view = self._views[product, bytes(head)] if head else NOTHING
            except BaseException:
                self._environment.end(txn, ticket)
                raise
        try:
            yield txn, view
        finally:
            self._environment.end(txn, ticket)

    def get(self, product: str, id: bytes) -> bytes | None:
        with self._reading(product) as (txn, view):
            for run in self._runs(txn, product, view):
                if run.first <= id <= run.last and (row := run.find(id)):
                    return next(self._values(txn, iter([row]))).value
        return None

    def _runs(self, txn: "Transaction", product: str, view: View) -> list[Run]:
        octet = PRODUCT_OCTET[product]
        runs = [Run(rows) for rows in view.runs]
        return runs + [SealedRun(txn, self._dbs, octet, each) for each in view.segments]

    def _values(self, txn: "Transaction", rows: Iterator[bytes]) -> Iterator[Found]:
        key, block = b"", b""
        for row in rows:
            if row[BLOCK:OFFSET] != key:
                key = row[BLOCK:OFFSET]
                block = txn.get(key, b"", db=self._dbs[BLOCKS])
            at = int.from_bytes(row[OFFSET:LENGTH], "big")
            size = int.from_bytes(row[LENGTH:START], "big")
            yield Found(row[:ID_BYTES], bytes(block[at : at + size]))

    def page(
        self,
        product: str,
        conditions: Sequence[Condition] = (),
        start_after: bytes | None = None,
        skip: int = 0,
        limit: int = RECORDS_PAGE,
        newest_first: bool = True,
    ) -> list[Found]:
        with self._reading(product) as (txn, view):
            runs = self._runs(txn, product, view)
            rows = in_order(runs, conditions, start_after, max(skip, 0), newest_first)
            return list(self._values(txn, islice(rows, max(limit, 0))))

    def page_by_time(
        self,
        product: str,
        conditions: Sequence[Condition],
        column: int,
        descending: bool,
        skip: int = 0,
        limit: int = RECORDS_PAGE,
    ) -> list[Found]:
        with self._reading(product) as (txn, view):
            runs = self._runs(txn, product, view)
            rows = by_time_in_order(runs, conditions, column, descending)
            first = max(skip, 0)
            return list(self._values(txn, islice(rows, first, first + max(limit, 0))))

    def count(self, product: str, conditions: Sequence[Condition] = ()) -> int:
        with self._reading(product) as (txn, view):
            return sum(run.tally(conditions) for run in self._runs(txn, product, view))

    def expire(self, product: str, before: float) -> bool:
        return self._changing(lambda growing, txn: self._expire(growing, txn, product, before))

    def _expire(
        self,
        growing: Grow,
        txn: "Transaction",
        product: str,
        before: float,
    ) -> bool:
        view = self._now[product]
        if self._removed(txn, product, view):
            return True
        if view.segments and view.segments[0].came < int(before):
            growing(product).drop(view.segments[0])
            return True
        if view.runs and view.head.came < int(before):
            growing(product).seal()
            return True
        return False

    def _removed(self, txn: "Transaction", product: str, view: View) -> bool:
        """Removes some values of segments that have been dropped; whether there were any."""
        oldest = view.segments[0].number if view.segments else view.head.segment
        end, left = segment_prefix(product, oldest), DROP_VALUES
        for table in (BLOCKS, ROWS, POSTINGS):
            cursor = txn.cursor(self._dbs[table])
            found = cursor.set_range(bytes([PRODUCT_OCTET[product]]))
            while left and found and b"" < cursor.key() < end:
                found = cursor.delete()
                left -= 1
        return left < DROP_VALUES

    def oldest_reader_age(self) -> float:
        return self._environment.oldest_reader_age()

    def usage(self) -> Usage:
        return self._environment.usage()

    def close(self) -> None:
        self._environment.close()


__all__ = ["LmdbRecords"]
