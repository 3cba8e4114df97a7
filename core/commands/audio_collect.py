"""Removes files of samples that no object names any more, live or archived.

Invariants:
1. One revision of the data says what is named; what was uploaded since then is too young to go.
2. Nothing goes while a backup is made: it needs the files of the moment in which it began.
"""

import asyncio
import logging
from typing import Final

from ...schema import TYPES
from ...v1.object_pb2 import Object
from ..store.contract import Store
from .archive_keys import archive_type
from .context import Core

KIND: Final = TYPES["audio"]

log = logging.getLogger("callscreen.core")


async def collect(core: Core) -> None:
    """Removes them. Raises OSError, StoreFailed."""
    if core.backup.locked():
        return
    removed = await asyncio.to_thread(core.audio.collect, lambda: named(core.store))
    if removed:
        log.info("%d files of samples were removed: nothing names them", removed)


def named(store: Store) -> set[str]:
    """The digests that objects name. May take long: not for the event loop."""
    with store.read() as reader:
        return {
            Object.FromString(value).audio.digest
            for product in KIND.products
            for type_ in (KIND.type, archive_type(KIND.type))
            for _, value in reader.scan(product, type_)
        }


__all__ = ["collect", "named"]
