"""Fills in what was left out, from the defaults of the .proto.

1. A value that is there is never changed, and nothing is made up that has no default.
2. A group is filled in when it has defaults and no required fields: a rule left out stays out.
3. `{product}` and `{field}` in a default stand for the product and for that field of the object; a
   default whose field is not set is left out.
"""

from collections.abc import Callable
from functools import cache
from json import loads
from typing import Any

from .errors import Errors
from .fields import Field, Kind, Shape
from .reading import reader

Fill = Callable[[Any], None]


@cache
def filler(shape: Shape, product: str) -> Fill | None:
    """What completes a message of that shape; None where it has no defaults."""
    steps = tuple(step for field in shape.of(product) if (step := _step(shape, field, product)))
    if not steps:
        return None

    def fill(message: Any) -> None:
        for step in steps:
            step(message)

    return fill


def _step(shape: Shape, field: Field, product: str) -> Fill | None:
    inner = filler(field.shape, product) if field.shape else None
    text = field.default(product)
    if text:
        return _default(shape, field, product, text, inner)
    if inner is None:
        return None
    return _held(field, inner)


def _held(field: Field, inner: Fill) -> Fill:
    """Completes the messages that a field without a default of its own holds."""
    name = field.name
    if field.kind is Kind.MAP:
        return lambda message: _each(getattr(message, name).values(), inner)
    if field.repeated:
        most = field.rules.max_items or None  # those beyond are refused, and not worth the time
        return lambda message: _each(getattr(message, name)[:most], inner)
    if field.shape and any(held.rules.required for held in field.shape.fields):
        return lambda message: inner(getattr(message, name)) if message.HasField(name) else None
    return lambda message: inner(getattr(message, name))


def _each(messages: Any, inner: Fill) -> None:
    for message in messages:
        inner(message)


def _default(shape: Shape, field: Field, product: str, text: str, inner: Fill | None) -> Fill:
    """Fills in a field's default where the field is empty, then completes what it holds."""
    name = field.name
    many = field.repeated or field.kind is Kind.MAP
    value = loads(text.replace("{product}", product))
    if isinstance(value, str) and "{" in value:
        sources = [held.name for held in shape.fields if f"{{{held.name}}}" in value]
        if sources:
            return _templated(name, value, sources)
    errors = Errors()
    sample = reader(shape, product)({field.json_name: value}, "", errors)
    errors.check(shape.name)
    complete_held = _held(field, inner) if inner else _nothing
    complete_held(sample)

    def fill(message: Any) -> None:
        empty = not len(getattr(message, name)) if many else not message.HasField(name)
        if empty:
            message.MergeFrom(sample)
        else:
            complete_held(message)

    return fill


def _nothing(_message: Any) -> None:
    """Completes what holds no messages."""


def _templated(name: str, text: str, sources: list[str]) -> Fill:
    def fill(message: Any) -> None:
        if message.HasField(name) or not all(getattr(message, source) for source in sources):
            return
        value = text
        for source in sources:
            value = value.replace(f"{{{source}}}", getattr(message, source))
        setattr(message, name, value)

    return fill
