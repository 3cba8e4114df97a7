"""Threads that verify and sign: calls handed over by workers and streams go on from here.

Invariants
1. Every call that was taken is answered, a stop included; what finds no room is answered at once as
   one that could not be told, and counted.
2. A call waits for a certificate on the event loop alone, at most `fetch_budget` from its receipt.
3. Records and what is tapped reach the event loop in batches; what finds no room on its way is
   counted as lost.
4. Where workers want the same core they come first: calls that await nothing stay as fast as they
   are without these threads.
"""

import asyncio
import contextlib
import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from ..fastpath.asking import Asker
from ..fastpath.counts_types import Counted
from ..fastpath.forwarding import Forwarding, NameTable
from ..fastpath.peers import PeerTable
from ..fastpath.respond_types import SEED_OCTETS, Address, Responded, Told
from ..fastpath.ring import RingBuffer
from ..identity.model import Verdict
from ..ops import Add
from ..ops.metrics import SLOW, Histogram
from .clerk import Clerk, Look, could_not_tell
from .handed_over import HANDED_OCTETS, Feed, Piece
from .remembered import Remembered
from .replying import Replier
from .taps import Taps
from .verifying import Identity, Wanted
from .waiting import BATCH_LIMIT
from .workers import Put, WorkerConfig, total

__all__ = ["Identifying", "Reply"]

log = logging.getLogger("callscreen.edge")

LOOK_SECONDS = 0.02  # between two batches of records
CERTIFICATES_MOST = 4_096  # calls that wait for a certificate
KEPT_MOST = 20_000  # records that wait for the event loop
TAPPED_MOST = 1_000  # messages that wait for it
NICENESS = 5  # of the threads, above the workers': a third of the time where both want a core

Reply = Callable[[Responded], None]  # takes an answer, on the event loop


