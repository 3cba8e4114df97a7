"""Takes back what a group wrote.

Invariants:
1. What somebody else has changed since is left as it is, and told; so is what others now depend on.
2. An object comes back as it was, stamps included; only its revision is new.
3. Groups are taken back from the last to the first: an object that several of them wrote ends as it
   was before the first one.
"""

from collections.abc import Collection, Iterator
from typing import Final

from ...schema import ObjectType, children
from ...v1.bulk_pb2 import Undo, UndoGroup
from ...v1.jobs_pb2 import JobLine
from ...v1.object_pb2 import Object
from ..commands.credentials import drop_credential
from ..commands.draft import Draft
from ..commands.referrers import referrers
from ..store.tables import decode_key

CHANGED: Final = "stays: it was changed while the file was being taken back."
NEEDED: Final = "stays: other objects need it by now."


def undo_group(
    draft: Draft, kind: ObjectType, product: str, undo: UndoGroup, ours: Collection[int]
) -> list[JobLine]:
    """What was left as it is. `ours`: revisions with which the same job took groups back."""
    left = []
    made = (Undo(key=kind.key_of_path(decode_key(at).path)) for at in undo.created)
    for each in (*reversed(undo.objects), *made):
        why = _undo(draft, kind, product, each, {undo.revision, *ours})
        if why:
            left.append(JobLine(message=f"{kind.type} {'/'.join(each.key)} {why}"))
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


__all__ = ["undo_group"]
