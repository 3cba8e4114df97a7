"""Calls that must be made one after another and may hang: made in one thread, waited for so long.

Invariant: a call that hangs holds that one thread. Who asks meanwhile is refused at once, until it
has come back.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

__all__ = ["Line", "Stuck"]

Found = TypeVar("Found")


class Stuck(Exception):
    """No answer in time."""


class Call:
    """A call in the line, with what it gave or raised. Its locks cost less than a Future."""

    __slots__ = ("begun", "call", "error", "found", "running")

    def __init__(self, call: Callable[[], Any]) -> None:
        self.call = call
        self.found: Any = None
        self.error: BaseException | None = None
        self.begun = threading.Lock()  # held by who makes the call, or has given it up
        self.running = threading.Lock()  # held until it has come back
        self.running.acquire()

    def make(self) -> None:
        try:
            self.found = self.call()
        except BaseException as error:
            self.error = error
        self.running.release()


class Line:
    """Threads may share it; the end of the process does not wait for it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: SimpleQueue[Call] = SimpleQueue()
        self._lock = threading.Lock()  # of the thread
        self._thread: threading.Thread | None = None
        self._hanging: Call | None = None  # what was last given up while it ran

    def do(self, call: Callable[[], Found], seconds: float) -> Found:
        """What the call gives or raises. Raises Stuck where that takes longer, its turn included;
        it goes on then, unless it had not begun."""
        if self._hanging is not None and self._hanging.running.locked():
            raise Stuck
        asked = Call(call)
        self._start()
        self._calls.put(asked)
        if not asked.running.acquire(timeout=seconds):
            if not asked.begun.acquire(blocking=False):
                self._hanging = asked
            raise Stuck
        if asked.error is not None:
            raise asked.error
        found: Found = asked.found
        return found

    def _start(self) -> None:
        if self._thread is not None and self._thread.is_alive():  # a forked process has none
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            asked = self._calls.get()
            if asked.begun.acquire(blocking=False):
                asked.make()
