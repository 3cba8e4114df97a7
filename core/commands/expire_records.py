"""Removes call records that are too old.

Invariants:
1. What is removed came longer ago than the product's `restworkx.record_max_days`; 0 keeps all.
2. A step is one short transaction; appends go on between any two.
"""

import asyncio
from typing import Final

from ...schema import PRODUCTS, TYPES
from .context import Core
from .effective import platform_settings

DAY: Final = 86_400  # seconds


async def expire_records(core: Core) -> None:
    """Removes what is too old of each product. Raises StoreFull, StoreFailed."""
    for product in PRODUCTS:
        days = record_days(core, product)
        before = core.clock() - days * DAY
        more = days > 0
        while more:
            more = await asyncio.to_thread(core.records.expire, product, before)


def record_days(core: Core, product: str) -> int:
    """How long call records are kept, in days; 0: for ever."""
    with core.store.read() as reader:
        settings = platform_settings(reader, product)
    if not settings.restworkx.HasField("record_max_days"):  # stored before there was such a one
        TYPES["settings"].complete(settings, product)
    return settings.restworkx.record_max_days


__all__ = ["expire_records", "record_days"]
