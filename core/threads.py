"""Work that would hold up the event loop, done on threads of its own kind.

Invariants:
1. Each kind of work has its own threads: slow lists delay neither logins nor replication.
2. At most `waiting` pieces of work are inside at a time; the rest are turned away (TooMuch). Work
   whose caller has gone counts until a thread is done with it, and is not begun.
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

    def __len__(self) -> int:
        """How many pieces of work are inside, at work or waiting."""
        return self._inside

    @property
    def full(self) -> bool:
        """Whether the next caller is turned away."""
        return self._inside >= self._limit

    async def run(self, work: Callable[[Callable[[], bool]], T]) -> T:
        """What work returns, which is given a way to ask whether its caller has gone.

        Raises TooMuch, and what work raises.
        """
        if self.full:
            raise TooMuch
        gone = False

        def begin() -> T:
            if gone:
                raise TooMuch  # nobody is there to see it
            return work(lambda: gone)

        self._inside += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, begin)
        future.add_done_callback(self._leave)
        try:
            return await asyncio.shield(future)
        finally:
            gone = True

    def _leave(self, _done: object) -> None:
        self._inside -= 1

    def close(self) -> None:
        """Takes nothing more; what has not begun is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)


__all__ = ["Threads"]
