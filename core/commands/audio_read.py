"""Reads the file of an audio object, whole or in part.

Invariants:
1. What the caller may not see looks not provisioned.
2. All octets are of one file, whatever becomes of the object meanwhile.
"""

import asyncio
import os
from collections.abc import AsyncGenerator

from ..access import Principal
from ..errors import InvalidInput, NotFound
from ..limits import AUDIO_CHUNK
from .context import Core
from .get import get


async def read(
    core: Core, caller: Principal, name: str, offset: int = 0, length: int = 0
) -> AsyncGenerator[tuple[bytes, int], None]:
    """Pieces of the file, each with the length of the whole; `length` 0: to the end.

    Raises InvalidInput (`offset` lies beyond the file), NotFound.
    """
    found = get(core, caller, name)
    if found.WhichOneof("kind") != "audio" or not found.audio.digest:
        raise NotFound("The object has no file.")
    total = found.audio.length
    if offset > total:
        message = "The offset lies beyond the file."
        raise InvalidInput(message, [("offset", "range", message)])
    end = min(total, offset + length) if length else total
    with await asyncio.to_thread(core.audio.open, found.audio.digest) as file:
        while offset < end:
            piece = await asyncio.to_thread(
                os.pread, file.fileno(), min(AUDIO_CHUNK, end - offset), offset
            )
            if not piece:
                raise NotFound("The object's file is not whole.")
            yield piece, total
            offset += len(piece)


__all__ = ["read"]
