"""When the core ends: told to, or because the disk left it no other way.

Invariants:
1. A store that is fatal answers nothing any more; what it holds is known once it is opened anew, so
   the process ends, and whoever watches over it starts it again.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from .limits import FATAL_SECONDS
from .store.contract import StoreFailed

FATAL: Final = (
    "The disk failed while a change was made durable. The core ends: started again, it goes on with"
    " what is on the disk."
)


class Fallible(Protocol):
    @property
    def fatal(self) -> bool:
        """Whether only opening it anew shows what it holds."""


async def ended(stop: asyncio.Event, stores: Sequence[Fallible]) -> None:
    """Returns once `stop` is set. Raises StoreFailed once a store is fatal."""
    while not any(store.fatal for store in stores):
        try:
            return await _set(stop, FATAL_SECONDS)
        except TimeoutError:
            continue
    raise StoreFailed(FATAL)


async def _set(stop: asyncio.Event, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        await stop.wait()


__all__ = ["FATAL", "ended"]
