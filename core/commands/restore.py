"""Puts the last archived batch of an object back, whole.

Invariants:
1. All of the batch comes back, as it was but for who changed it last and when, or nothing does.
2. No key and no unique value that was taken meanwhile is overwritten; all that it names exists.
3. What went into the archive with what lies above it comes back with that, not by itself.
"""

from typing import Final

from ...schema import Invalid, ObjectType, body_of
from ...v1.object_pb2 import Object
from ..access import Principal, Verb
from ..errors import AlreadyExists, InvalidInput, NotFound
from ..store.contract import Reader
from .archive import Member, archived_at, forget, members
from .context import Core
from .credentials import KIND, unstow_credential
from .draft import Draft
from .grants import check_grants
from .names import Target, canonical, target
from .prepare import Subject, missing_references, stamp

NOT_ARCHIVED: Final = "The archive holds no such object."


async def restore(core: Core, caller: Principal, name: str) -> int:
    """The revision that put it back.

    Raises InvalidInput, Invalid, NotFound, AlreadyExists, PermissionDenied, TooMuch.
    """
    at = target(name)
    return await core.write(caller, lambda draft: restored(draft, caller, at))


def restored(draft: Draft, caller: Principal, at: Target) -> int:
    """Inside the transaction."""
    kind, product = at.kind, at.product
    caller.require(product, kind.type, at.key, Verb.CREATE)  # a name says whose it is
    key = canonical(draft.reader, at)
    root = last_root(draft.reader, caller, kind, product, key)
    if kind is KIND:
        check_grants(caller, product, root.administrator)
    batch = root.archived.batch
    found = members(draft.reader, product, kind, kind.path_of(key), root)
    forget(draft, product, batch, found, purge=False)
    for member in found:
        _put_back(draft, product, member)
    for of, _, obj in found:
        errors = missing_references(draft, Subject(of, product, body_of(obj)), caller)
        if errors:
            raise Invalid(errors)
        if of is KIND:
            unstow_credential(draft, product, obj.administrator.username, batch)
    return draft.revision


def last_root(
    reader: Reader, caller: Principal, kind: ObjectType, product: str, key: tuple[str, ...]
) -> Object:
    """The root of the last batch that began with this object. Raises NotFound, InvalidInput."""
    above = ""
    for obj in archived_at(reader, caller, kind, product, key):
        if obj.archived.root == obj.name:
            return obj
        above = above or obj.archived.root
    if above:
        raise InvalidInput(f"The object was archived with {above}: it is restored with that.")
    raise NotFound(NOT_ARCHIVED)


def _put_back(draft: Draft, product: str, member: Member) -> None:
    """Raises AlreadyExists where its key or a unique value is taken."""
    kind, path, obj = member
    if draft.exists(kind, product, kind.key_of_path(path)):
        raise AlreadyExists(f"The object {obj.name} exists already.")
    for field, value in kind.uniques(body_of(obj)):
        if draft.holder(product, kind.type, field, value) is not None:
            raise AlreadyExists(f"The object {obj.name} cannot come back: its {field} is taken.")
    obj.ClearField("archived")
    stamp(draft, obj.stamps, obj.stamps)
    draft.put(kind, product, obj, None, "restore")


__all__ = ["NOT_ARCHIVED", "last_root", "restore", "restored"]
