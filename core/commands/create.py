"""Creates an object.

Invariants:
1. Where the key is taken nothing changes.
2. Key parts of the parent fill the body's; both given and different is refused.
3. A new administrator is answered with the token that sets its first password.
"""

from google.protobuf.message import Message

from ...v1.object_pb2 import Object
from ..access import Principal, Verb, place_of
from ..errors import AlreadyExists, PermissionDenied
from .activation import activated
from .context import Core, Means
from .credentials import KIND
from .draft import Draft
from .names import Target, body_for, canonical, collection
from .prepare import Subject, fill_key, place, same_key, settle
from .secrets import masked


async def create(core: Core, caller: Principal, parent: str, obj: Object) -> Object:
    """The object as stored, secrets masked.

    Raises InvalidInput, Invalid, AlreadyExists, NotFound, PermissionDenied.
    """
    at = collection(parent)
    check_parent(caller, at)
    body = body_for(at.kind, obj)
    stored = await core.write(caller, lambda draft: created(draft, caller, at, body, core.means))
    return masked(at.kind, stored)


def check_parent(caller: Principal, at: Target) -> None:
    """Whether there is anything that the caller may create there, by what the name says alone.

    Raises PermissionDenied.
    """
    within = caller.knows(place_of(at.kind.type, at.key))
    if not (within and caller.may(at.product, at.kind.type, Verb.CREATE)):
        raise PermissionDenied


def created(draft: Draft, caller: Principal, at: Target, body: Message, means: Means) -> Object:
    """Inside the transaction."""
    subject = fresh(at, body)
    subject.given = canonical(draft.reader, at)
    fill_key(subject)
    settle(draft, subject, means)
    same_key(subject)
    caller.require(at.product, at.kind.type, subject.key, Verb.CREATE)
    if draft.exists(at.kind, at.product, subject.key):
        raise AlreadyExists
    made = place(draft, subject, caller, Verb.CREATE)
    return activated(draft, means, at.product, made) if at.kind is KIND else made


def fresh(at: Target, body: Message) -> Subject:
    """A subject with a body of its own: a transaction may run more than once."""
    copy = at.kind.message()
    copy.CopyFrom(body)
    return Subject(at.kind, at.product, copy)


__all__ = ["check_parent", "create", "created", "fresh"]
