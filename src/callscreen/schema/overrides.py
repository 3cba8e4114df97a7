"""Which settings a service provider may hold of its own: `__override__` on the platform's settings.

1. A path in `__override__` names an existing setting of the product that is marked overridable.
2. A provider's own settings hold nothing but overridable ones.
3. Only as deep as the settings go is anything looked at, however deep a document is.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message

from ..v1 import settings_pb2
from .errors import Errors
from .fields import Field, Kind, Shape, shape_of
from .scalars import read_boolean

SETTINGS = shape_of(settings_pb2.Settings)
_OWNER = "service_provider_name"


def check_tree(tree: Any, path: str, product: str, errors: Errors) -> dict[str, Any]:
    """An `__override__` object as nested dicts of booleans; what is none is noted and left out."""
    return _check(tree, SETTINGS, path, product, errors)


def _check(tree: Any, shape: Shape, path: str, product: str, errors: Errors) -> dict[str, Any]:
    if not isinstance(tree, Mapping):
        errors.add(path, "type", "must be an object")
        return {}
    known = {field.json_name: field for field in shape.of(product)}
    found: dict[str, Any] = {}
    for name, value in tree.items():
        field, below = known.get(name), f"{path}.{name}"
        if field is None:
            errors.add(below, "unknown", "is unknown")
        elif is_group(field):
            found[name] = _check(value, field.shape or shape, below, product, errors)
        elif not field.rules.overridable:
            errors.add(below, "not_accepted", "has no service provider override option")
        else:
            found[name] = read_boolean(value, below, errors)
    return found


def is_group(field: Field) -> bool:
    return field.kind is Kind.MESSAGE and not field.repeated


def tree_of(struct: Any) -> dict[str, Any]:
    """A Struct as nested dicts; values that are neither objects nor booleans as None."""
    return {
        name: value.bool_value
        if value.HasField("bool_value")
        else tree_of(value.struct_value)
        if value.HasField("struct_value")
        else None
        for name, value in struct.fields.items()
    }


def check_own(settings: Message, prefix: str, errors: Errors) -> None:
    """Note what a provider's own settings hold though only the platform may."""
    if getattr(settings, _OWNER):
        _check_own(settings, SETTINGS, prefix, errors)


def _check_own(message: Message, shape: Shape, prefix: str, errors: Errors) -> None:
    fields = {field.number: field for field in shape.fields}
    for descriptor, value in message.ListFields():
        field = fields[descriptor.number]
        if is_group(field) and field.shape:
            _check_own(value, field.shape, f"{prefix}{field.json_name}.", errors)
        elif not field.rules.overridable and field.name != _OWNER:
            path = prefix + field.json_name
            errors.add(path, "read_only", "is the platform's alone to set")
