"""Streams a backup of the data folder.

Invariants:
1. Internal services only: a backup holds every secret of every tenant.
2. One at a time. Whatever ends it, the store is let go.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from ... import __version__
from ..access import Principal, Verb
from ..audit.files import PREFIX, entry_of
from ..errors import TooMuch, Unavailable
from ..store.contract import Copied
from ..store.tables import decode_number
from ..upkeep.backup import Backup
from .context import Core

RUNNING: Final = "A backup is being made already."
IN_MEMORY: Final = "There is no data folder to back up."


async def backup(core: Core, caller: Principal, with_records: bool) -> AsyncGenerator[bytes, None]:
    """The archive in pieces. Raises PermissionDenied, TooMuch, StoreFull, StoreFailed."""
    caller.require("", "maintenance", (), Verb.READ)
    if not isinstance(core.store, Copied) or not isinstance(core.records, Copied):
        raise Unavailable(IN_MEMORY)
    if core.backup.locked():
        raise TooMuch(RUNNING)
    made = Backup(
        core.data,
        core.store,
        core.records if with_records else None,
        (__version__, core.store.id, core.store.epoch),
        lambda: audit_lengths(core),
        core.clock(),
    )
    async with core.backup:
        pieces = made.pieces()
        step = None
        try:
            while True:
                step = asyncio.ensure_future(asyncio.to_thread(next, pieces, None))
                piece = await asyncio.shield(step)
                if piece is None:
                    return
                yield piece
        finally:
            made.cancel()
            if step is not None:
                await asyncio.wait([step])
            pieces.close()


def audit_lengths(core: Core) -> dict[str, int]:
    """Of each file of the audit log, by its name in the data folder: committed octets."""
    with core.store.read() as reader:
        return {
            "/".join(("audit", *entry_of(key))): decode_number(value)
            for key, value in reader.scan_private(PREFIX)
        }


__all__ = ["audit_lengths", "backup"]
