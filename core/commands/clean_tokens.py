"""Removes tokens whose time is over, of whoever does not come back to have it done.

Invariants:
1. A token that is live stays. One transaction removes TOKENS_CLEANED at most.
"""

import asyncio
from itertools import islice

from ..access import service
from ..limits import TOKENS_CLEANED
from ..private import REDEEMABLE, TOKENS, Token, setup_key
from .context import Core
from .credentials import drop_token
from .draft import Draft

ACTOR = "callscreen"


async def clean_tokens(core: Core) -> None:
    """Removes every token that has expired."""
    while found := await asyncio.to_thread(_expired, core):
        entries = tuple(found)
        await core.write(service(ACTOR), lambda draft: _remove(draft, entries))  # noqa: B023


def _expired(core: Core) -> list[tuple[bytes, Token]]:
    now = core.clock()
    with core.store.read() as reader:
        held = (
            (key, Token.decode(value))
            for kind in (TOKENS, REDEEMABLE)
            for key, value in reader.scan_private(kind)
        )
        return list(
            islice(((key, each) for key, each in held if now >= each.expiry), TOKENS_CLEANED)
        )


def _remove(draft: Draft, entries: tuple[tuple[bytes, Token], ...]) -> None:
    for key, held in entries:
        if key.startswith(TOKENS):
            drop_token(draft, held.product, held.username, key.removeprefix(TOKENS))
            continue
        draft.set_private(key, None)
        pointer = setup_key(held.product, held.username)
        if draft.private(pointer) == key.removeprefix(REDEEMABLE):
            draft.set_private(pointer, None)


__all__ = ["clean_tokens"]
