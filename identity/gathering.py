"""Fetches the lists of telephone numbers that the certificates of a path name.

Invariants
1. A path has all the lists that its certificates name, or could not be fetched.
2. What is wrong with a list's host, or with what that serves, is held against the path's own URL,
   and not against the host that serves the path.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from cryptography import x509

from .fetching import Fetched, Unfetched
from .listing import LIST_OCTETS, NOTHING, Lists, urls_of
from .model import Fault

__all__ = ["gathered"]

LEAST_SECONDS = 3_600.0  # that a list is kept, however little its answer says
KEEP_SECONDS = 86_400.0  # where it says nothing

Get = Callable[[str, int], Awaitable[Fetched]]  # of a URL at most so many octets; raises Fault


async def gathered(path: Sequence[x509.Certificate], get: Get) -> Lists:
    """The lists that a path needs. Raises Unfetched."""
    try:
        urls = urls_of(path)
    except Fault:
        return NOTHING  # it is refused as it is
    if not urls:
        return NOTHING
    answers = await asyncio.gather(*(one(url, get) for url in urls))
    lives = [each.max_age or KEEP_SECONDS for each in answers]
    octets = {url: each.octets for url, each in zip(urls, answers, strict=True)}
    try:
        return await asyncio.to_thread(Lists.of, octets, max(min(lives), LEAST_SECONDS))
    except Fault as fault:
        raise blameless(fault) from fault


async def one(url: str, get: Get) -> Fetched:
    try:
        return await get(url, LIST_OCTETS)
    except Fault as fault:
        raise blameless(fault) from fault


def blameless(fault: Fault) -> Unfetched:
    """What is wrong with a list, without a word on anybody's host."""
    kind = fault.kind if isinstance(fault, Unfetched) else "bad"
    return Unfetched(f"its list of numbers: {fault.detail}"[:200], kind=kind)
