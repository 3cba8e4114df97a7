"""Gives an administrator a password.

Invariants:
1. Platform owners of the product and internal services only.
2. Every token of the administrator is void from then on.
3. A password has at least as many characters as web_settings.password_length says.
"""

from typing import Final

from ...schema import Invalid
from ...v1.object_pb2 import Object
from ..access import Principal, Verb
from ..errors import InvalidInput, NotFound
from ..limits import PASSWORD_CHARS
from ..store.contract import Key, Reader
from .context import Core
from .credentials import KIND, set_password_hash
from .draft import Draft
from .names import PLATFORM_SETTINGS, canonical, target
from .prepare import refused

SHORTEST: Final = 8  # characters, until the platform's settings are there


async def set_password(core: Core, caller: Principal, name: str, password: str) -> None:
    """Raises InvalidInput, Invalid, NotFound, PermissionDenied, TooMuch."""
    at = target(name)
    if at.kind is not KIND:
        message = "The name must be an administrator's."
        raise InvalidInput(message, [("name", "format", message)])
    caller.require(at.product, "password", at.key, Verb.UPDATE)
    with core.store.read() as reader:
        check_length(password, shortest(reader, at.product))
    hashed = await core.passwords.hash(password)

    def work(draft: Draft) -> None:
        found = draft.find(at.kind, at.product, canonical(draft.reader, at))
        if found is None:
            raise NotFound
        set_password_hash(draft, at.product, found.administrator.username, hashed)

    await core.write(caller.username, work)


def shortest(reader: Reader, product: str) -> int:
    """The fewest characters that the platform's settings allow."""
    value = reader.get(Key(product, "settings", PLATFORM_SETTINGS))
    if value is None:
        return SHORTEST
    web = Object.FromString(value).settings.web_settings
    return web.password_length if web.HasField("password_length") else SHORTEST


def check_length(password: str, least: int) -> None:
    """Raises Invalid."""
    if len(password) < least:
        raise _refused("too_short", f"must have at least {least} characters")
    if len(password) > PASSWORD_CHARS:
        raise _refused("too_long", f"must have at most {PASSWORD_CHARS} characters")


def _refused(code: str, what: str) -> Invalid:
    return refused(KIND, "password", code, what)


__all__ = ["check_length", "set_password", "shortest"]
