"""The latest changes in memory, for all who follow them.

Invariants:
1. A follower gets every change after its revision, in order, each once, without a gap.
2. A change is one bytes object for every follower.
3. Nobody waits for a follower: one that falls behind what is in memory reads on from the store's
   log, and one that falls behind that is told so (Compacted).
4. What is held in memory has a limit, in records and in octets.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from .store.contract import Compacted, Store
from .store.limits import MIB

RING_RECORDS: Final = 100_000  # changes in memory
RING_BYTES: Final = 64 * MIB  # their octets
STEP_RECORDS: Final = 256  # changes a follower takes at a time
STEP_BYTES: Final = MIB  # it takes no more once it has these: what a stuck follower holds on to

log = logging.getLogger("callscreen.core")


class Feed:
    """Published changes. `publish` may be called from any thread, `follow` from any event loop."""

    def __init__(
        self, store: Store, ring_records: int = RING_RECORDS, ring_bytes: int = RING_BYTES
    ) -> None:
        self._store = store
        self._ring_records = ring_records
        self._ring_bytes = ring_bytes
        self._lock = threading.Lock()
        self._ring: dict[int, bytes] = {}  # consecutive revisions, in order
        self._size = 0  # octets in the ring
        self._last = store.revision  # the last revision published
        self._waiting: dict[asyncio.AbstractEventLoop, set[asyncio.Future[None]]] = {}
        self._closed = False

    @property
    def revision(self) -> int:
        """The last revision published."""
        return self._last

    def publish(self, changes: Sequence[tuple[int, bytes]]) -> None:
        """Adds committed changes, in order, and wakes whoever waits. Never waits itself."""
        with self._lock:
            for revision, record in changes:
                if revision != self._last + 1:  # written past the committer: the log has it
                    self._ring.clear()
                    self._size = 0
                self._ring[revision] = record
                self._size += len(record)
                self._last = revision
            while len(self._ring) > self._ring_records or self._size > self._ring_bytes:
                self._size -= len(self._ring.pop(next(iter(self._ring))))
            waiting = self._take_waiting()
        _wake_all(waiting)

    def close(self) -> None:
        """Ends every follower."""
        with self._lock:
            self._closed = True
            waiting = self._take_waiting()
        _wake_all(waiting)

    async def follow(self, after: int) -> AsyncGenerator[bytes, None]:
        """Every change after a revision, as it comes; ends when the feed is closed.

        Raises Compacted where the log no longer reaches back to `after`, or has not come so far.
        """
        steps = self.steps(after)
        try:
            async for changes in steps:
                for change in changes:
                    yield change
        finally:
            await steps.aclose()

    async def steps(self, after: int) -> AsyncGenerator[list[bytes], None]:
        """The same, as many at a time as there are, up to STEP_RECORDS or about STEP_BYTES."""
        if after > self._store.revision:
            raise Compacted
        while not self._closed:
            changes = self._from_ring(after)
            if changes is None:
                changes = await asyncio.to_thread(self._store.tail, after, STEP_RECORDS)
            if changes:
                yield [record for _, record in changes]
                after = changes[-1][0]
            else:
                await self._published(after)

    def _from_ring(self, after: int) -> list[tuple[int, bytes]] | None:
        """The next changes; none where there are none yet; None where the log must be asked."""
        with self._lock:
            if after >= self._last and after >= self._store.revision:
                return []
            if after + 1 not in self._ring:
                return None
            changes: list[tuple[int, bytes]] = []
            size = 0
            for revision in range(after + 1, min(after + STEP_RECORDS, self._last) + 1):
                changes.append((revision, self._ring[revision]))
                size += len(self._ring[revision])
                if size >= STEP_BYTES:
                    break
            return changes

    async def _published(self, after: int) -> None:
        """Returns when something after this revision was published, or the feed closed."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            if self._last > after or self._closed:
                return
            self._waiting.setdefault(loop, set()).add(future)
        try:
            await future
        finally:
            with self._lock:
                self._waiting.get(loop, set()).discard(future)

    def _take_waiting(self) -> dict[asyncio.AbstractEventLoop, set["asyncio.Future[None]"]]:
        waiting, self._waiting = self._waiting, {}
        return waiting


def _wake_all(waiting: dict[asyncio.AbstractEventLoop, set["asyncio.Future[None]"]]) -> None:
    for loop, futures in waiting.items():
        try:
            loop.call_soon_threadsafe(_wake, futures)
        except RuntimeError:  # a loop that ended took its followers with it
            log.warning("%d followers were gone before they were woken", len(futures))


def _wake(futures: set["asyncio.Future[None]"]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


__all__ = ["RING_BYTES", "RING_RECORDS", "Feed"]
