"""Validation, compiled: one closure a field, one pass over the fields that are set.

1. A message that passes holds every required field, only fields of its product, and only values
   within the limits of the .proto.
2. All errors of a message are gathered (up to MAX_ERRORS); nothing is changed.
3. Formats are not looked at again: `normalise` has refused what has no held form.
"""

from collections.abc import Callable
from functools import cache
from re import compile as _compile
from typing import Any

from google.protobuf.message import Message

from ..v1.rules_pb2 import Format
from .cross import CROSS
from .errors import Errors
from .fields import INT32, Field, Kind, Shape
from .formats import HASHED_PIN
from .overrides import check_tree, tree_of

Check = Callable[[Any, str, Errors], None]  # value, what stands before the field's name, errors

_ANY_LENGTH = 1 << 31


@cache
def validator(shape: Shape, product: str) -> Check:
    """The check of a whole message of that shape, in that product."""
    checks = {field.number: _field_check(field, product) for field in shape.of(product)}
    required = tuple(field.name for field in shape.of(product) if field.rules.required)
    numbers = frozenset(field.number for field in shape.of(product) if field.rules.required)
    cross = CROSS.get(shape.name)

    def check(message: Any, prefix: str, errors: Errors) -> None:
        missing = len(required)
        for descriptor, value in message.ListFields():
            number = descriptor.number
            if number in checks:
                checks[number](value, prefix, errors)
                if number in numbers:
                    missing -= 1
            else:
                errors.add(prefix + descriptor.name, "product", f"is no field of {product}")
        if missing:
            present = {descriptor.name for descriptor, _ in message.ListFields()}
            for name in required:
                if name not in present:
                    errors.required(prefix + name)
        if cross:
            cross(message, prefix, errors)

    return check


def _field_check(field: Field, product: str) -> Check:
    """The check of a field that is set."""
    if field.kind is Kind.TREE:
        return _tree_check(field, product)
    if field.kind is Kind.MAP and field.shape:
        return _map_check(field, field.shape, product)
    check = _value_check(field, product)
    return _list_check(field, check) if field.repeated else check


def _value_check(field: Field, product: str) -> Check:
    if field.kind is Kind.STRING:
        return _string_check(field, product)
    if field.kind is Kind.INTEGER:
        return _integer_check(field)
    if field.shape:
        return _message_check(field, field.shape, product)
    return lambda value, prefix, errors: None


def _string_check(field: Field, product: str) -> Check:
    name, rules, accepted = field.name, field.rules, frozenset(field.accepted(product))
    low, high = rules.min_len, rules.max_len or _ANY_LENGTH
    low = max(low, 1) if (rules.required or rules.format) and not field.repeated else low
    fits = _compile(rules.pattern).fullmatch if rules.pattern else None
    hashed = HASHED_PIN if rules.format == Format.PIN else None

    def check(value: str, prefix: str, errors: Errors) -> None:
        if (
            low <= len(value) <= high
            and "\0" not in value
            and (fits is None or fits(value))
            and (not accepted or value in accepted)
        ):
            return
        if hashed and value.startswith(hashed):
            return
        refuse(value, prefix + name, errors)

    def refuse(value: str, path: str, errors: Errors) -> None:
        if not value and rules.required and not field.repeated:
            errors.required(path)
        elif len(value) > high:
            errors.too_long(path, high)
        elif len(value) < low:
            errors.add(path, "too_short", f"must have at least {low} characters")
        elif "\0" in value:
            errors.add(path, "format", "must not hold a null character")
        elif accepted and value not in accepted:
            errors.add(path, "not_accepted", _one_of(field.accepted(product)))
        else:
            errors.add(path, "pattern", f"must match {rules.pattern}")

    return check


def _one_of(values: tuple[str, ...]) -> str:
    return "must be one of " + ", ".join(values)


def _integer_check(field: Field) -> Check:
    name, (low, high) = field.name, field.bounds

    def check(value: int, prefix: str, errors: Errors) -> None:
        if not low <= value <= high:
            errors.add(prefix + name, "range", f"must be between {low} and {high}")

    return check if field.bounds != INT32 else lambda value, prefix, errors: None


def _message_check(field: Field, shape: Shape, product: str) -> Check:
    check_held, suffix = validator(shape, product), field.name + "."

    def check(value: Message, prefix: str, errors: Errors) -> None:
        check_held(value, prefix + suffix, errors)

    return check


def _list_check(field: Field, check_item: Check) -> Check:
    name, rules = field.name, field.rules
    low, high = rules.min_items, rules.max_items or _ANY_LENGTH
    # A text with a format is as long as the format lets it be: nothing is left to hold it against.
    quick = field.kind is Kind.STRING and not (
        rules.pattern or rules.accepted or rules.min_len or rules.max_len
    )

    def check(values: Any, prefix: str, errors: Errors) -> None:
        count = len(values)
        if count > high:
            errors.too_many(prefix + name, high)
            return
        if count < low:
            errors.add(prefix + name, "too_few", f"must have at least {low} entries")
        if quick and "\0" not in "".join(values):
            return
        before = len(errors.found)
        for value in values:
            check_item(value, prefix, errors)
            if len(errors.found) > before:
                break
        else:
            return
        del errors.found[before:]
        number_errors(values, prefix, errors)

    def number_errors(values: Any, prefix: str, errors: Errors) -> None:
        """Once more, now naming each entry that is refused by its place."""
        for place, value in enumerate(values):
            if errors.full:
                return
            found = Errors()
            check_item(value, "", found)
            for problem in found.found:
                path = f"{prefix}{name}[{place}]{problem.field.removeprefix(name)}"
                errors.add(path, problem.code, problem.what)

    return check


def _map_check(field: Field, shape: Shape, product: str) -> Check:
    check_held, rules = validator(shape, product), field.rules

    def check(values: Any, prefix: str, errors: Errors) -> None:
        path = prefix + field.name
        if len(values) > rules.max_items:
            errors.too_many(path, rules.max_items)
            return
        for key, value in values.items():
            if len(key) > rules.max_len:
                errors.too_long(path, rules.max_len)
            elif not key or "\0" in key:
                errors.add(path, "format", "must have names without null characters, not empty")
            else:
                check_held(value, f"{path}.{key}.", errors)

    return check


def _tree_check(field: Field, product: str) -> Check:
    def check(value: Any, prefix: str, errors: Errors) -> None:
        check_tree(tree_of(value), prefix + field.json_name, product, errors)

    return check
