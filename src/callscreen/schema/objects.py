"""The object types: everything the rest of the software knows of them, made from the descriptors.

1. TYPES holds every type of `Object.kind`, once, in the order of the .proto.
2. `from_json`, `keep_masked`, `complete`, `normalise`, `validate`, in that order, give an object
   fit to be stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from ..v1.object_pb2 import Object
from .columns import Column, Row, columns, object_row
from .defaults import filler
from .errors import Errors, FieldError, Invalid
from .fields import Field, Shape, product_name
from .names import PRODUCTS
from .normalise import normaliser
from .reading import mask_of, reader
from .relations import (
    KINDS,
    Key,
    Reference,
    above,
    key_of_path,
    path_of,
    references,
    unique_columns,
    uniques,
)
from .secrets import keep_masked, redact
from .validate import validator
from .writing import writer


class ObjectType:
    """One type of provisioned object. Made once, from its message class."""

    def __init__(self, shape: Shape) -> None:
        rules = shape.rules
        self.shape: Shape = shape
        self.type: str = rules.type
        self.class_name: str = self.shape.name
        self.message: type[Message] = shape.message
        self.key: tuple[str, ...] = tuple(rules.key)
        self.parent: str | None = rules.parent or None
        only = product_name(rules.product)
        self.products: tuple[str, ...] = (only,) if only else PRODUCTS
        self.screened: bool = rules.screened
        self.generated: str | None = rules.generated or None
        self.indexed: tuple[str, ...] = tuple(rules.indexed)
        self.unique_columns: tuple[str, ...] = unique_columns(shape)
        self.help: str = rules.help
        self.fields: tuple[Field, ...] = self.shape.fields

    def __repr__(self) -> str:
        return f"ObjectType({self.type!r})"

    # --- JSON -------------------------------------------------------------------------------

    def from_json(self, data: Any, product: str) -> tuple[Any, tuple[str, ...]]:
        """The message, and the proto names of the fields given, nulls included. Raises Invalid."""
        errors = Errors()
        if not isinstance(data, Mapping):
            raise Invalid(
                [FieldError("", "type", f"{self.class_name}(): The body must be a JSON object.")]
            )
        message = reader(self.shape, product)(data, "", errors)
        errors.check(self.class_name)
        return message, mask_of(self.shape, product, data)

    def to_json(self, message: Message, product: str) -> dict[str, Any]:
        """The fields of this product in order; unset is None, secrets are masked."""
        document: dict[str, Any] = writer(self.shape, product)(message)
        return document

    # --- from a request to an object ----------------------------------------------------------

    def complete(
        self, message: Message, product: str, key: Mapping[str, str] | None = None
    ) -> None:
        """Fill in key fields and defaults that are not set, in place.

        A provider's own settings get no defaults: what they leave out is the platform's.
        """
        for name, value in (key or {}).items():
            if not message.HasField(name):
                setattr(message, name, value)
        fill = filler(self.shape, product)
        if fill and not (self.type == "settings" and self.key_of(message) != ("",)):
            fill(message)

    def normalise(self, message: Message, product: str, default_cc: str) -> None:
        """Bring formatted values into their held form, in place. Raises Invalid."""
        apply = normaliser(self.shape)
        if apply:
            errors = Errors()
            apply(message, default_cc, "", errors)
            errors.check(self.class_name)

    def validate(self, message: Message, product: str) -> None:
        """Hold a completed and normalised message against every rule. Raises Invalid."""
        errors = Errors()
        if product not in self.products:
            errors.add(self.type, "product", f"is no object of {product}")
        else:
            validator(self.shape, product)(message, "", errors)
        errors.check(self.class_name)

    # --- keys ---------------------------------------------------------------------------------

    def key_of(self, message: Message) -> Key:
        """The values of the key fields, outermost first; empty where unset."""
        return tuple(getattr(message, name) for name in self.key)

    def path_of(self, key: Sequence[str]) -> Key:
        """Where the store holds an object; the beginning of a key gives the beginning of a path.

        An administrator lies below what its role names: (provider, subscriber, username).
        """
        return path_of(self.type, key)

    def key_of_path(self, path: Sequence[str]) -> Key:
        """The key of the object that the store holds at a whole path."""
        return key_of_path(self.type, path)

    # --- between objects ----------------------------------------------------------------------

    def references(self, message: Message) -> Iterator[Reference]:
        """Field, type and key of every object that must exist."""
        return references(self.shape, message)

    def uniques(self, message: Message) -> Iterator[tuple[str, str]]:
        """Field and value of everything that no other object of the type and product may hold.

        A field that alone is the key is left out: the key says it.
        """
        return uniques(self.shape, message)

    # --- secrets ------------------------------------------------------------------------------

    def redact(self, message: Message) -> None:
        """Clear every secret, in place."""
        redact(self.shape, message)

    def keep_masked(self, new: Message, old: Message | None) -> None:
        """Give a secret that holds the mask its old value, in place; without one it is cleared.

        Raises Invalid where a PIN is given as a hash that is not the one held.
        """
        errors = Errors()
        keep_masked(self.shape, new, old, errors)
        errors.check(self.class_name)

    # --- tables -------------------------------------------------------------------------------

    def columns(self, product: str) -> tuple[Column, ...]:
        """What a table query on this type may name."""
        return columns(self.shape, product)

    def row(self, obj: Object) -> Row:
        """The cells of one object of this type."""
        return object_row(getattr(obj, self.type), obj.stamps)


TYPES: Mapping[str, ObjectType] = {type: ObjectType(shape) for type, shape in KINDS.items()}


def kind_of(obj: Object) -> ObjectType:
    """The type of an object. Raises ValueError where it holds none."""
    kind = obj.WhichOneof("kind")
    if kind is None:
        raise ValueError("The object is of no kind.")
    return TYPES[kind]


def body_of(obj: Object) -> Message:
    """The message inside an object. Raises ValueError where it holds none."""
    body: Message = getattr(obj, kind_of(obj).type)
    return body


def children(type: str, product: str) -> tuple[ObjectType, ...]:
    """The types of this product whose objects lie below one of that type, and go when it goes."""
    return tuple(
        below for below in TYPES.values() if type in above(below.type) and product in below.products
    )
