"""The worker threads of an edge: started, given their data, their records taken, stopped.

Invariants
1. All workers answer from the same index but for the batch at hand; one that is replaced is let go
   when no worker is in it.
2. Records leave a worker's ring in the order of its calls. What finds no room in it is counted as
   lost by the worker.
3. No line is logged for a datagram: what was dropped is summed up every `SUMMARY_SECONDS`.
"""

import asyncio
import logging
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..fastpath.counts_types import Counted
from ..fastpath.forwarding import Forwarding, NameTable
from ..fastpath.index import Index
from ..fastpath.loop import SPAN_BOUNDS
from ..fastpath.peers import PeerTable
from ..fastpath.recent import RecentTable
from ..fastpath.respond_types import SEED_OCTETS
from ..fastpath.ring import RingBuffer
from ..fastpath.worker import Worker
from ..ops.metrics import Histogram
from .sockets import can_segment, overflows
from .taps import TAP_OCTETS
from .waiting import BATCH_LIMIT, BATCH_OCTETS

__all__ = ["WorkerConfig", "Workers", "total"]

log = logging.getLogger("callscreen.edge")

RING_OCTETS = 32 * 1024 * 1024  # of a worker's records that wait to be taken: some 60,000
LOOK_SECONDS = 0.02  # between two looks at rings and data
SUMMARY_SECONDS = 10.0
TAPPED_LIMIT = 100  # messages taken at once: others of the event loop come between
TAKEN_TURNS = 50  # batches of records a look and a worker: the others have their turn too
TAPPED_TURNS = 20  # times a look and a worker

Put = Callable[[bytes, int], None]  # takes AppendRequest entries, and how many they are


class Handing(Protocol):
    """Takes calls that await caller identity: identifying.Identifying."""

    @property
    def wake(self) -> int:
        """The eventfd that is written to once something stands in a ring."""

    def ring(self, sock: socket.socket) -> RingBuffer:
        """Where the worker of a socket puts such calls."""


@dataclass(frozen=True)
class WorkerConfig:
    """What all workers of an edge have alike; `secret` keys their To tags."""

    secret: bytes
    recent: RecentTable
    edge: str = ""
    product: int = 0
    forwarding: Callable[[], Forwarding] | None = None  # in proxy mode: one for each worker
    segmenting: bool = True
    spin_us: int = 0
    ring_octets: int = RING_OCTETS
    tap_octets: int = TAP_OCTETS


