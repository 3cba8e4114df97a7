"""Groups writes that wait together, so that one fsync makes them all durable.

Invariants:
1. A submitter is answered only after its write is durable, or refused.
2. What was committed is published in the order of revisions, before its submitters are answered.
3. One submitter's error is its own: the others of its group go on.
4. A cancelled submitter harms nobody: its write is left out where the group had not begun, else it
   is made whole.
5. The queue has a limit; beyond it a submitter is refused at once.
6. Every change that became durable has its rows in the audit log, and no other has any.
7. Once the functions of a group have taken GROUP_SECONDS the rest wait for the next one, in their
   order: a dear write delays nobody's answer by more than itself.
8. A write that is said to be dear begins a group: what waited before it is answered first.

Batches form by themselves: whatever was queued while the former group was made durable.
"""

import asyncio
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Generic, TypeVar

from ..ops.metrics import SIZES, Histogram
from .audit.files import AuditFiles
from .errors import TooMuch, Unavailable
from .store.contract import Batch, Member, PrivateDelete, PrivatePut, Reader, Store

QUEUE_LIMIT: Final = 10_000  # submitters that wait
GROUP_LIMIT: Final = 1_000  # submitters in one transaction
REST_SECONDS: Final = 0.05  # after a group, at most
GROUP_SECONDS: Final = 0.1  # what their functions may take before the transaction ends

Item = TypeVar("Item")
Result = TypeVar("Result")
Published = list[tuple[int, bytes]]
Rows = dict[int, Mapping[str, bytes]]  # of the audit log, by revision and product

log = logging.getLogger("callscreen.core")


class Grouper(Generic[Item, Result]):
    """A thread that gives what waits to `work`, a group at a time, and its results back.

    `work` answers the items of the group, in order, with a result or the exception to raise: the
    first one at least; those it leaves out are the first of the next group.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[Item]], Sequence[Result | Exception]],
        queue_limit: int = QUEUE_LIMIT,
        group_limit: int = GROUP_LIMIT,
        rest: float = 0.0,
    ) -> None:
        """`rest` is how long it waits after a group, as a share of what the group took."""
        self._work = work
        self._rest = rest
        self._queue_limit = queue_limit
        self._group_limit = group_limit
        self._queue: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self.sizes = Histogram(SIZES)  # submitters of a group
        self.seconds = Histogram()  # that a group took
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def submit(self, item: Item) -> Result:
        """The item's result, once its group is done. Raises TooMuch, Unavailable, its own error."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        with self._wake:
            if self._closed:
                raise Unavailable
            if len(self._queue) >= self._queue_limit:
                raise TooMuch
            self._queue.append((item, future))
            self._wake.notify()
        return await future

    def __len__(self) -> int:
        """How many wait."""
        return len(self._queue)

    @property
    def working(self) -> bool:
        """Whether what is submitted is done some time."""
        return self._thread.is_alive() and not self._closed

    async def close(self) -> None:
        """Takes nothing more, does what waits, and ends the thread."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    return
                size = min(len(self._queue), self._group_limit)
                group = [self._queue.popleft() for _ in range(size)]
            group = [(item, future) for item, future in group if not future.cancelled()]
            if group:
                began = time.monotonic()
                left = group[self._answer(group) :]
                with self._wake:
                    self._queue.extendleft(reversed(left))
                    pause = min(self._rest * (time.monotonic() - began), REST_SECONDS)
                    self._wake.wait_for(lambda: self._closed, pause)

    def _answer(self, group: Sequence[tuple[Item, "asyncio.Future[Result]"]]) -> int:
        """Does a group; how many of its first were answered."""
        results: Sequence[Result | Exception]
        began = time.monotonic()
        try:
            results = self._work([item for item, _ in group])
        except Exception as error:
            log.exception("a group of %d writes failed", len(group))
            results = [_copy(error) for _ in group]
        self.sizes.observe(len(results))
        self.seconds.observe(time.monotonic() - began)
        loops: dict[
            asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Result], Result | Exception]]
        ] = {}
        for (_, future), result in zip(group, results, strict=False):
            loops.setdefault(future.get_loop(), []).append((future, result))
        for loop, answers in loops.items():
            try:
                loop.call_soon_threadsafe(_deliver, answers)
            except RuntimeError:
                log.warning("%d submitters were gone before their answer", len(answers))
        return len(results)


def _deliver(answers: Sequence[tuple["asyncio.Future[Result]", Result | Exception]]) -> None:
    for future, result in answers:
        if future.done():
            continue
        if isinstance(result, StopIteration):  # which no future can hold
            future.set_exception(RuntimeError("a write raised StopIteration"))
        elif isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)


def _copy(error: Exception) -> Exception:
    """One exception a submitter: a raised one grows a traceback of its own."""
    copy = Unavailable()
    copy.__cause__ = error
    return copy


class _Dear:
    """A function that takes long, or whose batch does."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def __call__(self, reader: Reader) -> Batch | None:
        return self._member(reader)


