"""Messages to JSON, by the descriptors.

1. Every field of the product stands there, in the order of the .proto; what is not set is None.
2. A secret never leaves: it reads as MASK.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from .fields import Field, Kind, Shape
from .overrides import tree_of
from .secrets import MASK

Writer = Callable[[Any], Any]


@cache
def writer(shape: Shape, product: str) -> Writer:
    """What writes a message of that shape as a JSON object, as that product has it."""
    parts = tuple((field.json_name, _field_writer(field, product)) for field in shape.of(product))
    if shape.rules.sparse:
        named = {field.number: field.json_name for field in shape.of(product)}
        writers = dict(parts)
        return lambda message: {
            name: writers[name](message)
            for descriptor, _ in message.ListFields()
            if (name := named.get(descriptor.number))
        }

    def write(message: Any) -> dict[str, Any]:
        return {name: write_field(message) for name, write_field in parts}

    return write


def _field_writer(field: Field, product: str) -> Writer:
    name = field.name
    write = value_writer(field, product)
    if field.kind is Kind.MAP:
        return lambda message: {key: write(held) for key, held in getattr(message, name).items()}
    if field.repeated:
        if field.shape is None:
            return lambda message: list(getattr(message, name))
        return lambda message: [write(held) for held in getattr(message, name)]
    return lambda message: write(getattr(message, name)) if message.HasField(name) else None


def value_writer(field: Field, product: str) -> Writer:
    """What writes one value of a field; a secret as MASK."""
    if field.rules.secret:
        return lambda value: MASK if value else None
    if field.kind is Kind.TREE:
        return tree_of
    if field.shape is None:
        return lambda value: value
    if field.shape.rules.pair:
        names = tuple(held.name for held in field.shape.fields)
        return lambda value: [getattr(value, name) for name in names]
    return writer(field.shape, product)
