"""Moves an object to another key, with everything below it, as part of one batch.

Invariants:
1. A key that is taken is never overwritten: AlreadyExists, and nothing changes.
2. What lies below, and what names the object in a list, keeps its content: only the fields that
   name the moved object change.
3. Settings stay whose they are: only what lies above them takes them along.
4. An administrator whose name or role changes keeps its password, and its tokens are void. The
   last platform owner of a product who can log in stays one.
5. A renamed tenant leaves its archive under its old name, and has nothing of the new name's.
"""

from collections.abc import Iterator
from typing import Final

from ...schema import ObjectType, body_of, children
from ...v1.object_pb2 import Object
from ..access import PLATFORM_OWNER, Principal, Verb
from ..errors import AlreadyExists, TooMuch
from ..limits import DESCENDANTS
from .archive_reach import OWNERS, leave
from .credentials import is_last_owner, move_credential
from .draft import Draft, name_of
from .grants import LAST_OWNER, check_grants, check_owner, settle_groups
from .prepare import Subject, check_links, refused, stamp, stamped
from .referrers import referrers, repoint

TOO_MANY: Final = "Too many objects lie below this one for one transaction."


def descendants(
    draft: Draft, kind: ObjectType, product: str, key: tuple[str, ...]
) -> Iterator[tuple[ObjectType, tuple[str, ...], Object]]:
    """Type, path and state of all that lies below an object. Raises TooMuch beyond DESCENDANTS."""
    seen = 0
    for child in children(kind.type, product):
        for path, obj in draft.below(child, product, kind.path_of(key)):
            seen += 1
            if seen > DESCENDANTS:
                raise TooMuch(TOO_MANY)
            yield child, path, obj


def rename(draft: Draft, subject: Subject, caller: Principal) -> Object:
    """Puts the subject at the key of its body and removes its old state, descendants included.

    Raises AlreadyExists, PermissionDenied, Invalid, TooMuch.
    """
    kind, product, old = subject.kind, subject.product, subject.old
    assert old is not None
    was, now = kind.key_of(body_of(old)), subject.key
    if kind.type == "settings":
        raise refused(kind, kind.key[0], "read_only", "cannot be changed")
    caller.require(product, kind.type, was, Verb.DELETE)
    caller.require(product, kind.type, now, Verb.CREATE)
    if kind.type == "administrator":
        settle_groups(product, subject.body, old.administrator)
        check_grants(caller, product, old.administrator, subject.body)
    if draft.exists(kind, product, now):
        raise AlreadyExists
    leaves = kind.type == "administrator" and subject.body.role_id != PLATFORM_OWNER
    if leaves and is_last_owner(draft, product, old.administrator):
        raise refused(kind, "role_id", "read_only", LAST_OWNER)
    if kind.type == "administrator":
        check_owner(draft, product, old.administrator, subject.body)
    check_links(draft, subject, caller)
    below = list(descendants(draft, kind, product, was))
    naming = list(referrers(draft, kind, product, was))
    for child, path, obj in reversed(below):
        draft.remove(child, product, child.key_of_path(path), obj, "rename")
    draft.remove(kind, product, was, old, "rename")
    moved = stamped(draft, subject)
    draft.put(kind, product, moved, None, "rename", old)
    if kind.type == "administrator":
        move_credential(draft, product, old.administrator, moved.administrator)
    if kind.type in OWNERS:
        for place in (was, now):
            leave(draft, product, kind.path_of(place), int(draft.now * 1e9))
    start = len(kind.path_of(was))
    for child, path, obj in below:
        new = _copy(draft, obj)
        repoint(child, new, kind, was[0], now[0])
        _move(draft, child, product, kind.path_of(now) + path[start:], obj, new)
    for holder, obj in naming:
        new = _copy(draft, obj)
        repoint(holder, new, kind, was[0], now[0])
        draft.put(holder, product, new, obj)
    return moved


def _copy(draft: Draft, old: Object) -> Object:
    obj = Object()
    obj.CopyFrom(old)
    stamp(draft, obj.stamps, old.stamps)
    return obj


def _move(
    draft: Draft, kind: ObjectType, product: str, path: tuple[str, ...], old: Object, new: Object
) -> None:
    """Puts an object at another path; its old state has been removed."""
    body = body_of(new)
    for field, part in zip(kind.key, kind.key_of_path(path), strict=True):
        setattr(body, field, part)
    new.name = name_of(kind, product, body)
    draft.put(kind, product, new, None, "rename", old)
    if kind.type == "administrator":
        move_credential(draft, product, old.administrator, new.administrator)


__all__ = ["descendants", "rename"]