class _Later(Exception):
    """The group's time is over: not run, and not refused."""


class Committer:
    """Passes every write of the core to the store, grouped, and publishes what was committed."""

    def __init__(
        self,
        store: Store,
        on_commit: Callable[[Published], None],
        queue_limit: int = QUEUE_LIMIT,
        group_limit: int = GROUP_LIMIT,
        group_seconds: float = GROUP_SECONDS,
        audit: AuditFiles | None = None,
    ) -> None:
        """`on_commit` is called in the committer's thread with (revision, record) in order."""
        self._store = store
        self._audit = audit
        self._group_seconds = group_seconds
        self._on_commit = on_commit
        self.ahead = asyncio.Lock()  # held while a large write is made ready: one at a time
        self.groups = Grouper("callscreen-committer", self._commit, queue_limit, group_limit)

    def audit_rows(self) -> Counter[str]:
        """Rows written to the audit log since the start, by product."""
        return Counter() if self._audit is None else self._audit.rows.copy()

    async def submit(self, member: Member, dear: bool = False) -> int:
        """Runs the function in the next transaction; the revision, once it is durable.

        `dear`: in one that begins with it: it, or its batch, takes long.
        Raises what the function raised, TooMuch where the queue is full, Unavailable once closed,
        StoreFull, StoreFailed.
        """
        return await self.groups.submit(_Dear(member) if dear else member)

    async def close(self) -> None:
        """Takes nothing more, commits what waits, and ends the thread."""
        await self.groups.close()

    def _commit(self, members: Sequence[Member]) -> list[int | Exception]:
        dear = (n for n, member in enumerate(members) if n and isinstance(member, _Dear))
        members = members[: next(dear, len(members))]
        records: dict[int, bytes] = {}
        until = time.monotonic() + self._group_seconds
        rows: Rows = {}
        first, *rest = (_recorded(member, records, rows) for member in members)
        group = [first, *(_timely(member, until) for member in rest)]
        results = self._transact(group, rows)
        done = next((n for n, each in enumerate(results) if isinstance(each, _Later)), len(results))
        results = results[:done]
        # a run that the store repeated, or gave up, may have left records that never came to be
        committed = {result for result in results if isinstance(result, int)}
        published = [(revision, records[revision]) for revision in sorted(committed & set(records))]
        if published:
            try:
                self._on_commit(published)
            except Exception:
                log.exception("publishing revisions up to %d failed", published[-1][0])
        return results

    def _transact(self, group: Sequence[Member], rows: Rows) -> list[int | Exception]:
        """Runs the group; the audit log is written before it is durable, and cut if it is not."""
        audit = self._audit
        if audit is None:
            return self._store.transact(group)

        def last(results: Sequence[int | Exception]) -> list[PrivatePut | PrivateDelete]:
            return audit.append(_joined(results, rows))

        results: list[int | Exception] = []
        try:
            results = self._store.transact(group, last)
        finally:
            if any(isinstance(each, int) and each in rows for each in results):
                audit.keep()
            elif not self._store.fatal:  # else nobody knows before the core starts anew
                audit.undo()
        return results


def _joined(results: Sequence[int | Exception], rows: Rows) -> dict[str, bytes]:
    """The rows of what is to be committed, in the order of revisions, by product."""
    found: dict[str, list[bytes]] = {}
    for revision in sorted({each for each in results if isinstance(each, int)} & rows.keys()):
        for product, text in rows[revision].items():
            found.setdefault(product, []).append(text)
    return {product: b"".join(texts) for product, texts in found.items()}


def _timely(member: Member, until: float) -> Member:
    """The same function, where it begins in time."""

    def timely(reader: Reader) -> Batch | None:
        if time.monotonic() >= until:
            raise _Later
        return member(reader)

    return timely


def _recorded(member: Member, records: dict[int, bytes], rows: Rows) -> Member:
    """The same function; the record of its batch is noted by revision, and its audit rows."""

    def recorded(reader: Reader) -> Batch | None:
        batch = member(reader)
        if batch is None:
            return None
        change = batch.change

        def noted(revision: int) -> bytes:
            rows[revision] = batch.rows() if batch.rows else {}
            records[revision] = record = change(revision)
            return record

        return replace(batch, change=noted)

    return recorded


__all__ = ["GROUP_LIMIT", "GROUP_SECONDS", "QUEUE_LIMIT", "Committer", "Grouper", "Published"]
