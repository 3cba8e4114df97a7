"""Call records on their way to the core: blocks of octets that are parts of messages as they stand.

Invariants
1. `put` never waits for the core. What was accepted is sent in order, again and again until the
   core has acknowledged it, or until `close` runs out of time; with a spool the next start goes on.
2. At most `memory` octets wait in memory. Beyond them, and while the core is gone, blocks go to the
   spool where there is one. What finds no room is dropped and counted: what was accepted once is
   never given up for something newer.
3. One batch is under way at a time. The core keeps a record sent twice once (by `cdr_id`), so that
   a lost acknowledgement costs a repetition and makes no duplicate.
4. A record that the core refuses for good is found by halves, counted and left out; it holds back
   no other.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import grpc

from ..v1 import records_pb2
from .entries import Block, batch_head
from .metrics import Metrics
from .spool import Spool
from .waiting import BATCH_LIMIT, Waiting

__all__ = ["BATCH_LIMIT", "BATCH_WAIT", "MEMORY_LIMIT", "RecordsOut"]

log = logging.getLogger("callscreen.edge")

MEMORY_LIMIT = 64 * 1024 * 1024  # octets, the batch under way not included
BATCH_WAIT = 0.05  # seconds that a batch waits to fill
SYNC_SECONDS = 1.0  # what is on disk outlasts a loss of power after this time
ACKNOWLEDGE_WAIT = 10.0  # seconds; a core that answers nothing this long is gone
BACK_OFF_FIRST, BACK_OFF_LAST = 0.05, 2.0  # seconds
APPEND = "/callscreen.v1.Records/Append"

# The core has read the batch and says that it will never do; everything else is tried again.
REFUSALS = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION})
# And so says a core that cannot read it, among others.
FAULTS = frozenset({grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL})

if TYPE_CHECKING:
    Call = grpc.aio.StreamStreamCall[bytes, records_pb2.AppendResponse]


class RecordsOut:
    """What waits, and the one task (`run`) that empties it into the core's Append stream."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        metrics: Metrics,
        *,
        jitter: Callable[[], float],
        metadata: Sequence[tuple[str, str]] = (),
        memory: int = MEMORY_LIMIT,
        spool: Spool | None = None,
    ) -> None:
        """`jitter` gives the share, 0 to 1, of a pause that is really waited; `memory` is in
        octets; the spool is this object's from now on."""
        # The octets go out as they are: no message is made of them here.
        self._append = channel.stream_stream(
            APPEND,
            request_serializer=None,
            response_deserializer=records_pb2.AppendResponse.FromString,
        )
        self._metrics = metrics
        self._jitter = jitter
        self._metadata = tuple(metadata)
        self._waiting = Waiting(memory, spool)
        self._arrived = asyncio.Event()
        self._empty = asyncio.Event()
        self._closing = asyncio.Event()
        self._connected = False
        self._faulty = False  # a fault of ours was told, and nothing was sent since
        self._batch_id = 0
        self._look()

    def __len__(self) -> int:
        """Records that the core has not acknowledged."""
        return self._waiting.records

    @property
    def connected(self) -> bool:
        """Whether the last batch was acknowledged."""
        return self._connected

    @property
    def spooled(self) -> int:
        """Octets on disk."""
        return self._waiting.spooled

    @property
    def disk_failing(self) -> bool:
        """Whether records wait in memory alone that should be on disk."""
        return self._waiting.failing

    def put(self, entries: bytes, count: int = 1) -> None:
        """Takes `count` records, at most BATCH_LIMIT, as they stand in an AppendRequest."""
        if self._waiting.put(Block(entries, count)):
            self._empty.clear()
            self._arrived.set()
        else:
            self._metrics.records_lost += count

    async def run(self) -> None:
        """Sends until cancelled; returns only so."""
        syncing = asyncio.create_task(self._sync())
        try:
            await self._attempts()
        finally:
            syncing.cancel()
            await asyncio.gather(syncing, return_exceptions=True)

    async def close(self, seconds: float) -> None:
        """Waits until all is acknowledged, at most `seconds`; what no spool keeps is then lost.

        For the end of `run` and `leave` after it.
        """
        self._closing.set()
        self._arrived.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), seconds)

    def leave(self) -> None:
        """After `run`: what waits is kept on disk, or given up and counted."""
        lost = self._waiting.leave()
        self._metrics.records_lost += lost
        if lost:
            log.error("stopped with %d call records that the core has not taken", lost)
        if self._waiting.records:
            log.warning("%d call records wait on disk for the next start", self._waiting.records)

    async def _sync(self) -> None:
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            try:
                await self._waiting.sync()
            except Exception:
                self._fault("call records could not be kept on disk")

    async def _attempts(self) -> None:
        pause = BACK_OFF_FIRST
        while True:
            sent, refused = self._metrics.records_sent, False
            try:
                await self._something()
                await self._stream()
            except grpc.RpcError as error:
                refused = self._failed(error)
            except (TimeoutError, asyncio.InvalidStateError):
                self._gone("no acknowledgement")
            except Exception:  # a fault of ours: what was under way is sent again
                self._fault("call records could not be sent")
                self._gone("a fault")
            if refused:
                continue
            progress = self._metrics.records_sent > sent
            pause = BACK_OFF_FIRST if progress else min(pause * 2, BACK_OFF_LAST)
            await self._pause(pause * self._jitter())

    async def _pause(self, seconds: float) -> None:
        """Waits; a stop cuts it short, and makes the next ones short."""
        if self._closing.is_set():
            await asyncio.sleep(min(seconds, BACK_OFF_FIRST))
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)

    def _look(self) -> None:
        """Tells those who wait for there to be something, or nothing."""
        if self._waiting.records:
            self._empty.clear()
            self._arrived.set()
        else:
            self._arrived.clear()
            self._empty.set()

    async def _something(self) -> None:
        """Returns once there is something to send."""
        while not await self._filled():
            self._look()
            await self._arrived.wait()

    async def _filled(self) -> bool:
        """Whether there is something to send, taken up from disk if need be."""
        self._metrics.records_lost += await self._waiting.fill()
        return bool(self._waiting)

    async def _stream(self) -> None:
        """One Append stream, for as long as it lives.

        Raises grpc.RpcError, TimeoutError, or InvalidStateError where the stream was closed.
        """
        # Without a request iterator the call is written to, which the types do not know.
        call = self._append(metadata=self._metadata)  # type: ignore[call-arg]
        try:
            while True:
                await self._something()
                if not self._waiting.full and not self._closing.is_set():
                    await asyncio.sleep(BATCH_WAIT)
                batch = self._waiting.take()
                if batch:
                    await self._send(call, batch)
        finally:
            call.cancel()

    async def _send(self, call: "Call", batch: Sequence[Block]) -> None:
        """A batch, written and acknowledged, then let go."""
        self._batch_id += 1
        parts = [batch_head(self._batch_id), *(block.entries for block in batch)]
        async with asyncio.timeout(ACKNOWLEDGE_WAIT):
            await call.write(b"".join(parts))
            answer = await call.read()
        if not isinstance(answer, records_pb2.AppendResponse) or answer.id != self._batch_id:
            raise TimeoutError  # the stream ended, or answers something else
        self._waiting.away = False
        if not self._connected:
            self._connected, self._faulty = True, False
            log.info("call records go to the core")
        self._metrics.records_sent += self._waiting.settle()
        self._look()

    def _failed(self, error: grpc.RpcError) -> bool:
        """Whether the core refused what was under way."""
        code = error.code() if isinstance(error, grpc.aio.AioRpcError) else None
        refused = code in REFUSALS or (code in FAULTS and self._waiting.unreadable())
        if not refused or not self._waiting.under_way:
            self._gone(str(code))
            return False
        if self._waiting.divide():
            return True
        log.error("the core refuses a call record: %s", error)
        self._metrics.records_refused += self._waiting.settle()
        self._look()
        return True

    def _fault(self, what: str) -> None:
        """A line for the first in a row: it may come again with each attempt."""
        log.log(logging.DEBUG if self._faulty else logging.ERROR, what, exc_info=True)
        self._faulty = True

    def _gone(self, why: str) -> None:
        level = logging.WARNING if self._connected else logging.DEBUG
        self._connected = False
        log.log(level, "call records wait for the core: %s", why)
        self._waiting.put_back()
        self._waiting.spill()
