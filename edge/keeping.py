"""Keeps the replica on disk near the one in memory, while the event loop runs.

Invariants
1. Whoever changes a view, or what is on disk, holds the lock; an image is written without it.
2. A write that was begun is ended before its task is.
3. A fault of ours, or a want of memory, is told and tried again later: what answers goes on.
"""

import asyncio
import logging
from collections.abc import Callable

from ..v1.replication_pb2 import ResumeToken
from .local import Local, ViewT

__all__ = ["KEEP_SECONDS", "keep"]

log = logging.getLogger("callscreen.edge")

KEEP_SECONDS = 1.0  # between two looks at what the disk is owed


async def keep(
    local: Local[ViewT],
    changing: asyncio.Lock,
    standing: Callable[[], tuple[ViewT, ResumeToken] | None],
) -> None:
    """Goes on until cancelled. `standing` gives what is to be kept now, and of which revision."""
    while True:
        await asyncio.sleep(KEEP_SECONDS)
        try:
            await _once(local, changing, standing)
        except Exception as error:
            if not local.failure:
                log.exception("the replica on disk is not kept for a while")
            async with changing:
                local.failed(error)


async def _once(
    local: Local[ViewT],
    changing: asyncio.Lock,
    standing: Callable[[], tuple[ViewT, ResumeToken] | None],
) -> None:
    """What the disk is owed now."""
    async with changing:
        await _whole(local.sync)
        found = standing()
        image = local.begin(*found) if found is not None and local.due() else None
    if image is not None:
        await _whole(local.write, image)
        async with changing:
            await _whole(local.finish, image)


async def _whole(work: Callable[..., None], *arguments: object) -> None:
    """Runs it in a thread, to its end."""
    task = asyncio.create_task(asyncio.to_thread(work, *arguments))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
