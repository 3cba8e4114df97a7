"""Answers a stream of requests in order, several at work at once.

Invariants:
1. Answers come in the order of the requests.
2. At most BATCHES_AHEAD requests are at work; beyond that the stream is read no further.
3. When the stream ends or breaks, what is still at work is waited for, not dropped half done.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from ..access import Principal
from ..limits import BATCHES_AHEAD

Request = TypeVar("Request")
Answer = TypeVar("Answer")


async def answered(
    requests: AsyncIterator[tuple[Request, Principal]],
    work: Callable[[Request, Principal], Awaitable[Answer]],
) -> AsyncIterator[Answer]:
    """What work makes of each request. Raises what work or the stream raised, in its place."""
    waiting: asyncio.Queue[asyncio.Task[Answer] | None] = asyncio.Queue(BATCHES_AHEAD)
    begun: set[asyncio.Task[Answer]] = set()
    reader = asyncio.create_task(_read(requests, work, waiting, begun))
    try:
        while (task := await waiting.get()) is not None:
            yield await asyncio.shield(task)
        await reader
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        await asyncio.gather(*begun, return_exceptions=True)


async def _read(
    requests: AsyncIterator[tuple[Request, Principal]],
    work: Callable[[Request, Principal], Awaitable[Answer]],
    waiting: "asyncio.Queue[asyncio.Task[Answer] | None]",
    begun: "set[asyncio.Task[Answer]]",
) -> None:
    try:
        async for request, caller in requests:
            task = asyncio.create_task(_run(work, request, caller))
            begun.add(task)
            task.add_done_callback(lambda done: _ended(done, begun))
            await waiting.put(task)
    finally:
        if not _cancelled():
            await waiting.put(None)


def _ended(task: "asyncio.Task[Answer]", begun: "set[asyncio.Task[Answer]]") -> None:
    begun.discard(task)
    if not task.cancelled():
        task.exception()  # seen, even where nobody is left to be told


async def _run(
    work: Callable[[Request, Principal], Awaitable[Answer]], request: Request, caller: Principal
) -> Answer:
    return await work(request, caller)


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


__all__ = ["answered"]
