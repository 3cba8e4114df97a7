"""Takes an object out of service, with everything below it, as one batch of the archive.

Invariants:
1. All goes into the archive or nothing does, and all that it held (unique values, tokens) is free
   in the same revision; it is out of the screening index as it is out of the store.
2. What another object names in a list stays while it is named there.
3. A product keeps a platform owner who can log in: the last one is not removed.
4. Much below it is made ready beside other writes. Where it changes meanwhile AHEAD_TRIES times,
   the transaction does it all.
"""

import logging
from functools import partial
from typing import Final

from ...v1.object_pb2 import Object
from ..access import Principal, Verb
from ..errors import Conflict, InvalidInput, NotFound
from ..limits import AHEAD_TRIES
from .archive import archive
from .archive_ahead import Ready, Stale, make_ready
from .context import Core
from .credentials import is_last_owner
from .draft import Draft
from .grants import check_grants
from .names import PLATFORM_SETTINGS, Target, canonical, target
from .referrers import referrers
from .rename import descendants

log = logging.getLogger("callscreen.core")

LASTING: Final = "The platform's settings cannot be removed."
LAST_OWNER: Final = "The last platform owner who can log in cannot be removed."


async def delete(core: Core, caller: Principal, name: str, expected_revision: int = 0) -> int:
    """The revision that removed it.

    Raises InvalidInput, Invalid, NotFound, PermissionDenied, Conflict, TooMuch.
    """
    at = target(name)
    work = partial(deleted, caller=caller, at=at, expected_revision=expected_revision)
    for _ in range(AHEAD_TRIES):
        ready = await make_ready(core, caller, at)
        if ready is None:
            break
        try:
            return await core.write(caller, partial(work, ready=ready), dear=True)
        except Stale:
            log.info("what lies below %s has changed: it is read anew", name)
    return await core.write(caller, work)


def deleted(
    draft: Draft,
    caller: Principal,
    at: Target,
    expected_revision: int = 0,
    ready: Ready | None = None,
) -> int:
    """Inside the transaction. Raises Stale where what was made ready is out of date."""
    kind, product = at.kind, at.product
    caller.require(product, kind.type, at.key, Verb.DELETE)  # a name says whose it is
    key = canonical(draft.reader, at)
    if kind.type == "settings" and key == PLATFORM_SETTINGS:
        raise InvalidInput(LASTING)
    old = draft.find(kind, product, key)
    if old is None:
        raise NotFound
    if expected_revision and old.revision != expected_revision:
        raise Conflict
    if kind.type == "administrator":
        check_grants(caller, product, old.administrator)
    _check_free(draft, at, key, old)
    root = kind, kind.path_of(key), old
    if ready is None:
        archive(draft, product, root, list(descendants(draft, kind, product, key)))
    else:
        if (ready.path, ready.said.root) != (root[1], old.name):
            raise Stale
        ready.check(draft.reader)
        archive(draft, product, root, ready.administrators, ready)
    return draft.revision


def _check_free(draft: Draft, at: Target, key: tuple[str, ...], old: Object) -> None:
    """Whether nothing needs it to stay. Raises InvalidInput."""
    if at.kind.type == "administrator" and is_last_owner(draft, at.product, old.administrator):
        raise InvalidInput(LAST_OWNER)
    naming = next(referrers(draft, at.kind, at.product, key), None)
    if naming is not None:
        raise InvalidInput(f"The object is still named by {naming[1].name}.")


__all__ = ["delete", "deleted"]
