"""From resource names to the objects meant.

Invariants:
1. A key part is held in its normal form (numbers with +, user names in lower case), however it
   was written in the name.
2. A name that cannot be read is the caller's error; a type that a product lacks is not found.
"""

from functools import cache, lru_cache
from typing import Final, NamedTuple

from google.protobuf.message import Message

from ...schema import TYPES, Invalid, ObjectType, body_of, parse_name
from ...v1.object_pb2 import Object
from ..errors import InvalidInput, NotFound
from ..limits import NAME_CHARS
from ..store.contract import Key, Reader

DEFAULT_CC: Final = "1"  # until the platform's settings are there
PLATFORM_SETTINGS: Final = ("",)


class Target(NamedTuple):
    """A collection, or (its key whole) an object."""

    kind: ObjectType
    product: str
    key: tuple[str, ...]

    @property
    def path(self) -> tuple[str, ...]:
        return self.kind.path_of(self.key)

    @property
    def whole(self) -> bool:
        return len(self.key) == len(self.kind.key)


def collection(parent: str, field: str = "parent") -> Target:
    """A parent: product, type and the outer key parts. Raises InvalidInput, NotFound."""
    if len(parent) > NAME_CHARS:
        raise _bad(field, "The resource name is too long.")
    try:
        product, type_, key = parse_name(parent)
    except ValueError as error:
        raise _bad(field, str(error)) from error
    kind = TYPES.get(type_)
    if kind is None or product not in kind.products:
        raise NotFound(f"No object '{type_}' exists.")
    if len(key) > len(kind.key):
        raise _bad(field, f"The name of a {type_} has {len(kind.key)} key parts.")
    return Target(kind, product, key)


def target(name: str) -> Target:
    """An object's name. Raises InvalidInput, NotFound."""
    found = collection(name, "name")
    if not found.whole:
        kind = found.kind
        raise _bad("name", f"The name of a {kind.type} has {len(kind.key)} key parts.")
    return found


def canonical(reader: Reader, at: Target) -> tuple[str, ...]:
    """The key in the form in which it is held. Raises Invalid for what cannot be one."""
    kind = at.kind
    if not at.key or not is_normalised(kind):
        return at.key
    if at.whole and reader.get(Key(at.product, kind.type, at.path)) is not None:
        return at.key  # what is held is held in that form
    body = kind.message()
    for field, part in zip(kind.key, at.key, strict=False):
        setattr(body, field, part)
    kind.normalise(body, at.product, default_cc(reader, at.product))
    return kind.key_of(body)[: len(at.key)]


def found_key(reader: Reader, at: Target) -> tuple[str, ...]:
    """The same for reading: what can be no key is not provisioned. Raises NotFound."""
    try:
        return canonical(reader, at)
    except Invalid:
        raise NotFound from None


@cache
def is_normalised(kind: ObjectType) -> bool:
    """Whether a part of the key has more than one spelling."""
    return any(field.name in kind.key and field.rules.format for field in kind.fields)


def default_cc(reader: Reader, product: str) -> str:
    """The country code of numbers given without one: the product's platform setting."""
    value = reader.get(Key(product, "settings", PLATFORM_SETTINGS))
    return DEFAULT_CC if value is None else _country_code(value)


@lru_cache(maxsize=8)
def _country_code(settings: bytes) -> str:
    held = Object.FromString(settings).settings.web_settings.default_cc
    return held or DEFAULT_CC


def body_for(kind: ObjectType, obj: Object) -> Message:
    """The message inside, without fields that nobody knows. Raises InvalidInput."""
    if obj.WhichOneof("kind") != kind.type:
        raise _bad("object", f"The object must be a {kind.type}.")
    body = body_of(obj)
    body.DiscardUnknownFields()
    return body


def _bad(field: str, message: str) -> InvalidInput:
    return InvalidInput(message, [(field, "format", message)])


__all__ = [
    "PLATFORM_SETTINGS",
    "Target",
    "body_for",
    "canonical",
    "collection",
    "default_cc",
    "found_key",
    "target",
]
