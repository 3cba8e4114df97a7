"""What the core does by itself, again and again: expiry, retention, rotation.

Invariants:
1. A chore that fails is logged and tried again at its next time; it ends no other.
2. A chore runs once at the start, then each time its interval is over; never twice at a time.
3. Stopping waits for nothing but the step at hand.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from .origin import Origin, origin

log = logging.getLogger("callscreen.core")


class Chore(NamedTuple):
    """`seconds` between the end of one run and the beginning of the next."""

    name: str
    seconds: float
    work: Callable[[], Awaitable[None]]


async def repeat(chore: Chore) -> None:
    """Runs one chore until it is cancelled."""
    while True:
        try:
            with origin(Origin(method=chore.name)):
                await chore.work()
        except Exception:
            log.exception("chore %s failed", chore.name)
        await asyncio.sleep(chore.seconds)


class Chores:
    """Runs chores, each as a task of its own."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        self._tasks = [asyncio.create_task(repeat(chore), name=chore.name) for chore in chores]

    async def close(self) -> None:
        """Ends them all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


__all__ = ["Chore", "Chores", "repeat"]
