"""The screening index of this edge, kept equal to the core's data.

Invariants
1. What answers calls (`view`) is a whole revision: a snapshot is loaded aside and swapped in only
   when the changes up to its `complete` are in it.
2. Changes are applied in order, one transaction each, none twice and none left out. A gap, a log
   that no longer reaches back, or another store ends in a new snapshot.
3. Whatever happens to the core or the network, the last view goes on answering.
4. What would grow the index beyond its limit of memory is not taken up: the last view answers, and
   says so. Two views count while one is loaded aside.
5. The log has a line when the core is lost and one when it is followed again, and a debug line
   for each attempt between them.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import grpc

from ..ops.transport import advised
from ..v1 import object_pb2, replication_pb2, replication_pb2_grpc
from .following import numbered, open_stream
from .keeping import keep
from .local import Keepable, Local
from .memory import FULL_SECONDS, SMALL, Budget, FullError
from .metrics import Metrics

__all__ = ["BACK_OFF_FIRST", "BACK_OFF_LAST", "Replica", "View"]

log = logging.getLogger("callscreen.edge")

BACK_OFF_FIRST, BACK_OFF_LAST = 0.05, 2.0  # seconds between attempts to reach the core
SNAPSHOT_LAST = 30.0  # the same where it gives snapshots that are of no use
CALM_SECONDS = 1.0  # a stream that lasts as long is one that follows
INLINE_LIMIT = 16 * 1024  # octets of changes that are applied between two datagrams


class View(Keepable, Protocol):
    """An index that is being filled, or answers."""

    @property
    def octets(self) -> int: ...  # in memory
    def load(self, objects: Sequence[object_pb2.Object]) -> None: ...
    def whole(self, revision: int) -> None: ...  # all that was loaded is of this revision


ViewT = TypeVar("ViewT", bound=View)


class SnapshotNeededError(Exception):
    """The change log cannot take the index from where it stands to where the core is."""


class Replica(Generic[ViewT]):
    """Follows the core by `run`; `view` is what answers now, None before the first snapshot."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        empty: Callable[[], ViewT],
        metrics: Metrics,
        *,
        clock: Callable[[], float],
        steady: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float],
        metadata: Sequence[tuple[str, str]] = (),
        local: Local[ViewT] | None = None,
        memory_limit: int = 0,
    ) -> None:
        """`empty` makes an empty index; `clock` gives Unix time, `steady` seconds that never
        go back; `jitter` the share, 0 to 1, of a
        pause that is really waited; `memory_limit` the octets that indexes may hold, 0 any."""
        self._channel = channel
        self._stub = replication_pb2_grpc.ReplicationStub(channel)
        self._empty = empty
        self._metrics = metrics
        self._clock = clock
        self._steady = steady
        self._jitter = jitter
        self._metadata = tuple(metadata)
        self._token = replication_pb2.ResumeToken()  # where `view` stands
        self._stale = True  # the token is of no more use: a snapshot comes first
        self._progress = False  # this attempt brought what answers further
        self._loading = False  # it brought some of a snapshot
        self._faulty = False  # a fault was told, and there was no progress since
        self._watching = False
        self._said_lost = False
        self.local = local
        self._changing = asyncio.Lock()  # held by whoever changes a view, or what is on disk
        self._single = False  # the core sends one change a message
        self.budget = Budget(memory_limit, steady)
        self.view: ViewT | None = None
        self.ready = asyncio.Event()  # set with the first view
        self.heard = 0  # the last revision that the core has spoken of
        self._word = steady()  # when the core was followed last
        self.lag = 0.0  # seconds from the commit of the last change to its being in force here

    @property
    def revision(self) -> int:
        """Of the data that answers; 0 before the first snapshot."""
        return self._token.revision

    @property
    def connected(self) -> bool:
        """Whether changes of the core arrive here as they are made."""
        return self._watching and self._channel.get_state() == grpc.ChannelConnectivity.READY

    def silence(self) -> float:
        """Seconds since the core was last followed; 0.0 while it is."""
        return 0.0 if self._watching else self._steady() - self._word

    async def run(self) -> None:
        """Follows until cancelled; returns only so.

        Raises OSError where the replica's folder cannot be had.
        """
        local = self.local
        if local is None:
            await self._attempts()
            return
        local.open()
        try:
            found = await asyncio.to_thread(local.recover)
            if found is not None:
                await self._swap(*found)
            keeping = asyncio.create_task(keep(local, self._changing, self._standing))
            try:
                await self._attempts()
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)
        finally:
            local.close()

    def _standing(self) -> tuple[ViewT, replication_pb2.ResumeToken] | None:
        """What answers, and where it stands; None where nothing does, or nobody knows."""
        return None if self.view is None or self._stale else (self.view, self._token)

    async def _attempts(self) -> None:
        pause = BACK_OFF_FIRST
        while True:
            self._progress = self._loading = False
            try:
                await self._follow()
                self._lost("the stream ended")
            except SnapshotNeededError as error:
                level = logging.DEBUG if self._stale else logging.WARNING
                log.log(level, "a new snapshot is needed: %s", error)
                self._stale = True
            except FullError as error:
                self._stale |= self.budget.refuse(error)
            except grpc.aio.AioRpcError as error:
                if error.code() == grpc.StatusCode.UNIMPLEMENTED and not self._single:
                    self._single = True
                    continue
                if error.code() == grpc.StatusCode.OUT_OF_RANGE:
                    self._stale = True
                why = advised(error.details() or "")
                self._lost(f"{error.code().name}: {why}")
            except Exception:  # a fault of ours: the last view answers, and a new one is tried
                self._fault("the core could not be followed")
                self._stale = True
            finally:
                if self._watching:
                    self._word = self._steady()
                    self._single = False  # the next core may know more
                self._watching = False
            most = SNAPSHOT_LAST if self._loading else BACK_OFF_LAST
            pause = BACK_OFF_FIRST if self._progress else min(pause * 2, most)
            await asyncio.sleep((FULL_SECONDS if self.budget.full else pause) * self._jitter())

    async def _follow(self) -> None:
        """One attempt: a snapshot where one is needed, then changes for as long as they come."""
        view, token, complete = self.view, self._token, self._token.revision
        if view is None or self._stale:
            view, token, complete = await self._snapshot()
        if token.revision >= complete:
            await self._swap(view, token)
        begun = token.revision
        watch = open_stream(self._channel, token, self._metadata, self._single)
        calm = asyncio.create_task(self._calm(begun))
        try:
            async for message in watch:
                changes = numbered(message, self._single)
                self._found(begun)
                self.heard = changes[-1][0]
                await self._apply(view, token, changes)
                if token.revision >= complete:
                    await self._swap(view, token)
                    self._measure(changes[-1][1])
        finally:
            calm.cancel()
            watch.cancel()

    async def _snapshot(self) -> tuple[ViewT, replication_pb2.ResumeToken, int]:
        """A fresh index, the token to watch from, and the revision at which it is whole."""
        view, token = self._empty(), replication_pb2.ResumeToken()
        complete = objects = 0
        call = self._stub.Snapshot(replication_pb2.SnapshotRequest(), metadata=self._metadata)
        try:
            async for chunk in call:
                self._loading = True
                # In a thread: nobody reads this index yet, and calls are answered meanwhile.
                await asyncio.to_thread(self._fill, view, chunk.objects)
                token.CopyFrom(getattr(chunk, "from"))
                complete = max(complete, chunk.complete)
                self.heard = max(complete, token.revision)
                self._afford(view, 0)
                objects += len(chunk.objects)
        finally:
            call.cancel()
        # Of an empty store even the last chunk says 0, and then there are no objects.
        if not token.store_id or complete < token.revision or (objects and not complete):
            raise SnapshotNeededError("the last one ended before it was complete")
        view.whole(token.revision)
        self._metrics.snapshots += 1
        return view, token, complete

    def _fill(self, view: ViewT, objects: Sequence[object_pb2.Object]) -> None:
        try:
            view.load(objects)
        except Exception as error:
            self._fault("an object of the snapshot does not fit the index")
            raise SnapshotNeededError("the last one could not be loaded") from error

    async def _apply(
        self,
        view: ViewT,
        token: replication_pb2.ResumeToken,
        changes: Sequence[tuple[int, bytes]],
    ) -> None:
        """Puts the next changes into `view` and on disk, and moves `token` on."""
        for place, (revision, _) in enumerate(changes, token.revision + 1):
            if revision != place:
                raise SnapshotNeededError(f"after {place - 1} came {revision}")
        size = sum(len(change) for _, change in changes)
        self._afford(view, size)
        records = [change for _, change in changes]
        async with self._changing:
            try:
                # Calls are answered while a long list is put.
                if size > INLINE_LIMIT:
                    await asyncio.to_thread(view.apply, changes)
                else:
                    view.apply(changes)
            except Exception as error:
                self._fault(f"a change of {changes[0][0]} to {changes[-1][0]} does not fit")
                raise SnapshotNeededError(f"change {changes[0][0]} failed") from error
            token.revision = changes[-1][0]
            if self.local is not None and view is self.view:
                self.local.append(records)
        self._metrics.changes += len(changes)
        if view is self.view:
            self._moved()
            self.budget.relieve()

    def _afford(self, view: ViewT, size: int) -> None:
        """Raises FullError where so many octets more would be beyond the limit of memory."""
        if self.budget.limit:
            held = view.octets
            if self.view is not None and self.view is not view:
                held += self.view.octets
            self.budget.afford(held, size)

    async def _swap(self, view: ViewT, token: replication_pb2.ResumeToken) -> None:
        """From here on `view` answers; nothing to do where it does already."""
        if view is self.view:
            return
        async with self._changing:  # what is on disk may be on its way there
            if self.local is not None and self.view is not None:
                self.local.leave()
            self.view, self._token, self._stale = view, token, False
        self._word = self._steady()
        self.budget.relieve()
        log.info("index at revision %d", token.revision)
        self.ready.set()

    def _measure(self, encoded: bytes) -> None:
        if len(encoded) > SMALL:  # a long list is not read again for its time alone
            return
        change = object_pb2.Change.FromString(encoded)
        committed = change.time.seconds + change.time.nanos / 1e9
        self.lag = max(0.0, self._clock() - committed) if committed else 0.0

    async def _calm(self, revision: int) -> None:
        """Takes a stream that lasts for one that follows, though no change comes."""
        while not self._watching:
            await asyncio.sleep(CALM_SECONDS)
            if self._channel.get_state() == grpc.ChannelConnectivity.READY:
                self._found(revision)
                self._moved()

    def _moved(self) -> None:
        """What answers goes on with the core: the next attempt is made at once, and tells all."""
        self._progress, self._faulty = True, False

    def _fault(self, what: str) -> None:
        """A line for the first in a row: it may come again with each attempt."""
        log.log(logging.DEBUG if self._faulty else logging.ERROR, what, exc_info=True)
        self._faulty = True

    def _found(self, revision: int) -> None:
        self._watching = True
        if self._said_lost:
            self._said_lost = False
            log.info("the core is followed again from revision %d", revision)

    def _lost(self, why: str) -> None:
        level = logging.DEBUG if self._said_lost else logging.WARNING
        self._said_lost = True
        log.log(level, "the core is not followed: %s", why)
