"""Counts the open readers, and lets one caller be alone with the environment.

Invariants:
1. Growing or closing an environment happens while no reader is open.
2. A thread that holds a reader may open another while somebody waits to be alone: it cannot
   deadlock against itself.
3. A reader that is meant to last (a copy) is no old one.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from .contract import StoreClosed, StoreFailed


class Gate:
    """Readers enter and leave; `alone` waits for them. Safe to use from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._condition = threading.Condition(self._lock)
        self._open: dict[int, tuple[int, float]] = {}  # ticket: thread, time of entry
        self._tickets = count()
        self._held = False
        self._closed = False
        self._lasting: set[int] = set()  # tickets

    def enter(self, lasting: bool = False) -> int:
        """Counts a reader; the ticket with which it leaves. Raises StoreClosed."""
        thread = threading.get_ident()
        with self._lock:
            while self._held and all(thread != other for other, _ in self._open.values()):
                self._condition.wait()
            if self._closed:
                raise StoreClosed
            ticket = next(self._tickets)
            self._open[ticket] = (thread, self._clock())
            if lasting:
                self._lasting.add(ticket)
        return ticket

    def leave(self, ticket: int) -> None:
        """The reader with this ticket is done."""
        with self._lock:
            del self._open[ticket]
            self._lasting.discard(ticket)
            if self._held and not self._open:
                self._condition.notify_all()

    @contextmanager
    def reader(self) -> Iterator[None]:
        """Counted for as long as the block runs. Raises StoreClosed."""
        ticket = self.enter()
        try:
            yield
        finally:
            self.leave(ticket)

    @contextmanager
    def alone(self, seconds: float) -> Iterator[None]:
        """No reader is open while the block runs. Raises StoreFailed where they do not leave."""
        with self._lock:
            self._held = True
            try:
                if not self._condition.wait_for(lambda: not self._open, seconds):
                    raise StoreFailed("A reader of the store has been open for too long.")
                yield
            finally:
                self._held = False
                self._condition.notify_all()

    def close(self) -> None:
        """Lets no reader in any more."""
        with self._lock:
            self._closed = True

    def oldest_age(self) -> float:
        """Seconds that the oldest reader has been open; 0.0 where there is none."""
        with self._lock:
            ages = [at for ticket, (_, at) in self._open.items() if ticket not in self._lasting]
            return self._clock() - min(ages) if ages else 0.0


__all__ = ["Gate"]
