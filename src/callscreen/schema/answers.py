"""JSON Schema of what is answered: every field of the product, unset ones as null.

1. Whatever `writing` writes of a stored object fits.
"""

from typing import Any

from .fields import Field, Kind, Shape
from .overrides import SETTINGS, is_group
from .secrets import MASK

__all__ = ["answer_schema", "tree_schema"]


def answer_schema(shape: Shape, product: str) -> dict[str, Any]:
    """The schema of a JSON object of that shape, as that product answers it."""
    fields = shape.of(product)
    if shape.rules.pair:
        items = [_value(field, product) for field in fields]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "items": False}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {field.json_name: _field(field, product) for field in fields},
        "additionalProperties": False,
    }
    if not shape.rules.sparse:
        schema["required"] = [field.json_name for field in fields]
    return schema


def tree_schema(leaf: dict[str, Any], product: str, shape: Shape = SETTINGS) -> dict[str, Any]:
    """The schema of an `__override__` object whose leaves are as given."""
    properties = {
        field.json_name: tree_schema(leaf, product, field.shape) if field.shape else leaf
        for field in shape.of(product)
        if is_group(field) or field.rules.overridable
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _field(field: Field, product: str) -> dict[str, Any]:
    rules = field.rules
    if rules.secret:
        schema: dict[str, Any] = {"enum": [MASK, None]}
    elif field.kind is Kind.MAP:
        schema = {"type": "object", "additionalProperties": _value(field, product)}
    elif field.repeated:
        schema = {"type": "array", "items": _value(field, product)}
    else:
        schema = _value(field, product)
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    schema["description"] = rules.help
    return schema


def _value(field: Field, product: str) -> dict[str, Any]:
    if field.shape is not None:
        return answer_schema(field.shape, product)
    if field.kind is Kind.TREE:
        return tree_schema({"type": ["boolean", "null"]}, product)
    schema: dict[str, Any] = {"type": field.kind.value}
    if field.kind is Kind.STRING and field.rules.accepted:
        schema["enum"] = list(field.accepted(product))
    if field.kind is Kind.STRING and field.rules.max_len and not field.rules.format:
        schema["maxLength"] = field.rules.max_len
    return schema
