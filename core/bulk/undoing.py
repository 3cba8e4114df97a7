"""Takes back what a group wrote.

Invariants:
1. What somebody else has changed since is left as it is, and told; so is what others now depend on.
2. An object comes back as it was, stamps included; only its revision is new.
3. Groups are taken back from the last to the first: an object that several of them wrote ends as it
   was before the first one.
4. A transaction takes back what there is time for, one object at least: a write beside waits no
   longer than for one of the import.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Final

from ...schema import ObjectType, children
from ...v1.bulk_pb2 import Undo, UndoGroup
from ...v1.jobs_pb2 import JobLine
from ...v1.object_pb2 import Object
from ..commands.credentials import drop_credential
from ..commands.draft import Draft
from ..commands.referrers import referrers
from ..store.tables import decode_key
from .limits import GROUP_SECONDS

CHANGED: Final = "stays: it was changed while the file was being taken back."
NEEDED: Final = "stays: other objects need it by now."


def undo_some(
    draft: Draft,
    kind: ObjectType,
    product: str,
    undo: UndoGroup,
    ours: Collection[int],
    ticks: Callable[[], float],
) -> list[JobLine]:
    """Takes back the last of a group, and takes it out of `undo`; what was left as it is.

    `ours`: revisions with which the same job took others back.
    """
    left = []
    ours = {undo.revision, *ours}
    until = ticks() + GROUP_SECONDS
    while undo.objects or undo.created:
        if undo.objects:
            each = undo.objects.pop()
        else:
            each = Undo(key=kind.key_of_path(decode_key(undo.created.pop()).path))
        why = _undo(draft, kind, product, each, ours)
        if why:
            left.append(JobLine(message=f"{kind.type} {'/'.join(each.key)} {why}"))
        if ticks() >= until:
            break
    return left


def _undo(
    draft: Draft, kind: ObjectType, product: str, undo: Undo, ours: Collection[int]
) -> str | None:
    key = tuple(undo.key)
    now = draft.find(kind, product, key)
    if now is None or now.revision not in ours:
        return CHANGED if now is not None or undo.before else None
    if undo.before:
        draft.put(kind, product, Object.FromString(undo.before), now)
        return None
    if any(True for _ in _dependants(draft, kind, product, key)):
        return NEEDED
    draft.remove(kind, product, key, now, "purge")
    if kind.type == "administrator":
        drop_credential(draft, product, now.administrator.username)
    return None


def _dependants(
    draft: Draft, kind: ObjectType, product: str, key: tuple[str, ...]
) -> Iterator[Object]:
    """Objects below this one, and those that name it."""
    for child in children(kind.type, product):
        for _, obj in draft.below(child, product, kind.path_of(key)):
            yield obj
    for _, obj in referrers(draft, kind, product, key):
        yield obj


__all__ = ["undo_some"]
