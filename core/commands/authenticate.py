"""Logs an administrator in.

Invariants:
1. A wrong password, an unknown user and one without a password answer alike, after like work.
2. Failures are counted, known users' or not, and end in lock-outs (logins.py). Who is turned away
   because too many log in at once has not tried: attempts are counted, and the counts of others
   pushed out, only at the price of a hash.
3. A token leaves once, here; what is kept is its digest.
"""

import base64
import logging
from typing import NamedTuple

from ...schema import PRODUCTS
from ..access import Principal
from ..errors import LOGIN_FAILED, TooMuch, Unauthenticated
from ..limits import PASSWORD_CHARS, TOKEN_BYTES, USERNAME_CHARS
from ..origin import current
from ..private import Credential, credential_key, digest_of
from .context import Core, Means
from .credentials import KIND, add_token, administrator_of, credential_of
from .draft import Draft, name_of

log = logging.getLogger("callscreen.core")


class Login(NamedTuple):
    """A token, and one for a web session ("": none); expiries in Unix seconds."""

    token: str
    expiry: float
    session: str = ""
    session_expiry: float = 0.0


async def authenticate(
    core: Core, product: str, username: str, password: str, session: bool = False
) -> Login:
    """`session`: makes a token for a web session besides. Raises Unauthenticated, TooMuch."""
    username = username.lower()
    if product not in PRODUCTS or len(username) > USERNAME_CHARS or len(password) > PASSWORD_CHARS:
        raise Unauthenticated(LOGIN_FAILED)
    who, address = (product, username), current().source_ip
    if core.passwords.busy or not core.logins.take(who, address, core.ticks()):
        raise TooMuch
    with core.store.read() as reader:
        value = reader.private(credential_key(product, username))
    checked = Credential.decode(value).password if value else None
    if not await core.passwords.verify(checked, password):
        log.info("login refused product=%s username=%r address=%s", product, username, address)
        raise Unauthenticated(LOGIN_FAILED)
    core.logins.succeeded(who, address, core.ticks())
    token = new_token(core.means)
    web = new_token(core.means) if session else ""

    def work(draft: Draft) -> Login:
        found = administrator_of(draft, product, username)
        held = credential_of(draft, product, username)
        if found is None or held is None or held.password != checked:
            raise Unauthenticated(LOGIN_FAILED)  # it changed while the password was checked
        expiry = add_token(draft, product, found, digest_of(token))
        until = add_token(draft, product, found, digest_of(web), session=True) if web else 0.0
        draft.audit(product, name_of(KIND, product, found), "login", found.role_id)
        return Login(token, expiry, web, until)

    return await core.write(Principal(username=username, role="", product=product), work)


def new_token(means: Means) -> str:
    """A token that nobody can guess, in characters that need no quoting anywhere."""
    return base64.urlsafe_b64encode(means.random(TOKEN_BYTES)).rstrip(b"=").decode()


__all__ = ["Login", "authenticate", "new_token"]
