"""Answers a stream of requests in order, several at work at once.

Invariants:
1. Answers come in the order of the requests.
2. At most BATCHES_AHEAD requests are at work; beyond that the stream is read no further.
3. When the stream ends or breaks, what is still at work is waited for, not dropped half done.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from ..access import Principal
from ..limits import BATCHES_AHEAD

Request = TypeVar("Request")
Answer = TypeVar("Answer")


async def answered(
    requests: AsyncIterator[tuple[Request, Principal]],
    work: Callable[[Request, Principal], Awaitable[Answer]],
) -> AsyncIterator[Answer]:
    """What work makes of each request. Raises what work or the stream raised, in its place."""
    waiting: asyncio.Queue[asyncio.Future[Answer] | None] = asyncio.Queue(BATCHES_AHEAD)
    reader = asyncio.create_task(_read(requests, work, waiting))
    try:
        while (future := await waiting.get()) is not None:
            yield await future
        await reader
    finally:
        reader.cancel()
        left = [future for future in _rest(waiting) if future is not None]
        await asyncio.gather(reader, *left, return_exceptions=True)


async def _read(
    requests: AsyncIterator[tuple[Request, Principal]],
    work: Callable[[Request, Principal], Awaitable[Answer]],
    waiting: "asyncio.Queue[asyncio.Future[Answer] | None]",
) -> None:
    try:
        async for request, caller in requests:
            await waiting.put(asyncio.ensure_future(_run(work, request, caller)))
    finally:
        if not _cancelled():
            await waiting.put(None)


async def _run(
    work: Callable[[Request, Principal], Awaitable[Answer]], request: Request, caller: Principal
) -> Answer:
    return await work(request, caller)


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _rest(waiting: "asyncio.Queue[Any]") -> list[Any]:
    found = []
    while not waiting.empty():
        found.append(waiting.get_nowait())
    return found


__all__ = ["answered"]
