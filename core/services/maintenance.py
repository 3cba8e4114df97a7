"""Maintenance: care of the data, for internal services."""

from collections.abc import AsyncIterator

from ...v1 import maintenance_pb2 as pb
from ..access import Principal
from ..commands import backup
from ..commands.context import Core


class Maintenance:
    """callscreen.v1.Maintenance."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def backup(
        self, request: pb.BackupRequest, caller: Principal
    ) -> AsyncIterator[pb.BackupChunk]:
        pieces = backup.backup(self._core, caller, not request.without_records)
        try:
            async for piece in pieces:
                yield pb.BackupChunk(data=piece)
        finally:
            await pieces.aclose()


__all__ = ["Maintenance"]
