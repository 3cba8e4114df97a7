"""Secrets: they are stored, never shown, and never published.

1. What reads as the mask and is written back unchanged keeps its value.
2. Secrets lie in single groups, never in lists or maps.
"""

from functools import cache
from typing import Any

from google.protobuf.message import Message

from ..v1.rules_pb2 import Format
from .errors import Errors
from .fields import Kind, Shape
from .formats import HASHED_PIN

MASK = "********"  # what a secret that is set reads as

Path = tuple[str, ...]


@cache
def secrets_of(shape: Shape) -> tuple[tuple[Path, bool], ...]:
    """The paths of all secrets of a shape, and whether each is a PIN."""
    found: list[tuple[Path, bool]] = []
    for field in shape.fields:
        if field.rules.secret:
            found.append(((field.name,), field.rules.format == Format.PIN))
        elif field.shape and not field.repeated and field.kind is Kind.MESSAGE:
            found += [((field.name, *path), pin) for path, pin in secrets_of(field.shape)]
    return tuple(found)


def redact(shape: Shape, message: Message) -> None:
    """Clear every secret, in place."""
    for path, _ in secrets_of(shape):
        holder = _holder(message, path)
        if holder is not None:
            holder.ClearField(path[-1])


def keep_masked(shape: Shape, new: Message, old: Message | None, errors: Errors) -> None:
    """Put the old value where the mask stands, in place, or nothing where there is none.

    A PIN given as a hash other than the one held is noted: a hash is only ever made by the core.
    """
    for path, pin in secrets_of(shape):
        holder = _holder(new, path)
        if holder is None:
            continue
        value, held = getattr(holder, path[-1]), _value(old, path)
        if value == MASK:
            holder.ClearField(path[-1])
            if held:
                setattr(holder, path[-1], held)
        elif pin and value.startswith(HASHED_PIN) and value != held:
            errors.add(".".join(path), "pattern", "must be digits")


def _value(message: Message | None, path: Path) -> str:
    holder = _holder(message, path)
    return getattr(holder, path[-1]) if holder is not None else ""


def _holder(message: Message | None, path: Path) -> Any:
    """The group that holds a path's last field, or None where that is not set."""
    for name in path[:-1]:
        if message is None or not message.HasField(name):
            return None
        message = getattr(message, name)
    return message if message is not None and message.HasField(path[-1]) else None
