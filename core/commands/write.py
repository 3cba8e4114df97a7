"""Creates or replaces many objects as one batch.

Invariants:
1. All or nothing: one refused object refuses the batch, and every refused one is told of
   (up to BATCH_ERRORS).
2. An object may refer to one that stands before it in the batch.
3. An object that exists is replaced whole; only its stamps' `created` stays.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ...schema import Invalid
from ...v1.object_pb2 import Object
from ..access import Principal, Verb
from ..errors import CallscreenError, InvalidInput
from ..limits import BATCH_ERRORS, BATCH_OBJECTS
from .context import Core, Means
from .create import check_parent, fresh
from .draft import Draft
from .names import Target, body_for, canonical, collection
from .prepare import fill_key, managed_fields, place, same_key, settle
from .secrets import holds_secret


class Refusal(NamedTuple):
    """An object of the request, by its place, and why it was refused."""

    place: int
    message: str


class BatchRefused(CallscreenError):
    """No object of the batch was written."""

    reason = "BATCH_REFUSED"

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__(self.refusals[0].message)


async def write(core: Core, caller: Principal, parent: str, objects: Sequence[Object]) -> int:
    """The batch's revision. Raises BatchRefused, InvalidInput, NotFound, PermissionDenied."""
    at = collection(parent)
    check_parent(caller, at)
    if len(objects) > BATCH_OBJECTS:
        raise InvalidInput(f"A batch has at most {BATCH_OBJECTS} objects.")
    return await core.write(caller, lambda draft: written(draft, caller, at, objects, core.means))


def written(
    draft: Draft, caller: Principal, at: Target, objects: Sequence[Object], means: Means
) -> int:
    """Inside the transaction."""
    refusals = []
    at = at._replace(key=canonical(draft.reader, at))
    for index, obj in enumerate(objects):
        try:
            _upsert(draft, caller, at, obj, means)
        except (Invalid, CallscreenError) as error:
            refusals.append(Refusal(index, str(error)))
            if len(refusals) == BATCH_ERRORS:
                break
    if refusals:
        raise BatchRefused(refusals)
    return draft.revision if objects else draft.reader.revision


def _upsert(draft: Draft, caller: Principal, at: Target, obj: Object, means: Means) -> None:
    subject = fresh(at, body_for(at.kind, obj))
    subject.given = at.key
    fill_key(subject)
    if holds_secret(at.kind, subject.body) or managed_fields(at.kind):
        subject.old = _standing(draft, at, subject.key)
    settle(draft, subject, means)
    same_key(subject)
    subject.old = draft.find(at.kind, at.product, subject.key)
    verb = Verb.CREATE if subject.old is None else Verb.UPDATE
    place(draft, subject, caller, verb)


def _standing(draft: Draft, at: Target, key: tuple[str, ...]) -> Object | None:
    """What stands at the key, for the secrets that the new state leaves masked."""
    try:
        key = canonical(draft.reader, Target(at.kind, at.product, key))
    except Invalid:
        return None
    return draft.find(at.kind, at.product, key)


__all__ = ["BatchRefused", "Refusal", "write", "written"]
