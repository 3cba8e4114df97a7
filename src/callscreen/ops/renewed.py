"""What is made of files, made anew where they changed.

Invariants
1. Files that changed are taken together or not at all; while they do not fit, what was made of the
   last good ones holds, they are tried again every RETRY_SECONDS, and the log has a line a reason.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

__all__ = ["Renewed"]

T = TypeVar("T")
RETRY_SECONDS = 5.0  # no stranger's handshake has the same files read again before

Stamps = tuple[tuple[int, int, int], ...]


class Renewed(Generic[T]):
    """`look` may be called from any thread."""

    def __init__(self, paths: Sequence[Path], make: Callable[[], T], log: logging.Logger) -> None:
        """`make` reads the files; the first names them all in the log. Raises what it raises."""
        self._paths = paths
        self._make = make
        self._log = log
        self._lock = threading.Lock()
        self._told = ""  # why those of the moment were not taken
        self._refused: tuple[Stamps, float] = (), 0.0  # those, and until when
        self.failures = 0  # that were told
        self._stamps = self._stat()
        self._made = make()

    @property
    def made(self) -> T:
        """What was made at the last look."""
        return self._made

    def look(self) -> T:
        """What is made of the files of this moment. Raises nothing."""
        with self._lock:
            try:
                stamps = self._stat()  # before they are read: what comes in between is another look
                refused, until = self._refused
                if stamps == refused and time.monotonic() < until:
                    return self._made
                if stamps != self._stamps:
                    self._refused = stamps, time.monotonic() + RETRY_SECONDS
                    self._made = self._make()
                    self._stamps, self._refused = stamps, ((), 0.0)
                    self._log.info("the files of %s are in use", self._paths[0])
                self._told = ""
            except (OSError, ValueError) as error:
                self._failed(str(error))
            return self._made

    def _failed(self, why: str) -> None:
        if why != self._told:
            self.failures += 1
            self._log.error("%s: not taken, the last good one stays: %s", self._paths[0], why)
        self._told = why

    def _stat(self) -> Stamps:
        """What tells that a file is another, or can be read now: its last change of any kind."""
        stats = [path.stat() for path in self._paths]
        return tuple((stat.st_ctime_ns, stat.st_ino, stat.st_size) for stat in stats)
