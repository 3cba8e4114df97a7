"""Logs an administrator in.

Invariants:
1. A wrong password, an unknown user and one without a password answer alike, after like work.
2. A user name may fail LOGINS times in LOGIN_SECONDS, known or not; then it must wait.
   Who is turned away because too many log in at once has not tried: attempts are counted, and the
   counts of others pushed out, only at the price of a hash.
3. The token leaves once, here; what is kept is its digest.
"""

import base64
import logging
from typing import NamedTuple

from ...schema import PRODUCTS
from ..errors import LOGIN_FAILED, TooMuch, Unauthenticated
from ..limits import PASSWORD_CHARS, TOKEN_BYTES, USERNAME_CHARS
from ..private import Credential, credential_key, digest_of
from .context import Core
from .credentials import add_token, administrator_of, credential_of
from .draft import Draft

log = logging.getLogger("callscreen.core")


class Login(NamedTuple):
    """A token, and its expiry in Unix seconds."""

    token: str
    expiry: float


async def authenticate(core: Core, product: str, username: str, password: str) -> Login:
    """Raises Unauthenticated, TooMuch."""
    username = username.lower()
    if product not in PRODUCTS or len(username) > USERNAME_CHARS or len(password) > PASSWORD_CHARS:
        raise Unauthenticated(LOGIN_FAILED)
    if core.passwords.busy or not core.logins.take((product, username), core.ticks()):
        raise TooMuch
    with core.store.read() as reader:
        value = reader.private(credential_key(product, username))
    checked = Credential.decode(value).password if value else None
    if not await core.passwords.verify(checked, password):
        log.info("login refused product=%s username=%r", product, username)
        raise Unauthenticated(LOGIN_FAILED)
    token = base64.urlsafe_b64encode(core.means.random(TOKEN_BYTES)).rstrip(b"=").decode()

    def work(draft: Draft) -> float:
        who = administrator_of(draft, product, username)
        held = credential_of(draft, product, username)
        if who is None or held is None or held.password != checked:
            raise Unauthenticated(LOGIN_FAILED)  # it changed while the password was checked
        return add_token(draft, product, who, digest_of(token))

    login = Login(token, await core.write(username, work))
    core.logins.give((product, username))
    return login


__all__ = ["Login", "authenticate"]
