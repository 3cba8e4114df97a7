"""Replication: a snapshot, then every change; both already encoded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from ...v1 import replication_pb2 as pb
from ..access import Principal
from ..commands import replicate
from ..commands.context import Core
from ..errors import Unavailable


class Replication:
    """callscreen.v1.Replication."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def snapshot(
        self, _request: pb.SnapshotRequest, caller: Principal
    ) -> AsyncIterator[bytes]:
        chunks = replicate.snapshot(self._core, caller)
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            yield chunk

    async def watch(self, request: pb.WatchRequest, caller: Principal) -> AsyncIterator[bytes]:
        async with aclosing(replicate.watch(self._core, caller, request.after)) as changes:
            async for change in changes:
                yield change
        raise Unavailable  # the feed ends when the core stops: come back

    async def follow(self, request: pb.WatchRequest, caller: Principal) -> AsyncIterator[bytes]:
        async with aclosing(replicate.follow(self._core, caller, request.after)) as steps:
            async for changes in steps:
                yield changes
        raise Unavailable


__all__ = ["Replication"]
