"""Changes an object: merges the fields named, moves it where its key changes.

Invariants:
1. The mask names top-level fields. One in the mask and not in the body is cleared; one not in the
   mask keeps its value; no mask means every field that is set.
2. A group (a screening rule, web_settings) is replaced whole.
3. Validation sees the merged object once; of lists of numbers only those that are changed.
"""

from collections.abc import Sequence
from typing import Any, Final

from google.protobuf.message import Message

from ...schema import ObjectType, body_of
from ...v1.object_pb2 import Object
from ..access import Principal, Verb
from ..errors import Conflict, InvalidInput, NotFound
from .context import Core, Means
from .create import created, fresh
from .draft import Draft
from .names import Target, body_for, canonical, target
from .prepare import list_fields, place, settle
from .rename import rename
from .secrets import masked

ALL: Final = "*"  # AIP-134: every field


async def update(
    core: Core,
    caller: Principal,
    name: str,
    obj: Object,
    mask: Sequence[str] | None = None,
    allow_missing: bool = False,
    expected_revision: int = 0,
) -> Object:
    """The object as stored, secrets masked. `mask` None: all fields that are set.

    Raises InvalidInput, Invalid, NotFound, AlreadyExists, PermissionDenied, Conflict, TooMuch.
    """
    at = target(name)
    body = body_for(at.kind, obj)
    fields = mask_fields(at.kind, body, mask)

    def work(draft: Draft) -> Object:
        return updated(
            draft, caller, at, body, fields, core.means, allow_missing, expected_revision
        )

    stored = await core.write(caller, work)
    return masked(at.kind, stored)


def updated(
    draft: Draft,
    caller: Principal,
    at: Target,
    body: Message,
    fields: Sequence[str],
    means: Means,
    allow_missing: bool = False,
    expected_revision: int = 0,
) -> Object:
    """Inside the transaction."""
    kind, product = at.kind, at.product
    caller.require(product, kind.type, at.key, Verb.UPDATE)  # a name says whose it is
    key = canonical(draft.reader, at)
    old = draft.find(kind, product, key)
    if old is None:
        if not allow_missing:
            raise NotFound
        if expected_revision:
            raise Conflict  # it was there, and is gone
        return created(draft, caller, at, body, means)
    if expected_revision and old.revision != expected_revision:
        raise Conflict
    subject = fresh(at, body_of(old))
    subject.given, subject.old = key, old
    merge(subject.body, body, fields)
    settle(draft, subject, means, [each for each in list_fields(kind) if each not in fields])
    if subject.key == key:
        return place(draft, subject, caller, Verb.UPDATE)
    return rename(draft, subject, caller)


def merge(into: Any, body: Any, fields: Sequence[str]) -> None:
    """Each field named is as in the body: its value, or none."""
    given = {field.name: value for field, value in body.ListFields()}
    for name in fields:
        into.ClearField(name)
    part = type(into)()
    part.CopyFrom(body)
    for name in given:
        if name not in fields:
            part.ClearField(name)
    into.MergeFrom(part)


def mask_fields(kind: ObjectType, body: Message, mask: Sequence[str] | None) -> tuple[str, ...]:
    """The fields to change. Raises InvalidInput for a path that is no top-level field."""
    names = tuple(field.name for field in kind.fields)
    if mask is None:
        return tuple(field.name for field, _ in body.ListFields())
    if tuple(mask) == (ALL,):
        return tuple(name for name in names if name not in kind.key or _given(body, name))
    unknown = [path for path in mask if path not in names]
    if unknown:
        message = f"{kind.class_name}(): The update mask names no field of it."
        raise InvalidInput(message, [("update_mask", "unknown", message)])
    return tuple(dict.fromkeys(mask))


def _given(body: Any, name: str) -> bool:
    return bool(body.HasField(name))


__all__ = ["mask_fields", "merge", "update", "updated"]
