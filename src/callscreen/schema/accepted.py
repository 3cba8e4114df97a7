"""JSON Schema of what a request may hold: each field's own form, and the others that are read.

1. What fits is read and validated, but for what one field demands of other objects, or of another
   field where demands.py cannot say it; what does not fit is refused.
2. A text that stands for something else (a number, an address) is described by a pattern, which
   leaves out only spellings that nobody writes.
"""

from functools import cache
from typing import Any, Final

from ..v1.rules_pb2 import Also, Format
from .answers import tree_schema
from .cross import FORMS
from .demands import DEMANDS
from .fields import INT32, Field, Kind, Shape
from .formats import MAX_DIGITS
from .secrets import MASK

__all__ = ["part_schema", "request_schema", "text_pattern"]

TEXT: Final = r"^[^\u0000]*$"
LEAST_CC: Final = 3  # digits that a country code may take of a number without one
DROPPED: Final = "[ .()-]*"
OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
V4: Final = rf"{OCTET}(?:\.{OCTET}){{3}}(?:/(?:3[0-2]|[12]?[0-9]))?"
SHORT_V4: Final = rf"{OCTET}(?:\.{OCTET}){{0,2}}/(?:3[0-2]|[12]?[0-9])"
V6: Final = r"(?:[0-9A-Fa-f]{1,4}:){1,6}:(?:/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9]))?"
WHOLE_V6: Final = r"(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}"
NAME: Final = r"[^/:\u0000-\u001f\u007f]{1,64}"
BOOLEANS: Final = {"enum": [True, False, "true", "false"]}


def _dial(digit: str, end: str = "") -> str:
    def digits(most: int) -> str:
        return f"(?:{digit}{DROPPED}){{1,{most}}}"

    whole = rf"\+{DROPPED}{digits(MAX_DIGITS)}|{digits(MAX_DIGITS - LEAST_CC)}"
    return f"{DROPPED}(?:{whole}){end}"


FORMATS: Final[dict[int, str]] = {
    Format.NUMBER: _dial("[0-9]"),
    Format.NUMBER_MASK: _dial("[0-9xX]"),
    Format.LIST_ENTRY: _dial("[0-9xX]", rf"(?:\*{DROPPED})?"),
    Format.ADDRESS_PREFIX: f"{V4}|{SHORT_V4}|{V6}|{WHOLE_V6}",
    Format.ROLE_ID: f"platform_owner|service_provider:{NAME}|subscriber:{NAME}:{NAME}",
    Format.USERNAME: "[A-Za-z0-9_]+",
    Format.COUNTRY_CODE: r"\+?[1-9][0-9]{0,2}",
    Format.POINT_CODE: f"[0-9]{{1,7}}|{OCTET}-{OCTET}-{OCTET}",
}


@cache
def request_schema(shape: Shape, product: str, whole: bool = True) -> dict[str, Any]:
    """The schema of a JSON object of that shape; not `whole`: required fields may be left out.

    It is shared: do not change it.
    """
    fields = shape.of(product)
    if shape.rules.pair:
        items = [_value(field, product) for field in fields]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "items": False}
    properties: dict[str, Any] = {}
    for field in fields:
        for name in (field.json_name, *field.rules.aliases):
            properties[name] = _of_form(_field(field, product), shape, field)
    schema: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **DEMANDS.get(shape.name, {}),
    }
    required = [field.json_name for field in fields if field.rules.required]
    if required and whole:
        schema["required"] = required
    if shape.rules.help:
        schema["description"] = shape.rules.help
    return schema


def _of_form(schema: dict[str, Any], shape: Shape, field: Field) -> dict[str, Any]:
    """The field's schema with the grammar that its text has; it may be empty, which means none."""
    form = FORMS.get(shape.name, {}).get(field.name)
    if form is not None:
        schema.get("anyOf", [schema])[0]["pattern"] = f"^(?:{form.pattern}|)$"
    return schema


def part_schema(field: Field, product: str) -> dict[str, Any]:
    """The schema of a field as a part of a URL."""
    schema = _string(field, product)
    return {**schema, "type": "string", "minLength": 1}


def text_pattern(field: Field) -> str:
    """The pattern of a text field's spellings."""
    rules = field.rules
    found = FORMATS.get(rules.format) or rules.pattern
    return f"^(?:{_escaped(found)})$" if found else TEXT


def _escaped(pattern: str) -> str:
    """The same pattern with its characters in the form that ECMA 262 knows."""
    return pattern.replace(r"\x", r"\u00")


