"""Work that would hold up the event loop, done on threads of its own kind.

Invariants:
1. Each kind of work has its own threads: slow lists delay neither logins nor replication.
2. At most `waiting` callers are let in at a time; the rest are turned away (TooMuch).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .errors import TooMuch

T = TypeVar("T")


class Threads:
    def __init__(self, name: str, at_once: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix=name)
        self._limit = waiting
        self._inside = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What work returns. Raises TooMuch, and what work raises."""
        if self._inside >= self._limit:
            raise TooMuch
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._inside -= 1

    def close(self) -> None:
        """Takes nothing more; what has not begun is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)


__all__ = ["Threads"]
