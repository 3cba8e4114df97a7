"""Brings every formatted value of a message into the form in which it is held (see `formats`).

1. `normalise` twice is `normalise` once.
2. A list keeps its order and each entry once.
3. All values that have no held form are told, each by its place; the others are changed.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from .errors import Errors
from .fields import Field, Kind, Shape
from .formats import CANONICAL, NORMALISE, all_held

Apply = Callable[[Any, str, str, Errors], None]  # message, default_cc, prefix, errors


@cache
def normaliser(shape: Shape) -> Apply | None:
    """What brings a message of that shape into its held form; None where nothing needs it."""
    steps = tuple(step for field in shape.fields if (step := _step(field)))
    if not steps:
        return None

    def apply(message: Any, default_cc: str, prefix: str, errors: Errors) -> None:
        for step in steps:
            step(message, default_cc, prefix, errors)

    return apply


def _step(field: Field) -> Apply | None:
    if field.rules.format:
        return partial(_texts if field.repeated else _text, field)
    if field.kind in (Kind.MESSAGE, Kind.MAP) and field.shape:
        inner = normaliser(field.shape)
        if inner is None:
            return None
        if field.kind is Kind.MAP:
            return partial(_mapped, field, inner)
        return partial(_messages if field.repeated else _message, field, inner)
    return None


def _text(field: Field, message: Any, default_cc: str, prefix: str, errors: Errors) -> None:
    value = getattr(message, field.name)
    if not value:
        return
    held = CANONICAL.get(field.rules.format)
    if held and held.fullmatch(value):
        return
    try:
        new = NORMALISE[field.rules.format](value, default_cc)
    except ValueError as error:
        errors.add(prefix + field.name, "format", str(error))
        return
    if new != value:
        setattr(message, field.name, new)


def _texts(field: Field, message: Any, default_cc: str, prefix: str, errors: Errors) -> None:
    values = getattr(message, field.name)
    if not values:
        return
    normal = NORMALISE[field.rules.format]
    old: list[str] = list(values)
    if all_held(field.rules.format, old):
        return
    new: dict[str, None] = {}  # in order, each once
    for place, value in enumerate(old):
        try:
            new[normal(value, default_cc)] = None
        except ValueError as error:
            errors.add(f"{prefix}{field.name}[{place}]", "format", str(error))
            if errors.full:
                return
            new[value] = None
    kept = list(new)
    if kept != old:
        del values[:]
        values.extend(kept)


def _message(
    field: Field, inner: Apply, message: Any, default_cc: str, prefix: str, errors: Errors
) -> None:
    if message.HasField(field.name):
        inner(getattr(message, field.name), default_cc, f"{prefix}{field.name}.", errors)


def _messages(
    field: Field, inner: Apply, message: Any, default_cc: str, prefix: str, errors: Errors
) -> None:
    most = field.rules.max_items or None  # those beyond are refused, and not worth the time
    for place, held in enumerate(getattr(message, field.name)[:most]):
        inner(held, default_cc, f"{prefix}{field.name}[{place}].", errors)


def _mapped(
    field: Field, inner: Apply, message: Any, default_cc: str, prefix: str, errors: Errors
) -> None:
    for key, held in getattr(message, field.name).items():
        inner(held, default_cc, f"{prefix}{field.name}.{key}.", errors)
