"""The handlers of provisioned objects: the same few for every type.

1. What is not there, or is another tenant's, reads as nothing; a change to it is refused.
2. The archive is read, purged and restored under the names that its objects had.
"""

from collections.abc import Sequence
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from ..schema import TYPES, Errors, Invalid, ObjectType, body_of, iso, kind_of, stamps_to_json
from ..v1.authentication_pb2 import WhoAmIRequest
from ..v1.object_pb2 import Archived, Object
from ..v1.provisioning_pb2 import (
    CreateRequest,
    DeleteRequest,
    EffectiveSettingsRequest,
    GetRequest,
    ListRequest,
    PurgeRequest,
    RestoreRequest,
    UpdateRequest,
)
from .call import Call
from .envelope import Rows
from .errors import ApiError, not_found
from .request import flag

__all__ = [
    "NOTHING",
    "create",
    "list_",
    "own_settings",
    "put",
    "put_own_settings",
    "read",
    "remove",
    "row",
]

NOTHING = Rows((), 0)


async def list_(call: Call) -> Rows:
    """GET of a collection, or of its archive. One that is not there is empty."""
    request = ListRequest(
        parent=call.name,
        query=call.query.table,
        page_size=call.query.page.limit,
        skip=call.query.page.offset,
        archived=call.query.archive,
    )
    try:
        answer = await call.ask(call.client.provisioning.List, request)
    except ApiError as error:
        if error.code == 404:
            return NOTHING
        raise
    return Rows([row(obj, call.product) for obj in answer.objects], answer.total_size)


async def create(call: Call) -> Rows:
    """POST: what exists already is left as it is."""
    obj, _ = _read_object(call, await call.json())
    request = CreateRequest(parent=call.name, object=obj)
    return _one(call, await call.ask(call.client.provisioning.Create, request))


async def read(call: Call) -> Rows:
    """GET of one object. One that is not there is no error but an empty answer."""
    return await _read(call, call.name)


async def put(call: Call) -> Rows:
    """PUT of one object: changes the fields named in the body, or creates the object."""
    return await _put(call, call.name, _read_object(call, await call.json()))


async def remove(call: Call) -> Rows:
    """DELETE of one object and all that it holds: archives it, or purges or restores it.

    One restores from the archive: restore counts before archive, which purges.
    """
    query, core, name = call.query, call.client.provisioning, call.name
    try:
        if query.restore:
            await call.ask(core.Restore, RestoreRequest(name=name))
        elif query.archive:
            await call.ask(core.Purge, PurgeRequest(name=name))
        else:
            await call.ask(core.Delete, DeleteRequest(name=name))
    except ApiError as error:
        raise _named(error, call.type) from None
    return NOTHING


async def own_settings(call: Call) -> Rows:
    """GET of the settings of whoever asks, their own or those in force: a provider's, or all's."""
    name = await _own_settings_name(call)
    if not flag(call.query.pairs, "effective"):
        return await _read(call, name)
    request = EffectiveSettingsRequest(name=name)
    try:
        answer = await call.ask(call.client.provisioning.EffectiveSettings, request)
    except ApiError as error:
        if error.code == 404:  # as a GET of what is not there
            return NOTHING
        raise
    shown = row(answer.settings, call.product)
    shown["meta"]["sources"] = dict(sorted(answer.sources.items()))
    return Rows((shown,), 1)


async def put_own_settings(call: Call) -> Rows:
    """PUT of the settings of whoever asks."""
    given = _read_object(call, await call.json())
    return await _put(call, await _own_settings_name(call), given)


def row(obj: Object, product: str) -> dict[str, Any]:
    """An object as the references show it; its meta says too what is said but once, or seldom."""
    kind = kind_of(obj)
    meta: dict[str, Any] = stamps_to_json(obj.stamps)
    if obj.HasField("archived"):
        meta["archived"] = _archived(obj.archived)
    if obj.activation_token:
        meta["activation_token"] = obj.activation_token
    return {
        "scope": kind.type,
        "meta": meta,
        "attributes": kind.to_json(body_of(obj), product),
    }


def _archived(archived: Archived) -> dict[str, Any]:
    return {
        "batch": archived.batch,
        "root": archived.root,
        "time": iso(archived.time),
        "actor": archived.actor,
        "count": archived.count,
    }


async def _read(call: Call, name: str) -> Rows:
    request = GetRequest(name=name, archived=call.query.archive)
    try:
        found = await call.ask(call.client.provisioning.Get, request)
    except ApiError as error:
        if error.code == 404:
            return NOTHING
        raise
    return _one(call, found)


async def _put(call: Call, name: str, given: tuple[Object, tuple[str, ...]]) -> Rows:
    obj, mask = given
    request = UpdateRequest(
        name=name, object=obj, update_mask=FieldMask(paths=mask), allow_missing=True
    )
    try:
        stored = await call.ask(call.client.provisioning.Update, request)
    except ApiError as error:
        raise _named(error, call.type) from None
    return _one(call, stored)


async def _own_settings_name(call: Call) -> str:
    who = await call.ask(call.client.authentication.WhoAmI, WhoAmIRequest())
    return call.named("settings", (who.service_provider_name,))


def _one(call: Call, obj: Object) -> Rows:
    return Rows((row(obj, call.product),), 1)


def _read_object(call: Call, data: dict[str, Any]) -> tuple[Object, tuple[str, ...]]:
    kind = TYPES[call.type]
    if call.type == "settings" and isinstance(data.get("settings"), dict) and len(data) == 1:
        data = data["settings"]  # the references show both forms
    try:
        message, mask = kind.from_json(data, call.product)
        _refuse_null_keys(kind, message, mask)
    except Invalid as error:
        raise ApiError(400, str(error), error.errors) from None
    obj = Object()
    getattr(obj, call.type).CopyFrom(message)
    return obj, mask


def _refuse_null_keys(kind: ObjectType, message: Any, mask: Sequence[str]) -> None:
    """A key's part may be left out where the path has it, but is never null. Raises Invalid."""
    errors = Errors()
    for field in kind.fields:
        given = field.name in kind.key and field.name in mask
        if given and field.rules.required and not message.HasField(field.name):
            errors.required(field.json_name)
    errors.check(kind.class_name)


def _named(error: ApiError, type_: str) -> ApiError:
    """A refusal that says of which kind the missing object is."""
    return not_found(TYPES[type_].class_name) if error.code == 404 else error