class Identifying:
    """`threads` of them, each with a responder of its own. `alike` is what workers have alike;
    `taps` are those who look, if there are any."""

    def __init__(
        self,
        identity: Identity,
        index: Look,
        alike: WorkerConfig,
        random: Callable[[int], bytes],
        *,
        threads: int = 2,
        taps: Taps | None = None,
        wall: Callable[[], int] = time.time_ns,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._identity = identity
        self._wall = wall
        self._segmenting = alike.segmenting
        self.taps = taps
        self._lock = threading.Lock()  # of the six below
        self._kept: list[bytes] = []
        self._tapped: deque[tuple[Piece, Responded]] = deque(maxlen=TAPPED_MOST)
        self._waiting = 0  # calls that wait for a certificate
        self._overflow = {"streams": 0, "certificates": 0}
        self._handed = 0  # calls of streams
        self._lost = 0  # records
        self._tasks: set[asyncio.Future[Verdict]] = set()
        self._repliers: list[Replier] = []
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self.feed = Feed()
        remembered = Remembered[Told](now)
        self._clerks = [
            Clerk(
                Asker(
                    None,
                    alike.secret,
                    seed=random(SEED_OCTETS),
                    recent=alike.recent,
                    edge=alike.edge,
                    product=alike.product,
                ),
                identity,
                index,
                remembered,
                self._keep,
                wall,
            )
            for _ in range(threads)
        ]
        self._threads = [
            threading.Thread(
                target=self._work, args=(clerk,), name=f"identity-{place}", daemon=True
            )
            for place, clerk in enumerate(self._clerks)
        ]

    @property
    def wake(self) -> int:
        """The eventfd that is written to once something stands in a ring."""
        return self.feed.wake

    def ring(self, sock: socket.socket) -> RingBuffer:
        """Where the worker of a socket puts calls that it hands over; before `start`."""
        ring = RingBuffer(HANDED_OCTETS)
        replier = Replier(sock, self._segmenting)
        self._repliers.append(replier)
        self.feed.add(ring, replier)
        return ring

    def forward(self, make: Callable[[], Forwarding], peers: Callable[[], PeerTable]) -> None:
        """Sends calls on that came as datagrams: each thread by its own; before `start`."""
        for clerk in self._clerks:
            clerk.forward(make(), peers)

    def resolve(self, names: NameTable) -> None:
        """Where names of egress routes lead from now on."""
        for clerk in self._clerks:
            clerk.resolve(names)

    def start(self) -> None:
        """Works from here on; on the event loop."""
        self._loop = asyncio.get_running_loop()
        for thread in self._threads:
            thread.start()

    def hand_over(
        self,
        message: bytes,
        source: Address,
        transport: str,
        now_ns: int,
        via_trusted: bool,
        reply: Reply,
    ) -> bool:
        """Takes a call of a stream, which is answered by `reply`; False where there is no room."""

        def send(done: Responded, own: bytes) -> str:
            assert self._loop is not None
            self._loop.call_soon_threadsafe(reply, done)
            return ""

        piece = Piece(message, source, transport, now_ns, via_trusted, send)
        taken = not self._stopping and self.feed.put(piece)
        with self._lock:
            self._handed += taken
            self._overflow["streams"] += not taken
        return taken

    async def run(self, put: Put) -> None:
        """Gives records and what is tapped on, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._give(put)

    async def stop(self, put: Put) -> None:
        """Answers what was taken, at once, and ends; for after the workers' stop."""
        self._stopping = True
        for task in list(self._tasks):
            task.cancel()
        for thread in self._threads:
            if thread.is_alive():
                await asyncio.to_thread(thread.join)
        self._give(put)
        self.close()

    def close(self) -> None:
        """Gives up what is needed to run, where it does not."""
        for replier in self._repliers:
            replier.close()
        self.feed.close()

    def counts(self) -> Counted:
        """What the threads have counted, but for what was received."""
        counted = total(clerk.counts() for clerk in self._clerks)
        return counted._replace(
            records_made=counted.records_made - self._lost,
            records_lost=counted.records_lost + self._lost,
        )

    def show(self, add: Add, workers: Counted) -> None:
        """Gives the metrics of the moment; `workers` is what these have counted."""
        seconds = Histogram(SLOW)
        for clerk in self._clerks:
            pairs = zip(seconds.counts, clerk.seconds.counts, strict=True)
            seconds.counts = [mine + theirs for mine, theirs in pairs]
            seconds.sum += clerk.seconds.sum
        add("callscreen_edge_identity_handed_total", workers.handed, "workers")
        add("callscreen_edge_identity_handed_total", self._handed, "streams")
        add("callscreen_edge_identity_calls_total", seconds.count)
        add("callscreen_edge_identity_seconds", seconds)
        add("callscreen_edge_identity_waiting", len(self.feed), "thread")
        add("callscreen_edge_identity_waiting", self._waiting, "certificate")
        add("callscreen_edge_identity_waiting_bytes", self.feed.in_rings())
        overflow = {"workers": workers.identity_overflow} | self._overflow
        for where, count in overflow.items():
            add("callscreen_edge_identity_overflow_total", count, where)
        repeated = sum(clerk.repeated for clerk in self._clerks)
        add("callscreen_edge_identity_repeated_total", repeated)

    # In the threads

    def _work(self, clerk: Clerk) -> None:
        stand_back()
        while True:
            self._some(clerk, self.feed.take())
            if self._stopping and not self._waiting and self.feed.empty:
                return

    def _some(self, clerk: Clerk, pieces: list[Piece]) -> None:
        for piece, wanted in clerk.work(pieces) if pieces else ():
            with self._lock:
                room = self._waiting < CERTIFICATES_MOST and not self._stopping
                self._waiting += room
                self._overflow["certificates"] += not room
            if room:
                assert self._loop is not None
                self._loop.call_soon_threadsafe(self._wait, piece, wanted)
            else:
                piece.verdict = could_not_tell("too many calls wait for certificates")
                clerk.work([piece])

    def _keep(self, done: Sequence[tuple[Piece, Responded]]) -> None:
        records = [each.record for _, each in done if each.record is not None]
        with self._lock:
            taken = records[: max(0, KEPT_MOST - len(self._kept))]
            self._kept += taken
            self._lost += len(records) - len(taken)
            if self.taps is not None and self.taps.on:
                self._tapped.extend(done)

    # On the event loop

    def _wait(self, piece: Piece, wanted: Wanted) -> None:
        """Works on a call again once it can be told, or its time is over."""
        spent = (self._wall() - piece.now_ns) / 1e9
        left = max(0.0, wanted.budget - max(0.0, spent))
        task = asyncio.ensure_future(self._identity.verify(*wanted._replace(budget=left)))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._waited(piece, done))
        if self._stopping:
            task.cancel()

    def _waited(self, piece: Piece, task: asyncio.Future[Verdict]) -> None:
        self._tasks.discard(task)
        fault = None if task.cancelled() else task.exception()
        if fault is not None:  # of ours: the call goes on all the same
            log.error("a caller's identity could not be verified", exc_info=fault)
        failed = task.cancelled() or fault is not None
        piece.verdict = could_not_tell("it was given up") if failed else task.result()
        self.feed.come_back(piece)
        with self._lock:
            self._waiting -= 1  # only now: the threads stay for as long as anything may come

    def _give(self, put: Put) -> None:
        with self._lock:
            kept, self._kept = self._kept, []
            tapped = list(self._tapped)
            self._tapped.clear()
        for first in range(0, len(kept), BATCH_LIMIT):
            some = kept[first : first + BATCH_LIMIT]
            put(b"".join(some), len(some))
        if self.taps is None:
            return
        for piece, done in tapped:
            self.taps.stream(piece.request, piece.source, piece.transport, piece.now_ns, done)


def stand_back() -> None:
    """Lets other threads of the process come before the one that asks."""
    thread = threading.get_native_id()  # Linux takes a thread for a process here
    with contextlib.suppress(OSError):  # it runs all the same
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)
