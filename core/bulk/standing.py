"""What a job may do: no more than its actor may by now.

Invariants:
1. Where the actor has lost groups since the job began, the job has those that the actor has now;
   what it was given on top of those it had is not the job's.
2. A job whose actor was archived since then, or has another role, may do nothing, even where
   another has the actor's name by now.
"""

from dataclasses import replace
from typing import Final

from ...schema import TYPES, parse_name
from ...v1.object_pb2 import Object
from ..access import SERVICE, Principal, principal
from ..commands.archive_keys import archive_type
from ..commands.draft import unique_key
from ..store.contract import Key, Reader

KIND: Final = TYPES["administrator"]
NOTHING: Final = ("none",)  # names no group: it grants nothing


def by_now(reader: Reader, actor: Principal, began: int) -> Principal:
    """Who a job that its actor began then (nanoseconds since 1970) works for now."""
    if actor.role == SERVICE:
        return actor
    product = actor.product
    path = KIND.path_of((actor.role_id, actor.username))
    last = next(iter(reader.scan(product, archive_type(KIND.type), path, reverse=True)), None)
    if last is not None:
        archived = Object.FromString(last[1]).archived
        if archived.time.ToNanoseconds() > began:
            return replace(actor, permissions=NOTHING)
    name = reader.unique(unique_key(product, KIND.type, "username", actor.username))
    if name is None:
        return actor
    value = reader.get(Key(product, KIND.type, KIND.path_of(parse_name(name.decode()).key)))
    if value is None:
        return actor
    who = Object.FromString(value).administrator
    if who.role_id != actor.role_id:
        return replace(actor, permissions=NOTHING)
    now = principal(product, who.username, who.role_id, who.permissions)
    return actor if now.outranks(product, actor) else now


__all__ = ["by_now"]
