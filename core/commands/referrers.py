"""References that stand inside lists: an object may name another that it does not lie below.

Invariants:
1. What is named so cannot be removed while it is named from outside; renamed, the names follow.
2. Such a list names objects whose key has one part.
"""

from collections.abc import Iterator
from functools import cache

from ...schema import TYPES, ObjectType, body_of
from ...v1.object_pb2 import Object
from .draft import Draft


@cache
def places(holder: ObjectType, named: ObjectType) -> tuple[tuple[str, str], ...]:
    """(list, field) of every list of `holder` whose messages name a `named`."""
    return tuple(
        (held.name, field.name)
        for held in holder.fields
        if held.shape and held.repeated
        for field in held.shape.fields
        if field.rules.references == named.type
    )


def referrers(
    draft: Draft, named: ObjectType, product: str, key: tuple[str, ...]
) -> Iterator[tuple[ObjectType, Object]]:
    """Every object that names this one from outside of what lies below it."""
    for holder in TYPES.values():
        if not places(holder, named) or product not in holder.products:
            continue
        for path, obj in draft.below(holder, product, ()):
            if path[: len(key)] != key and names(holder, obj, named, key[0]):
                yield holder, obj


def names(holder: ObjectType, obj: Object, named: ObjectType, part: str) -> bool:
    body = body_of(obj)
    return any(
        getattr(item, field) == part
        for held, field in places(holder, named)
        for item in getattr(body, held)
    )


def repoint(holder: ObjectType, obj: Object, named: ObjectType, was: str, now: str) -> None:
    """Lets the lists of an object name the new key, in place."""
    body = body_of(obj)
    for held, field in places(holder, named):
        for item in getattr(body, held):
            if getattr(item, field) == was:
                setattr(item, field, now)


__all__ = ["referrers", "repoint"]
