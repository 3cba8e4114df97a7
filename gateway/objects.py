"""The handlers of provisioned objects: the same six for every type."""

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from ..schema import TYPES, Invalid, body_of, kind_of, stamps_to_json
from ..schema.names import format_name
from ..v1.authentication_pb2 import WhoAmIRequest
from ..v1.object_pb2 import Object
from ..v1.provisioning_pb2 import (
    CreateRequest,
    DeleteRequest,
    GetRequest,
    ListRequest,
    UpdateRequest,
)
from .call import Call
from .envelope import Rows
from .errors import ApiError, not_found
from .request import json_object

__all__ = ["create", "list_", "own_settings", "put", "put_own_settings", "read", "remove"]

NOTHING = Rows((), 0)


async def list_(call: Call) -> Rows:
    """GET of a collection. One that is not there is empty."""
    _no_archive(call)
    request = ListRequest(
        parent=call.name,
        query=call.query.table,
        page_size=call.query.page.limit,
        skip=call.query.page.offset,
    )
    try:
        answer = await call.client.call(call.client.provisioning.List, request, call.token)
    except ApiError as error:
        if error.code == 404:
            return NOTHING
        raise
    return Rows([_row(obj, call.product) for obj in answer.objects], answer.total_size)


async def create(call: Call) -> Rows:
    """POST: what exists already is left as it is."""
    obj, _ = _read_object(call)
    request = CreateRequest(parent=call.name, object=obj)
    return _one(call, await call.client.call(call.client.provisioning.Create, request, call.token))


async def read(call: Call) -> Rows:
    """GET of one object. One that is not there is no error but an empty answer."""
    _no_archive(call)
    return await _read(call, call.name)


async def put(call: Call) -> Rows:
    """PUT of one object: changes the fields named in the body, or creates the object."""
    return await _put(call, call.name)


async def remove(call: Call) -> Rows:
    """DELETE of one object and all that it holds."""
    if call.query.restore:
        raise ApiError(400, "Parameter 'restore' is not supported.")
    _no_archive(call)
    request = DeleteRequest(name=call.name)
    try:
        await call.client.call(call.client.provisioning.Delete, request, call.token)
    except ApiError as error:
        raise _named(error, call.type) from None
    return NOTHING


async def own_settings(call: Call) -> Rows:
    """GET of the settings of whoever asks: a provider's own, or the platform's."""
    _no_archive(call)
    return await _read(call, await _own_settings_name(call))


async def put_own_settings(call: Call) -> Rows:
    """PUT of the settings of whoever asks."""
    return await _put(call, await _own_settings_name(call))


async def _read(call: Call, name: str) -> Rows:
    try:
        found = await call.client.call(
            call.client.provisioning.Get, GetRequest(name=name), call.token
        )
    except ApiError as error:
        if error.code == 404:
            return NOTHING
        raise
    return _one(call, found)


async def _put(call: Call, name: str) -> Rows:
    obj, mask = _read_object(call)
    request = UpdateRequest(
        name=name, object=obj, update_mask=FieldMask(paths=mask), allow_missing=True
    )
    try:
        stored = await call.client.call(call.client.provisioning.Update, request, call.token)
    except ApiError as error:
        raise _named(error, call.type) from None
    return _one(call, stored)


async def _own_settings_name(call: Call) -> str:
    who = await call.client.call(call.client.authentication.WhoAmI, WhoAmIRequest(), call.token)
    return format_name(call.product, "settings", (who.service_provider_name,))


def _name(call: Call) -> str:
    return format_name(call.product, call.type, call.key)


def _one(call: Call, obj: Object) -> Rows:
    return Rows((_row(obj, call.product),), 1)


def _row(obj: Object, product: str) -> dict[str, Any]:
    """An object as the references show it."""
    kind = kind_of(obj)
    return {
        "scope": kind.type,
        "meta": stamps_to_json(obj.stamps),
        "attributes": kind.to_json(body_of(obj), product),
    }


def _read_object(call: Call) -> tuple[Object, tuple[str, ...]]:
    kind = TYPES[call.type]
    data = json_object(call.headers, call.body)
    if call.type == "settings" and isinstance(data.get("settings"), dict) and len(data) == 1:
        data = data["settings"]  # the references show both forms
    try:
        message, mask = kind.from_json(data, call.product)
    except Invalid as error:
        raise ApiError(400, str(error), error.errors) from None
    obj = Object()
    getattr(obj, call.type).CopyFrom(message)
    return obj, mask


def _named(error: ApiError, type_: str) -> ApiError:
    """A refusal that says of which kind the missing object is."""
    return not_found(TYPES[type_].class_name) if error.code == 404 else error


def _no_archive(call: Call) -> None:
    if call.query.archive:
        raise ApiError(400, "Parameter 'archive' is not supported.")
