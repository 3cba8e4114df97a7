"""Keeps what is known of log-ins over a restart: lock-outs, failures and homes, in one file.

Invariants:
1. It is written when something changed, every LOGINS_KEPT_SECONDS at most and at a stop: no attempt
   causes a write of its own. A core that is killed loses what came since.
2. Time goes on while no core runs, by the wall clock; where that went back, none has passed.
3. A file that cannot be read or written costs what it would have kept, and a line in the log.
"""

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from .files import write_secret
from .logins import Logins

log = logging.getLogger("callscreen.core")


class LoginsFile:
    """`ticks` and `clock` as the core has them."""

    def __init__(
        self,
        path: Path,
        logins: Logins,
        ticks: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self._path = path
        self._logins = logins
        self._ticks = ticks
        self._clock = clock
        self._written = ""
        self._writing = threading.Lock()  # a stop does not wait for what was begun before it

    def load(self) -> None:
        """Takes up what the core before left."""
        try:
            held = json.loads(self._path.read_text(encoding="ascii"))
            passed = max(0.0, self._clock() - held["clock"])
            self._logins.restore(held["logins"], self._ticks() - held["ticks"] - passed)
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, LookupError, ArithmeticError) as error:
            log.warning("lock-outs of log-ins are forgotten: %s", type(error).__name__)

    async def keep(self) -> None:
        """Writes it, where it changed."""
        logins = json.dumps(self._logins.state())
        if logins == self._written:
            return
        text = f'{{"clock": {self._clock()}, "ticks": {self._ticks()}, "logins": {logins}}}'
        try:
            await asyncio.to_thread(self._write, text)
        except OSError as error:
            log.warning("lock-outs of log-ins are not kept: %s", error.strerror)
        else:
            self._written = logins

    def _write(self, text: str) -> None:
        with self._writing:
            write_secret(self._path, text)


__all__ = ["LoginsFile"]
