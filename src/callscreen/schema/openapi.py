"""JSON Schema of the objects, for OpenAPI 3.1."""

from typing import Any

from .fields import INT32, Field, Kind, Shape


def object_schema(shape: Shape, product: str) -> dict[str, Any]:
    """The schema of a JSON object of that shape, as that product has it."""
    fields = shape.of(product)
    if shape.rules.pair:
        items = [_value(field, product) for field in fields]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "items": False}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {field.json_name: field_schema(field, product) for field in fields},
        "additionalProperties": False,
    }
    required = [field.json_name for field in fields if field.rules.required]
    if required:
        schema["required"] = required
    if shape.rules.help:
        schema["description"] = shape.rules.help
    return schema


def field_schema(field: Field, product: str) -> dict[str, Any]:
    """The schema of one field: its own form, not the others that are read besides."""
    schema = _value(field, product)
    rules = field.rules
    if field.kind is Kind.MAP:
        schema = {"type": "object", "additionalProperties": schema}
        schema["propertyNames"] = {"minLength": 1, "maxLength": rules.max_len}
        schema["maxProperties"] = rules.max_items
    elif field.repeated:
        schema = {"type": "array", "items": schema}
        if rules.max_items:
            schema["maxItems"] = rules.max_items
        if rules.min_items:
            schema["minItems"] = rules.min_items
    if not (rules.required or field.repeated or field.kind is Kind.MAP):
        schema = _or_null(schema)
    schema["description"] = rules.help
    if rules.secret:
        schema["writeOnly"] = True
    return schema


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The same, or null: an answer where nothing is set, and a request to clear the field."""
    values = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **values}


def _value(field: Field, product: str) -> dict[str, Any]:
    rules = field.rules
    if field.shape is not None:
        return object_schema(field.shape, product)
    if field.kind is Kind.TREE:
        return {"type": "object"}
    schema: dict[str, Any] = {"type": field.kind.value}
    if field.kind is Kind.INTEGER:
        low, high = field.bounds
        schema |= {"minimum": low, "maximum": high}
        if (low, high) == INT32:
            schema["format"] = "int32"
    if field.kind is Kind.STRING:
        if rules.max_len:
            schema["maxLength"] = rules.max_len
        if rules.min_len or rules.required:
            schema["minLength"] = max(rules.min_len, 1)
        if rules.pattern and not rules.secret:
            schema["pattern"] = f"^{rules.pattern}$"
        if rules.accepted:
            schema["enum"] = list(field.accepted(product))
    return schema
