"""Permission groups, given and held: nobody hands out more than it has.

Invariants:
1. An administrator has groups, each once: what was given, else its role's default. Each fits its
   role; a default that came by itself follows the role.
2. Nobody writes, removes or gives a password to an administrator who may do more than it may.
3. The last platform owner who can log in and may do all goes on to.
4. Mail goes where whoever may set passwords outright says: it carries the tokens that do.
5. Nobody makes an administrator who may do more than it may: by groups, or by another role.
"""

from typing import Final

from ...schema import Invalid, field_error
from ...v1.administrator_pb2 import Administrator
from ...v1.settings_pb2 import Settings
from ..access import Principal, Verb, parse_role, principal
from ..errors import PermissionDenied
from ..permissions import default_of, fits
from .credentials import KIND, is_last_owner, may_all
from .draft import Draft

LAST_OWNER: Final = "cannot be changed of the last platform owner who can log in"


def settle_groups(product: str, new: Administrator, old: Administrator | None = None) -> None:
    """Fills in the groups of an administrator whose role is right, and judges them.

    Raises Invalid.
    """
    role = parse_role(new.role_id)[0]
    given = tuple(dict.fromkeys(new.permissions))
    by_itself = () if old is None else default_of(parse_role(old.role_id)[0])
    if not given or given == by_itself:
        given = default_of(role)
    errors = [
        field_error(KIND.class_name, f"permissions[{place}]", "not_accepted", _unfit(role))
        for place, group in enumerate(given)
        if not fits(product, role, group)
    ]
    if errors:
        raise Invalid(errors)
    del new.permissions[:]
    new.permissions.extend(given)


def _unfit(role: str) -> str:
    return f"must be a group that an administrator of a {role} may have"


def check_grants(caller: Principal, product: str, *states: Administrator | None) -> None:
    """Whether the caller may do all that an administrator may, before and after a change.

    Raises PermissionDenied.
    """
    for state in states:
        if state is not None and not caller.outranks(product, holder(product, state)):
            raise PermissionDenied


def check_owner(draft: Draft, product: str, old: Administrator | None, new: Administrator) -> None:
    """Refuses to leave a product without a platform owner who may do all. Raises Invalid."""
    if old is None or may_all(product, new) or not is_last_owner(draft, product, old):
        return
    raise Invalid([field_error(KIND.class_name, "permissions", "read_only", LAST_OWNER)])


def check_mail(caller: Principal, product: str, old: Settings | None, new: Settings) -> None:
    """Lets only those say where mail goes who may set passwords: it carries what sets them.

    Raises PermissionDenied.
    """
    before = Settings().email_settings if old is None else old.email_settings
    if new.email_settings != before and not caller.may(product, "password", Verb.UPDATE):
        raise PermissionDenied


def holder(product: str, who: Administrator) -> Principal:
    """Who calls with a token of this administrator."""
    return principal(product, who.username, who.role_id, who.permissions)


__all__ = ["check_grants", "check_mail", "check_owner", "holder", "settle_groups"]
