"""The one walk over the descriptors: what fields a message has, and what they may hold.

1. Nothing outside this module reads a descriptor or an option.
2. A Shape is made once a message type and never changes; everything else is compiled from it.
3. Fields stand in the order of the .proto file.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from ..v1 import rules_pb2

INT32 = (-(2**31), 2**31 - 1)


class Kind(StrEnum):
    """What one value of a field is."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    MESSAGE = "object"
    MAP = "map"  # from text to messages
    TREE = "tree"  # google.protobuf.Struct: an object of objects whose leaves are booleans


@dataclass(frozen=True, eq=False, slots=True)
class Field:
    """A field of a message. `product` is the only product that has it, or None for both."""

    name: str
    json_name: str
    number: int
    kind: Kind
    repeated: bool
    rules: rules_pb2.FieldRules
    product: str | None
    shape: "Shape | None"  # of the messages that it holds

    def default(self, product: str) -> str:
        """The default as JSON text in that product; empty where there is none."""
        return (self.rules.default_cin if product == "cin" else "") or self.rules.default

    def accepted(self, product: str) -> tuple[str, ...]:
        """The only values allowed in that product; empty where any is."""
        return tuple(value.replace("{product}", product) for value in self.rules.accepted)

    def also(self, form: "rules_pb2.Also.ValueType") -> bool:
        """Whether JSON may hold the value in that other form."""
        return form in self.rules.also

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the greatest value of a number."""
        low, high = INT32
        rules = self.rules
        return (
            rules.minimum if rules.HasField("minimum") else low,
            rules.maximum if rules.HasField("maximum") else high,
        )


@dataclass(frozen=True, eq=False, slots=True)
class Shape:
    """A message type: its class, its own options and its fields."""

    name: str
    message: type[Message]
    rules: rules_pb2.ObjectRules
    fields: tuple[Field, ...]

    def of(self, product: str) -> tuple[Field, ...]:
        """The fields that this product has."""
        return tuple(field for field in self.fields if field.product in (None, product))


def product_name(product: "rules_pb2.Product.ValueType") -> str | None:
    """pcs or cin; None where no product is named."""
    return rules_pb2.Product.Name(product).lower() if product else None


@cache
def shape_of(message: type[Message]) -> Shape:
    """The shape of a generated message class."""
    return _shape(message.DESCRIPTOR)


@cache
def _shape(descriptor: Descriptor) -> Shape:
    return Shape(
        name=descriptor.name,
        message=GetMessageClass(descriptor),
        rules=descriptor.GetOptions().Extensions[rules_pb2.object],
        fields=tuple(_field(field) for field in descriptor.fields),
    )


def _field(descriptor: FieldDescriptor) -> Field:
    rules = descriptor.GetOptions().Extensions[rules_pb2.rules]
    kind, held = _kind(descriptor)
    return Field(
        name=descriptor.name,
        json_name=rules.json_name or descriptor.name,
        number=descriptor.number,
        kind=kind,
        repeated=descriptor.is_repeated and kind is not Kind.MAP,
        rules=rules,
        product=product_name(rules.product),
        shape=_shape(held) if held else None,
    )


_SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: Kind.STRING,
    FieldDescriptor.CPPTYPE_INT32: Kind.INTEGER,
    FieldDescriptor.CPPTYPE_BOOL: Kind.BOOLEAN,
}


def _kind(descriptor: FieldDescriptor) -> tuple[Kind, Descriptor | None]:
    """The kind, and the message type held. A kind not in the table is a fault of the .proto."""
    held = descriptor.message_type
    if held is None:
        return _SCALARS[descriptor.cpp_type], None
    if held.full_name == "google.protobuf.Struct":
        return Kind.TREE, None
    if held.GetOptions().map_entry:
        return Kind.MAP, held.fields_by_name["value"].message_type
    return Kind.MESSAGE, held


def choices(message: type[Message], oneof: str) -> dict[str, Shape]:
    """The shapes of the messages that a oneof chooses among, by field name, in order."""
    fields = message.DESCRIPTOR.oneofs_by_name[oneof].fields
    return {field.name: _shape(field.message_type) for field in fields}
