"""Secrets on their way out.

Invariants:
1. No secret leaves the core: one that holds anything reads as MASK, in every answer of every
   command, and is cleared in what is published.
"""

from typing import Any

from ...schema import MASK, ObjectType, body_of
from ...schema.secrets import secrets_of
from ...v1.object_pb2 import Object


def holds_secret(kind: ObjectType, body: Any) -> bool:
    """Whether a body has a value for a secret, be it the mask."""
    for path, _ in secrets_of(kind.shape):
        holder = body
        for name in path[:-1]:
            holder = getattr(holder, name)
        if holder.HasField(path[-1]):
            return True
    return False


def published(kind: ObjectType, stored: bytes) -> bytes:
    """A stored object as edges get it: the same octets, where its type has no secrets."""
    if not secrets_of(kind.shape):
        return stored
    obj = Object.FromString(stored)
    kind.redact(body_of(obj))
    return obj.SerializeToString()


def masked(kind: ObjectType, obj: Object) -> Object:
    """The same object, its secrets masked in place."""
    for path, _ in secrets_of(kind.shape):
        holder: Any = body_of(obj)
        for name in path[:-1]:
            holder = getattr(holder, name)  # reading a group that is not set sets nothing
        if getattr(holder, path[-1]):
            setattr(holder, path[-1], MASK)
    return obj


__all__ = ["holds_secret", "masked", "published"]
