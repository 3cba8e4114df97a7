"""Which settings a service provider may give a value of its own: the platform says so.

Invariants:
1. A value that is new or changed stands only where the platform's `__override__` is true.
2. What was allowed when it was given may stay, and may be cleared, whatever the platform says now.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from google.protobuf.json_format import MessageToDict

from ...schema import Field, Invalid, ObjectType, field_error
from .draft import Draft
from .names import PLATFORM_SETTINGS

DENIED: Final = "may not be overridden"


def check_overrides(draft: Draft, kind: ObjectType, product: str, body: Any, old: Any) -> None:
    """Judges a provider's own settings against the platform's. Raises Invalid."""
    if kind.type != "settings" or kind.key_of(body) == PLATFORM_SETTINGS:
        return
    platform = draft.find(kind, product, PLATFORM_SETTINGS)
    tree = {} if platform is None else MessageToDict(platform.settings.override)
    fields = [field for field in kind.fields if field.name not in kind.key]
    before = kind.message() if old is None else old
    errors = [
        field_error(kind.class_name, path, "read_only", DENIED)
        for path in _denied(body, before, fields, tree)
    ]
    if errors:
        raise Invalid(errors)


def _denied(body: Any, old: Any, fields: Sequence[Field], tree: Any) -> Iterator[str]:
    """Paths of the values that are not as in `old` and have no true at their place."""
    allowed = tree if isinstance(tree, dict) else {}
    given, before = _values(body), _values(old)
    for field in fields:
        if field.name not in given:
            continue
        value, place = given[field.name], allowed.get(field.json_name)
        if field.shape and not field.repeated:
            was = before.get(field.name, type(value)())
            for path in _denied(value, was, field.shape.fields, place):
                yield f"{field.json_name}.{path}"
        elif place is not True and before.get(field.name) != value:
            yield field.json_name


def _values(message: Any) -> dict[str, Any]:
    return {descriptor.name: value for descriptor, value in message.ListFields()}


__all__ = ["check_overrides"]
