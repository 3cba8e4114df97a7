"""Removes an object and all that lies below it, as one batch.

Invariants:
1. With an object go its descendants, their unique values, and the credentials and tokens of
   administrators among them.
2. What another object names in a list cannot be removed, nor can the platform's settings, nor the
   last platform owner of a product who can log in.
"""

from typing import Final

from ...schema import ObjectType
from ...v1.object_pb2 import Object
from ..access import Principal, Verb
from ..errors import Conflict, InvalidInput, NotFound
from .context import Core
from .credentials import drop_credential, is_last_owner
from .draft import Draft
from .names import PLATFORM_SETTINGS, Target, canonical, target
from .referrers import referrers
from .rename import descendants

LASTING: Final = "The platform's settings cannot be removed."
LAST_OWNER: Final = "The last platform owner who can log in cannot be removed."


async def delete(core: Core, caller: Principal, name: str, expected_revision: int = 0) -> int:
    """The revision that removed it.

    Raises InvalidInput, Invalid, NotFound, PermissionDenied, Conflict, TooMuch.
    """
    at = target(name)
    return await core.write(
        caller.username, lambda draft: deleted(draft, caller, at, expected_revision)
    )


def deleted(draft: Draft, caller: Principal, at: Target, expected_revision: int = 0) -> int:
    """Inside the transaction."""
    kind, product = at.kind, at.product
    key = canonical(draft.reader, at)
    caller.require(product, kind.type, key, Verb.DELETE)
    if kind.type == "settings" and key == PLATFORM_SETTINGS:
        raise InvalidInput(LASTING)
    old = draft.find(kind, product, key)
    if old is None:
        raise NotFound
    if expected_revision and old.revision != expected_revision:
        raise Conflict
    if kind.type == "administrator" and is_last_owner(draft, product, old.administrator):
        raise InvalidInput(LAST_OWNER)
    naming = next(referrers(draft, kind, product, key), None)
    if naming is not None:
        raise InvalidInput(f"The object is still named by {naming[1].name}.")
    below = list(descendants(draft, kind, product, key))
    for child, path, obj in reversed(below):
        _remove(draft, child, product, child.key_of_path(path), obj)
    _remove(draft, kind, product, key, old)
    return draft.revision


def _remove(
    draft: Draft, kind: ObjectType, product: str, key: tuple[str, ...], obj: Object
) -> None:
    draft.remove(kind, product, key, obj)
    if kind.type == "administrator":
        drop_credential(draft, product, obj.administrator.username)


__all__ = ["delete", "deleted"]
