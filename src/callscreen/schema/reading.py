"""JSON to messages, by the descriptors.

1. Any JSON value gives a message and its mask, or Invalid; nothing else is raised.
2. Only as deep as a shape goes is anything looked at: what lies deeper than the fields is refused
   where the fields end. Nor is more looked at than may be there: a list or a map that is too
   long, or a name in a map, is refused as a whole.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from ..v1.rules_pb2 import Also
from .errors import Errors
from .fields import Field, Kind, Shape
from .overrides import check_tree
from .scalars import all_plain, read_boolean, read_digits, read_integer, read_string

# JSON, its path, errors -> the value; None where it is refused or means none
Reader = Callable[[Any, str, Errors], Any]


@cache
def reader(shape: Shape, product: str) -> Reader:
    """What reads a JSON object into a message of that shape, as that product has it."""
    readers = {field.name: _field_reader(field, product) for field in shape.of(product)}
    known = {name: (own, readers[own]) for name, own in _names(shape, product).items()}

    def read(data: Any, path: str, errors: Errors) -> Message | None:
        if not isinstance(data, Mapping):
            errors.add(path, "type", "must be an object")
            return None
        prefix = f"{path}." if path else ""
        values: dict[str, Any] = {}
        for name, value in data.items():
            if errors.full:
                break
            below = f"{prefix}{name}"
            if name not in known:
                errors.add(below, "unknown", "is unknown")
                continue
            target, read_value = known[name]
            if target in values:
                errors.add(below, "unknown", "is given twice under two names")
            values[target] = None if value is None else read_value(value, below, errors)
        return shape.message(**values)

    return read


def mask_of(shape: Shape, product: str, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The proto names of the fields that a JSON object holds, in its order."""
    names = _names(shape, product)
    return tuple(names[name] for name in data)


@cache
def _names(shape: Shape, product: str) -> dict[str, str]:
    """The proto name of every name that JSON may use."""
    return {
        name: field.name
        for field in shape.of(product)
        for name in (field.json_name, *field.rules.aliases)
    }


def _field_reader(field: Field, product: str) -> Reader:
    read = _value_reader(field, product)
    if field.kind is Kind.MAP:
        read = _map_reader(field, read)
    elif field.repeated:
        read = _list_reader(field, read)
    # An empty secret is none; where a least length is asked for, it is too short.
    no_secret = field.rules.secret and not field.rules.min_len
    empty_string = field.also(Also.EMPTY_STRING) or no_secret
    empty_list = field.also(Also.EMPTY_LIST)
    if not (empty_string or empty_list):
        return read

    def read_also(value: Any, path: str, errors: Errors) -> Any:
        if (empty_string and value == "") or (empty_list and value == []):
            return None
        return read(value, path, errors)

    return read_also


def _value_reader(field: Field, product: str) -> Reader:
    if field.kind is Kind.STRING:
        return read_digits if field.also(Also.INTEGER) else read_string
    if field.kind is Kind.INTEGER:
        return read_integer
    if field.kind is Kind.BOOLEAN:
        return read_boolean
    if field.shape is None:
        return _tree_reader(product)
    if field.shape.rules.pair:
        return _pair_reader(field.shape, product)
    return reader(field.shape, product)


def _list_reader(field: Field, read: Reader) -> Reader:
    comma, most = field.also(Also.COMMA_LIST), field.rules.max_items

    def read_list(value: Any, path: str, errors: Errors) -> list[Any] | None:
        if comma and isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, list | tuple):
            errors.add(path, "type", "must be an array")
            return None
        if most and len(value) > most:
            errors.too_many(path, most)
            return None
        if read is read_string and all_plain(value):
            return list(value)
        items = []
        for place, held in enumerate(value):
            if errors.full:
                break
            item = read(held, f"{path}[{place}]", errors)
            if item is not None:
                items.append(item)
        return items

    return read_list


def _map_reader(field: Field, read: Reader) -> Reader:
    most, longest = field.rules.max_items, field.rules.max_len

    def read_map(value: Any, path: str, errors: Errors) -> dict[str, Any] | None:
        if not isinstance(value, Mapping):
            errors.add(path, "type", "must be an object")
            return None
        if len(value) > most:
            errors.too_many(path, most)
            return None
        items = {}
        for name, held in value.items():
            if isinstance(name, str) and len(name) > longest:
                errors.too_long(path, longest)
            elif read_string(name, path, errors) is not None:
                item = read(held, f"{path}.{name}", errors)
                if item is not None:
                    items[name] = item
        return items

    return read_map


def _pair_reader(shape: Shape, product: str) -> Reader:
    names = tuple(field.name for field in shape.fields)
    readers = tuple(_value_reader(field, product) for field in shape.fields)

    def read_pair(value: Any, path: str, errors: Errors) -> Message | None:
        if not isinstance(value, list | tuple) or len(value) != len(names):
            errors.add(path, "type", f"must be an array of {len(names)} strings")
            return None
        parts = [
            read(part, f"{path}[{place}]", errors)
            for place, (read, part) in enumerate(zip(readers, value, strict=True))
        ]
        return shape.message(**dict(zip(names, parts, strict=True)))

    return read_pair


def _tree_reader(product: str) -> Reader:
    def read_tree(value: Any, path: str, errors: Errors) -> Struct | None:
        before = len(errors.found)
        tree = check_tree(value, path, product, errors)
        if len(errors.found) > before:
            return None
        struct = Struct()
        struct.update(tree)
        return struct

    return read_tree
