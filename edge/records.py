"""Call records on their way to the core.

Invariants
1. `put` never waits. What was accepted is sent in order, again and again until the core has
   acknowledged it, or until `close` runs out of time.
2. At most `QUEUE_LIMIT` records wait. Beyond that the newest is dropped and counted: what was
   accepted once is never given up for something newer.
3. One batch is under way at a time. The core keeps a record sent twice once (by `cdr_id`), so that
   a lost acknowledgement costs a repetition and makes no duplicate.
4. A record that the core refuses for good, or that makes no message, is counted and left out; it
   holds back no other.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import grpc

from ..v1 import records_pb2, records_pb2_grpc
from .metrics import Metrics

__all__ = ["BATCH_LIMIT", "BATCH_WAIT", "QUEUE_LIMIT", "RecordsOut"]

log = logging.getLogger("callscreen.edge")

QUEUE_LIMIT = 100_000  # records, the batch under way included
BATCH_LIMIT = 500  # records
SLICE = 50  # records of a batch made ready between two looks at the sockets
BATCH_WAIT = 0.05  # seconds that a batch waits to fill
ACKNOWLEDGE_WAIT = 10.0  # seconds; a core that answers nothing this long is gone
BACK_OFF_FIRST, BACK_OFF_LAST = 0.05, 2.0  # seconds

# The core has read the batch and says that it will never do; everything else is tried again.
REFUSALS = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION})

if TYPE_CHECKING:
    Call = grpc.aio.StreamStreamCall[records_pb2.AppendRequest, records_pb2.AppendResponse]


Record = TypeVar("Record")


class RecordsOut(Generic[Record]):
    """A bounded queue, and the one task (`run`) that empties it into the core's Append stream."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        metrics: Metrics,
        *,
        fields: Callable[[Record], dict[str, Any]],
        jitter: Callable[[], float],
        metadata: Sequence[tuple[str, str]] = (),
        limit: int = QUEUE_LIMIT,
    ) -> None:
        """`fields` gives those of the CallRecord, the same each time it is asked; `jitter` the
        share, 0 to 1, of a pause that is really waited."""
        self._fields = fields
        self._stub = records_pb2_grpc.RecordsStub(channel)
        self._metrics = metrics
        self._jitter = jitter
        self._metadata = tuple(metadata)
        self._limit = limit
        self._queue: deque[Record] = deque()
        self._arrived = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._closing = asyncio.Event()
        self._connected = False
        self._singly = 0  # records to send one by one, after a batch was refused
        self._batch_id = 0

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def connected(self) -> bool:
        """Whether the last batch was acknowledged."""
        return self._connected

    def put(self, record: Record) -> None:
        self._metrics.records_made += 1
        if len(self._queue) >= self._limit:
            self._metrics.records_lost += 1
            return
        self._queue.append(record)
        self._empty.clear()
        self._arrived.set()

    async def run(self) -> None:
        """Sends until cancelled; returns only so."""
        pause = BACK_OFF_FIRST
        while True:
            await self._something()
            sent = self._metrics.records_sent
            try:
                await self._stream()
            except grpc.RpcError as error:
                self._failed(error)
            except (TimeoutError, asyncio.InvalidStateError):
                self._gone("no acknowledgement")
            progress = self._metrics.records_sent > sent or self._singly
            pause = BACK_OFF_FIRST if progress else min(pause * 2, BACK_OFF_LAST)
            await self._pause(pause * self._jitter())

    async def close(self, seconds: float) -> None:
        """Waits until all is acknowledged, at most `seconds`; what is left then counts as lost."""
        self._closing.set()
        self._arrived.set()
        try:
            await asyncio.wait_for(self._empty.wait(), seconds)
        except TimeoutError:
            self._metrics.records_lost += len(self._queue)
            log.error("stopped with %d call records that the core has not taken", len(self._queue))

    async def _pause(self, seconds: float) -> None:
        """Waits; a stop cuts it short, and makes the next ones short."""
        if self._closing.is_set():
            await asyncio.sleep(min(seconds, BACK_OFF_FIRST))
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)

    async def _something(self) -> None:
        """Returns once a record waits."""
        while not self._queue:
            self._arrived.clear()
            await self._arrived.wait()

    async def _stream(self) -> None:
        """One Append stream, for as long as it lives.

        Raises grpc.RpcError, TimeoutError, or InvalidStateError where the stream was closed.
        """
        # Without a request iterator the call is written to, which the stub's types do not know.
        call = self._stub.Append(metadata=self._metadata)  # type: ignore[call-arg]
        try:
            while True:
                await self._something()
                filling = len(self._queue) < BATCH_LIMIT and not self._singly
                if filling and not self._closing.is_set():
                    await asyncio.sleep(BATCH_WAIT)
                await self._send(call)
        finally:
            call.cancel()

    async def _send(self, call: "Call") -> None:
        """One batch, written and acknowledged, then taken off the queue."""
        size = 1 if self._singly else min(len(self._queue), BATCH_LIMIT)
        batch, fault = await self._batch(list(islice(self._queue, size)))
        if batch.records:
            await self._acknowledged(call, batch)
        self._take_off(size)
        self._metrics.records_sent += len(batch.records)
        if fault is not None:
            self._metrics.records_refused += size - len(batch.records)
            log.error("%d call records make no message", size - len(batch.records), exc_info=fault)

    async def _acknowledged(self, call: "Call", batch: records_pb2.AppendRequest) -> None:
        """Writes a batch; returns once the core has it."""
        async with asyncio.timeout(ACKNOWLEDGE_WAIT):
            await call.write(batch)
            answer = await call.read()
        if not isinstance(answer, records_pb2.AppendResponse) or answer.id != batch.id:
            raise TimeoutError  # the stream ended, or answers something else
        if not self._connected:
            self._connected = True
            log.info("call records go to the core")

    async def _batch(
        self, records: list[Record]
    ) -> tuple[records_pb2.AppendRequest, Exception | None]:
        """The message that holds the records, but for those that make none, and why the last of
        these did not. Calls are answered while it is made."""
        self._batch_id += 1
        batch = records_pb2.AppendRequest(id=self._batch_id)
        fault: Exception | None = None
        for start in range(0, len(records), SLICE):
            for record in records[start : start + SLICE]:
                try:
                    batch.records.add(**self._fields(record))
                except Exception as error:  # a fault of ours: the others go on
                    fault = error
            await asyncio.sleep(0)
        return batch, fault

    def _take_off(self, size: int) -> None:
        for _ in range(size):
            self._queue.popleft()
        self._singly = max(0, self._singly - size)
        if not self._queue:
            self._empty.set()

    def _failed(self, error: grpc.RpcError) -> None:
        code = error.code() if isinstance(error, grpc.aio.AioRpcError) else None
        if code not in REFUSALS:
            self._gone(str(code))
        elif self._singly or len(self._queue) == 1:
            log.error("the core refuses a call record: %s", error)
            self._metrics.records_refused += 1
            self._take_off(1)
        else:
            self._singly = min(len(self._queue), BATCH_LIMIT)

    def _gone(self, why: str) -> None:
        level = logging.WARNING if self._connected else logging.DEBUG
        self._connected = False
        log.log(level, "call records wait for the core: %s", why)
