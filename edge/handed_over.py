"""Calls that wait for a thread of caller identity: those of the workers' rings, of streams, and
those that come back with a certificate.

Invariants
1. What was taken in is given out once, what came back first. Nothing is dropped: a full ring is the
   worker's to see, and `put` says that there is no room.
2. Everything has a limit: the octets of a ring, and the calls and octets beside them.
3. Whoever waits is woken by one eventfd; who leaves something behind wakes another.
"""

import contextlib
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..fastpath.handing import read_handed
from ..fastpath.respond_types import Address, Responded, Told
from ..fastpath.ring import RingBuffer
from ..identity.model import Verdict

__all__ = ["HANDED_OCTETS", "Feed", "Piece"]

HANDED_OCTETS = 4 * 1024 * 1024  # of a worker's calls that wait: some 4,000
CALLS_MOST = 4_096  # of streams that wait
OCTETS_MOST = 16 * 1024 * 1024  # of these
TAKEN_CALLS, TAKEN_OCTETS = 16, 64 * 1024  # out of a ring at a time: others have their share
BUSY_CALLS = 32  # where more than TAKEN_OCTETS wait: the more at a time, the less each costs
WAIT_MS = 100

# Sends an answer; the octets say which of several own addresses it leaves from.
# Gives what was amiss, "" for nothing.
Send = Callable[[Responded, bytes], str]


@dataclass(slots=True, eq=False)
class Piece:
    """One call: a message, where it came from, and how it is answered, from any thread."""

    request: bytes
    source: Address
    transport: str
    now_ns: int  # Unix time of its receipt
    via_trusted: bool
    send: Send
    own: bytes = b""  # packet information, of a socket with several addresses
    key: bytes = b""  # by which it is remembered; empty: it is not
    verdict: Verdict | None = None  # once it was waited for
    told: Told | None = None  # before, where it comes again


class Feed:
    """Any thread puts and takes; `rings` are the workers', each with what sends its answers."""

    def __init__(self, rings: Sequence[tuple[RingBuffer, Send]] = ()) -> None:
        self._rings = list(rings)
        self._lock = threading.Lock()
        self._new: deque[Piece] = deque()
        self._octets = 0  # of the new
        self._back: deque[Piece] = deque()
        self._turn = 0  # the ring that is looked at first
        self.wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def add(self, ring: RingBuffer, send: Send) -> None:
        """A worker's ring; before anybody takes."""
        self._rings.append((ring, send))

    def put(self, piece: Piece) -> bool:
        """Takes in a call; False where there is no room."""
        size = len(piece.request)
        with self._lock:
            if len(self._new) >= CALLS_MOST or self._octets + size > OCTETS_MOST:
                return False
            self._new.append(piece)
            self._octets += size
        self._wake()
        return True

    def come_back(self, piece: Piece) -> None:
        """Takes a call that was taken before."""
        with self._lock:
            self._back.append(piece)
        self._wake()

    def take(self) -> list[Piece]:
        """Some calls; waits a tenth of a second at most, and is then empty."""
        waiting = select.poll()
        waiting.register(self.wake, select.POLLIN)
        if not waiting.poll(WAIT_MS):
            return self.take_now()
        with contextlib.suppress(BlockingIOError):  # another thread was faster
            os.eventfd_read(self.wake)
        return self.take_now()

    def take_now(self) -> list[Piece]:
        """Some calls, without a wait."""
        with self._lock:
            found = self._some()
            if found and self._left():
                self._wake()
        return found

    def __len__(self) -> int:
        """Calls that wait, those in rings not included."""
        return len(self._new) + len(self._back)

    @property
    def empty(self) -> bool:
        """Whether nothing waits at all."""
        return not self._left()

    def in_rings(self) -> int:
        """Octets of calls that wait in rings."""
        return sum(len(ring) for ring, _ in self._rings)

    def close(self) -> None:
        """After the last use."""
        os.close(self.wake)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it is as high as it gets: all are awake
            os.eventfd_write(self.wake, 1)

    def _left(self) -> bool:
        return bool(self._new or self._back or self.in_rings())

    def _some(self) -> list[Piece]:
        found: list[Piece] = []
        most = BUSY_CALLS if self.in_rings() > TAKEN_OCTETS else TAKEN_CALLS
        while self._back and len(found) < most:
            found.append(self._back.popleft())
        for _ in self._rings:
            if len(found) >= most:
                return found
            ring, send = self._rings[self._turn % len(self._rings)]
            self._turn += 1
            entries, _ = ring.take(most - len(found), TAKEN_OCTETS)
            found += pieces_of(entries, send)
        while self._new and len(found) < most:
            piece = self._new.popleft()
            self._octets -= len(piece.request)
            found.append(piece)
        return found


def pieces_of(entries: bytes, send: Send) -> list[Piece]:
    """Calls out of entries of a worker's ring."""
    return [
        Piece(request, (host, port), "udp", now_ns, via_trusted, send, own)
        for now_ns, host, port, request, via_trusted, own in read_handed(entries)
    ]