def _field(field: Field, product: str) -> dict[str, Any]:
    rules = field.rules
    forms: list[dict[str, Any]]
    if field.kind is Kind.MAP:
        forms = [_map(field, product)]
    elif field.repeated:
        forms = _list(field, product)
    else:
        forms = _forms(field, product)
    no_secret = rules.secret and not rules.min_len
    others: list[Any] = []
    if field.also(Also.EMPTY_STRING) or no_secret:
        others.append("")
    if field.also(Also.EMPTY_LIST):
        others.append([])
    if rules.secret:
        others.append(MASK)
    if not rules.required:
        others.append(None)
    if others:
        forms.append({"enum": others})
    schema: dict[str, Any] = forms[0] if len(forms) == 1 else {"anyOf": forms}
    schema["description"] = rules.help
    if rules.secret:
        schema["writeOnly"] = True
    if rules.managed:
        schema["readOnly"] = True
    return schema


def _map(field: Field, product: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": {**_value(field, product)},
        "propertyNames": {"minLength": 1, "maxLength": field.rules.max_len, "pattern": TEXT},
        "maxProperties": field.rules.max_items,
    }


def _list(field: Field, product: str) -> list[dict[str, Any]]:
    rules = field.rules
    schema: dict[str, Any] = {"type": "array", "items": _value(field, product)}
    if rules.max_items:
        schema["maxItems"] = rules.max_items
    if rules.min_items:
        schema["minItems"] = rules.min_items
    if not field.also(Also.COMMA_LIST):
        return [schema]
    one = text_pattern(field)[1:-1]
    if rules.accepted:
        one = "(?:" + "|".join(field.accepted(product)) + ")"
    return [schema, {"type": "string", "pattern": f"^ *(?:{one}(?: *, *{one}){{0,9}})? *$"}]


def _value(field: Field, product: str) -> dict[str, Any]:
    forms = _forms(field, product)
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _forms(field: Field, product: str) -> list[dict[str, Any]]:
    """The forms of one value, the field's own first."""
    if field.shape is not None:
        return [{**request_schema(field.shape, product)}]
    if field.kind is Kind.TREE:
        return [tree_schema(BOOLEANS, product)]
    if field.kind is Kind.BOOLEAN:
        return [{**BOOLEANS}]
    if field.kind is Kind.INTEGER:
        low, high = field.bounds
        quoted = {"type": "string", "pattern": f"^(?:{_between(low, high)})$"}
        return [{"type": "integer", "minimum": low, "maximum": high}, quoted]
    forms = [_string(field, product)]
    if field.also(Also.INTEGER):
        forms.append({"type": "integer", "minimum": 1, "maximum": _most(field)})
    return forms


def _most(field: Field) -> int:
    """The greatest number that is taken for a text of digits."""
    return {Format.COUNTRY_CODE: 999, Format.POINT_CODE: 2**24 - 1}.get(
        field.rules.format, INT32[1]
    )


def _string(field: Field, product: str) -> dict[str, Any]:
    rules = field.rules
    if rules.accepted:
        return {"type": "string", "enum": list(field.accepted(product))}
    schema: dict[str, Any] = {"type": "string", "pattern": text_pattern(field)}
    if rules.max_len:
        schema["maxLength"] = rules.max_len
    if rules.min_len or rules.required:
        schema["minLength"] = max(rules.min_len, 1)
    return schema


def _between(low: int, high: int) -> str:
    """A pattern of the integers from low to high, with a sign and a few zeros before them."""
    parts = []
    if high >= 0:
        parts.append(rf"\+?{_span(max(low, 0), high)}")
    if low <= 0:
        parts.append(f"-{_span(max(-high, 0), -low)}")
    return "|".join(parts)


def _span(least: int, most: int) -> str:
    below = f"(?!0*(?:{_upto(least - 1)})$)" if least else ""
    return f"{below}0{{0,3}}(?:{_upto(most)})"


def _upto(most: int) -> str:
    """A pattern of the integers from 0 to most, without zeros before them."""
    digits = str(most)
    found = [f"[0-9]{{1,{len(digits) - 1}}}"] if len(digits) > 1 else []
    for place, digit in enumerate(digits):
        least = 1 if place == 0 and len(digits) > 1 else 0
        if int(digit) > least:
            rest = len(digits) - place - 1
            tail = f"[0-9]{{{rest}}}" if rest else ""
            found.append(f"{digits[:place]}[{least}-{int(digit) - 1}]{tail}")
    found.append(digits)
    return "|".join(found)
