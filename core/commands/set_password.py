"""Gives an administrator a password.

Invariants:
1. Platform owners of the product and internal services only.
2. Every token of the administrator is void from then on.
3. A password has at least as many characters as web_settings.password_length says where the
   administrator is: a provider's own value, where the platform allows it one.
4. Who may do more than the caller is given no password by it.
"""

from typing import Final

from ...schema import Invalid
from ..access import Principal, Verb, parse_role
from ..errors import InvalidInput, NotFound
from ..limits import PASSWORD_CHARS
from ..store.contract import Reader
from .context import Core
from .credentials import KIND, set_password_hash
from .draft import Draft
from .effective import in_force
from .grants import check_grants
from .names import canonical, target
from .prepare import refused

SHORTEST: Final = 8  # characters of the first administrators' password, at least


async def set_password(core: Core, caller: Principal, name: str, password: str) -> None:
    """Raises InvalidInput, Invalid, NotFound, PermissionDenied, TooMuch."""
    at = target(name)
    if at.kind is not KIND:
        message = "The name must be an administrator's."
        raise InvalidInput(message, [("name", "format", message)])
    caller.require(at.product, "password", at.key, Verb.UPDATE)
    caller.require(at.product, KIND.type, at.key, Verb.UPDATE)
    with core.store.read() as reader:
        check_length(password, shortest(reader, at.product, at.key[0]))
    hashed = await core.passwords.hash(password)

    def work(draft: Draft) -> None:
        found = draft.find(at.kind, at.product, canonical(draft.reader, at))
        if found is None:
            raise NotFound
        check_grants(caller, at.product, found.administrator)
        set_password_hash(draft, at.product, found.administrator.username, hashed)
        draft.audit(at.product, found.name, "password", found.administrator.role_id)

    await core.write(caller, work)


def shortest(reader: Reader, product: str, role_id: str) -> int:
    """The fewest characters that the settings allow an administrator of that role."""
    try:
        provider = (*parse_role(role_id)[1], "")[0]
    except ValueError:
        provider = ""
    return in_force(reader, product, provider).settings.settings.web_settings.password_length


def check_length(password: str, least: int) -> None:
    """Raises Invalid."""
    if len(password) < least:
        raise _refused("too_short", f"must have at least {least} characters")
    if len(password) > PASSWORD_CHARS:
        raise _refused("too_long", f"must have at most {PASSWORD_CHARS} characters")


def _refused(code: str, what: str) -> Invalid:
    return refused(KIND, "password", code, what)


__all__ = ["check_length", "set_password", "shortest"]
