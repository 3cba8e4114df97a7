"""Calls that are being signed: how many each caller may ask for, and that each comes to its end.

Invariants:
1. What has begun is done whole though who asked is gone: no signature is without its row of the
   audit log.
2. Nobody's haste costs another: who asks has a rate of its own.
"""

import asyncio
import logging
from collections.abc import Coroutine, Hashable
from typing import Any, Final, TypeVar

from .buckets import Buckets
from .errors import TooMuch
from .limits import SIGNERS
from .origin import current

SECONDS: Final = 1.0  # in which as many may be asked for as the rate says

T = TypeVar("T")

log = logging.getLogger("callscreen.core")


class Signings:
    """`rate` is in signatures a second of one who asks; 0: any."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._asked = Buckets(rate, SECONDS, SIGNERS) if rate else None
        self._under_way: set[asyncio.Task[Any]] = set()

    def let_in(self, who: Hashable, now: float) -> None:
        """Counts one more; `now` is in seconds that never go back. Raises TooMuch."""
        if self._asked is not None and not self._asked.take(who, now):
            raise TooMuch(f"Too many signatures: at most {self._rate} a second.")

    async def whole(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work gives or raises. It goes on to its end where the caller is cancelled."""
        current()  # read while the call is there: gRPC frees one that is over
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(tell)
            raise

    async def close(self) -> None:
        """Waits for what is under way; for before the committer's close."""
        await asyncio.gather(*self._under_way, return_exceptions=True)


def tell(task: "asyncio.Task[Any]") -> None:
    """Nobody else is left to be told."""
    fault = asyncio.CancelledError() if task.cancelled() else task.exception()
    if fault is not None:
        log.error("a signature that nobody waited for has no row in the audit log", exc_info=fault)


__all__ = ["Signings"]