class Workers:
    """A thread a socket. `random` gives that many random octets; without `handing` calls that await
    caller identity are answered as ones that could not be told."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        config: WorkerConfig,
        random: Callable[[int], bytes],
        handing: Handing | None = None,
    ) -> None:
        self._sockets = sockets
        self._workers = [
            Worker(
                sock.fileno(),
                config.secret,
                seed=random(SEED_OCTETS),
                recent=config.recent,
                records=RingBuffer(config.ring_octets),
                edge=config.edge,
                product=config.product,
                forwarding=config.forwarding() if config.forwarding else None,
                segmenting=config.segmenting and can_segment(sock),
                spin_us=config.spin_us,
                taps=RingBuffer(config.tap_octets),
                handed=None if handing is None else handing.ring(sock),
                wake=-1 if handing is None else handing.wake,
            )
            for sock in sockets
        ]
        self._threads = [
            threading.Thread(target=worker.run, name=f"sip-{place}", daemon=True)
            for place, worker in enumerate(self._workers)
        ]
        self._told: Counter[str] = Counter()
        self._overflows: list[int] = []
        self._stopped = False

    def start(self) -> None:
        """Answers from here on; calls get 503 until there is an index."""
        for thread in self._threads:
            thread.start()

    def answer_from(self, index: Index | None) -> None:
        """This index, where it is one, answers from the next batch on, or the one after it."""
        for worker in self._workers:
            worker.settled()
            if index is not None:
                worker.answer_from(index)

    def admit(self, table: PeerTable) -> None:
        """Only its peers are answered from the next batch on."""
        for worker in self._workers:
            worker.admit(table)

    def resolve(self, names: NameTable) -> None:
        """Where egress routes with names lead, from the next batch on."""
        for worker in self._workers:
            worker.resolve(names)

    def tap(self, mode: int, watched: Sequence[int]) -> None:
        """What is copied for who looks; `watched` are packed numbers, at most WATCHED_MOST."""
        for worker in self._workers:
            worker.tap(mode, watched)

    def taps_lost(self) -> int:
        """Messages copied that found no room."""
        return sum(worker.taps_lost for worker in self._workers)

    def strangers(self) -> tuple[int, str]:
        """Datagrams from no peer so far, and where one of the last came from."""
        count = self.counts().dropped.get("untrusted", 0)
        return count, next(filter(None, (worker.stranger for worker in self._workers)), "")

    async def run(
        self,
        index: Callable[[], Index | None],
        peers: Callable[[], PeerTable],
        put: Put,
        tapped: Callable[[bytes], None] | None = None,
    ) -> None:
        """Takes records and what is tapped, hands over index and peers of the moment.

        Returns only when cancelled.
        """
        looks = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            looks += 1
            self.answer_from(index())
            self.admit(peers())
            for worker in self._workers:
                for _ in range(TAKEN_TURNS):
                    if not self._take(worker, put):
                        break
                    await asyncio.sleep(0)
                for _ in range(TAPPED_TURNS):
                    if not self._take_tapped(worker, tapped):
                        break
                    await asyncio.sleep(0)
            if looks * LOOK_SECONDS >= SUMMARY_SECONDS:
                looks = 0
                self._summarise()

    async def stop(self, put: Put) -> None:
        """Ends the threads after their batches at hand, and takes their last records."""
        for worker in self._workers:
            worker.stop()
        for thread in self._threads:
            if thread.is_alive():
                await asyncio.to_thread(thread.join)
        for worker in self._workers:
            while self._take(worker, put):
                pass
        self.overflows()
        self._stopped = True
        for sock in self._sockets:
            sock.close()

    def counts(self) -> Counted:
        """What all have counted."""
        return total(self.each())

    def each(self) -> list[Counted]:
        """What each worker has counted."""
        return [worker.counts() for worker in self._workers]

    def overflows(self) -> list[int]:
        """Datagrams that each worker's socket had no room for."""
        if not self._stopped:
            self._overflows = [overflows(sock) for sock in self._sockets]
        return self._overflows

    def seconds(self) -> Histogram:
        """Of calls, from receipt to answer."""
        histogram = Histogram(SPAN_BOUNDS)
        for worker in self._workers:
            counts, seconds = worker.spans()
            histogram.counts = [a + b for a, b in zip(histogram.counts, counts, strict=True)]
            histogram.sum += seconds
        return histogram

    @property
    def segmenting(self) -> bool:
        """Whether answers leave together; a kernel that cannot has turned it off."""
        return all(worker.segmenting for worker in self._workers)

    def _take(self, worker: Worker, put: Put) -> bool:
        octets, count = worker.records.take(BATCH_LIMIT, BATCH_OCTETS)
        if count:
            put(octets, count)
        return count > 0

    def _take_tapped(self, worker: Worker, tapped: Callable[[bytes], None] | None) -> bool:
        if tapped is None or worker.taps is None:
            return False
        octets, count = worker.taps.take(TAPPED_LIMIT, BATCH_OCTETS)
        if count:
            tapped(octets)
        return count > 0

    def _summarise(self) -> None:
        now = Counter(self.counts().dropped)
        news, self._told = now - self._told, now
        if news:
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(news.items()))
            log.warning("dropped in %d s: %s", SUMMARY_SECONDS, kinds)


def total(each: Iterable[Counted]) -> Counted:
    """Counters of several as one."""
    every = list(each)

    def added(field: str) -> Counter[object]:
        sums: Counter[object] = Counter()
        for one in every:
            sums.update(getattr(one, field))
        return sums

    plain = (sum(values) for values in zip(*(one[:7] for one in every), strict=True))
    words = map(added, ("answered", "dropped", "calls"))
    found = Counted(*plain, *words)  # type: ignore[arg-type]
    return found._replace(
        handed=sum(one.handed for one in every),
        identity_overflow=sum(one.identity_overflow for one in every),
    )
