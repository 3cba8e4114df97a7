"""What binds objects to one another: keys, references, uniqueness, and what lies below what.

1. A path begins with the path of what the object lies below, so that all that goes with an object
   is one range of keys. Only an administrator's path, (provider, subscriber, username), is not
   its key.
"""

from collections.abc import Iterator, Sequence
from functools import cache

from google.protobuf.message import Message

from ..v1.object_pb2 import Object
from ..v1.rules_pb2 import Format
from .fields import Field, Shape, choices
from .formats import role_parts

Key = tuple[str, ...]
Reference = tuple[str, str, Key]  # field, type, key

ROLE_HOLDER = "administrator"
_PLATFORM_ROLE = "platform_owner"

KINDS = choices(Object, "kind")  # the shape of each type, by name


def path_of(type: str, key: Sequence[str]) -> Key:
    """Where the store holds an object; the beginning of a key gives the beginning of a path."""
    if type != ROLE_HOLDER or not key:
        return tuple(key)
    # What is no role has a place of its own, where nothing ever is.
    return (*(role_parts(key[0]) or ("", f":{key[0]}")), *key[1:])


def key_of_path(type: str, path: Sequence[str]) -> Key:
    """The key of the object that the store holds at a whole path."""
    if type != ROLE_HOLDER:
        return tuple(path)
    provider, subscriber, username = path
    if subscriber:
        return (f"subscriber:{provider}:{subscriber}", username)
    return (f"service_provider:{provider}" if provider else _PLATFORM_ROLE, username)


@cache
def _nested(shape: Shape) -> tuple[Field, ...]:
    """The lists of messages that refer to objects."""
    return tuple(
        field
        for field in shape.fields
        if field.shape and field.repeated and _reference_fields(field.shape)
    )


@cache
def _reference_fields(shape: Shape) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Field, type, and the fields that make the key; a role has no fields: it names its own."""
    found: list[tuple[str, str, tuple[str, ...]]] = []
    for field in shape.fields:
        target = field.rules.references
        if field.rules.format == Format.ROLE_ID:
            found.append((field.name, "", ()))
        elif target:
            outer = tuple(KINDS[target].rules.key)[:-1]
            found.append((field.name, target, (*outer, field.name)))
    return tuple(found)


def references(shape: Shape, message: Message) -> Iterator[Reference]:
    """Every object that must exist."""
    for field, target, names in _reference_fields(shape):
        value = getattr(message, field)
        if value and names:
            yield field, target, tuple(getattr(message, name) for name in names)
        elif value:
            provider, subscriber = role_parts(value) or ("", "")
            if subscriber:
                yield field, "subscriber", (provider, subscriber)
            elif provider:
                yield field, "service_provider", (provider,)
    for held in _nested(shape):
        for place, item in enumerate(getattr(message, held.name)):
            for field, target, key in references(held.shape or shape, item):
                yield f"{held.name}[{place}].{field}", target, key


@cache
def _unique_fields(shape: Shape) -> tuple[Field, ...]:
    """A field that alone is the key is left out: the key says it."""
    return tuple(
        field for field in shape.fields if field.rules.unique and [field.name] != shape.rules.key
    )


def unique_columns(shape: Shape) -> tuple[str, ...]:
    """The fields in which every object of the type has one value, and no two have the same."""
    return tuple(
        field.name for field in _unique_fields(shape) if field.rules.required and not field.repeated
    )


def uniques(shape: Shape, message: Message) -> Iterator[tuple[str, str]]:
    """Field and value of everything that no other object of the type and product may hold."""
    for field in _unique_fields(shape):
        value = getattr(message, field.name)
        for held in value if field.repeated else (value,):
            if held:
                yield field.name, held


@cache
def above(type: str) -> tuple[str, ...]:
    """The types that a type lies below, nearest first: parents, and what its first key names."""
    shape = KINDS[type]
    if shape.rules.parent:
        return (shape.rules.parent, *above(shape.rules.parent))
    first = next(field for field in shape.fields if field.name == shape.rules.key[0])
    if first.rules.format == Format.ROLE_ID:
        return ("subscriber", *above("subscriber"))
    target = first.rules.references
    return (target, *above(target)) if target else ()
