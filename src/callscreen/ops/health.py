"""Whether a part can do its work now.

Invariants:
1. However many ask, the checks run once at a time, and not again within CHECKED_SECONDS.
2. A check that raises, or takes longer than CHECK_SECONDS, found that the part is not ready.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from .limits import CHECK_SECONDS, CHECKED_SECONDS

__all__ = ["STARTING", "STOPPING", "Check", "Health"]

STARTING, STOPPING = "starting", "stopping"
Check = Callable[[], Awaitable[str]]  # why the part is not ready; empty: it is

log = logging.getLogger("callscreen")


class Health:
    """The checks of a part; without any it is ready once it serves. `ticks` gives seconds."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._checks: list[Check] = []
        self._state = STARTING
        self._running: asyncio.Task[str] | None = None
        self._since = 0.0  # when it began

    def check(self, check: Check) -> None:
        """Adds a check."""
        self._checks.append(check)

    def serving(self) -> None:
        """The part answers: from here on the checks decide."""
        self._state = ""

    def stopping(self) -> None:
        """The part takes nothing more."""
        self._state = STOPPING

    @property
    def ends(self) -> bool:
        """Whether the part stops."""
        return self._state == STOPPING

    async def why_not(self) -> str:
        """Why the part is not ready, in a line; empty where it is."""
        if self._state:
            return self._state
        now = self._ticks()
        if self._running is None or (
            self._running.done() and not 0 <= now - self._since < CHECKED_SECONDS
        ):
            self._since = now
            self._running = asyncio.create_task(self._ask())
        return self._state or await asyncio.shield(self._running)

    async def _ask(self) -> str:
        found = [await self._one(check) for check in self._checks]
        return "; ".join(why for why in found if why)

    async def _one(self, check: Check) -> str:
        try:
            return await asyncio.wait_for(check(), CHECK_SECONDS)
        except TimeoutError:
            return f"a check took longer than {CHECK_SECONDS:g} seconds"
        except Exception:
            log.exception("a check of readiness failed")
            return "a check failed"
