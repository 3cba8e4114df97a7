"""Sets a password by an activation or reset token.

Invariants:
1. A token that is unknown, used, replaced, expired or another product's is refused alike.
2. A password that is refused leaves the token as it was. One that is set ends it, every other
   token of the administrator, and a lock-out where it was chosen.
3. Only whoever shows a live token has a password hashed; an address may try REDEEMS of them.
"""

from typing import Final

from ...schema import PRODUCTS
from ..access import principal
from ..errors import InvalidInput, TooMuch
from ..limits import TOKEN_CHARS
from ..logins import network_of
from ..origin import current
from ..private import Token, digest_of, redeemable_key
from .context import Core
from .credentials import KIND, administrator_of, set_password_hash
from .draft import Draft, name_of
from .set_password import check_length, shortest

REFUSED: Final = "The token is unknown, used or expired: ask for a new one."


async def redeem(core: Core, product: str, token: str, password: str) -> None:
    """Raises InvalidInput (the token), Invalid (the password), TooMuch."""
    address = current().source_ip
    network = network_of(address)
    if not core.redeems.take(network, core.ticks()):
        raise TooMuch
    if product not in PRODUCTS or not 0 < len(token) <= TOKEN_CHARS:
        raise _refused()
    key = redeemable_key(digest_of(token))
    with core.store.read() as reader:
        held = _live(reader.private(key), product, core.clock())
        least = shortest(reader, product, held.role_id)
    core.redeems.give(network)
    check_length(password, least)
    hashed = await core.passwords.hash(password)

    def work(draft: Draft) -> None:
        again = _live(draft.private(key), product, draft.now)
        who = administrator_of(draft, product, again.username)
        if who is None:
            raise _refused()
        set_password_hash(draft, product, who.username, hashed)
        draft.audit(product, name_of(KIND, product, who), "password", who.role_id)

    await core.write(principal(product, held.username, held.role_id), work)
    core.logins.welcome((product, held.username), address, core.ticks())


def _live(value: bytes | None, product: str, now: float) -> Token:
    """Raises InvalidInput."""
    held = None if value is None else Token.decode(value)
    if held is None or held.product != product or now >= held.expiry:
        raise _refused()
    return held


def _refused() -> InvalidInput:
    return InvalidInput(REFUSED, [("token", "not_accepted", REFUSED)])


__all__ = ["REFUSED", "redeem"]
