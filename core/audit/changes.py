"""What a change did to the fields of an object, as JSON: {field: [old, new]}.

Invariants:
1. A secret never stands there: one that is set reads as MASK, before and after.
2. Fields bear their names in JSON; those of a group that was and still is there are told one by
   one, as group.field.
3. Of a list or map with more than LIST_ENTRIES entries only their number is told.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import orjson

from ...schema import ObjectType
from ...schema.fields import Field, Kind, Shape
from ...schema.writing import value_writer
from ...v1.object_pb2 import Object
from ..limits import LIST_ENTRIES

Show = Callable[[Any], Any]
Plan = Mapping[int, tuple[str, Show, Shape | None]]  # by field number; the shape of a group
Pair = tuple[Any, Any]
NOTHING: Final = b"{}"


def changed_fields(kind: ObjectType, product: str, old: Object | None, new: Object | None) -> bytes:
    """The fields that differ, encoded; what is not set is null."""
    before = None if old is None else getattr(old, kind.type)
    after = None if new is None else getattr(new, kind.type)
    plan = _plan(kind.shape, product)
    if before is None or after is None:
        held, place = (after, 1) if before is None else (before, 0)
        if held is None:
            return NOTHING
        shown: dict[str, Any] = {}
        for descriptor, value in held.ListFields():
            named = plan.get(descriptor.number)
            if named is not None:
                one = named[1](value)
                shown[named[0]] = (None, one) if place else (one, None)
        return orjson.dumps(shown)
    return orjson.dumps(dict(_differences(kind.shape, product, before, after, "")))


def _differences(
    shape: Shape, product: str, old: Any, new: Any, above: str
) -> Iterator[tuple[str, Pair]]:
    before, after = (
        {descriptor.number: value for descriptor, value in message.ListFields()}
        for message in (old, new)
    )
    for number, (name, show, group) in _plan(shape, product).items():
        was, now = before.get(number), after.get(number)
        if was is None and now is None:
            continue
        if group is not None and was is not None and now is not None:
            if was != now:
                yield from _differences(group, product, was, now, f"{above}{name}.")
        elif was != now:
            yield above + name, (_shown(show, was), _shown(show, now))


def _shown(show: Show, value: Any) -> Any:
    return None if value is None else show(value)


@cache
def _plan(shape: Shape, product: str) -> Plan:
    return {
        field.number: (field.json_name, _show(field, product), _group(field))
        for field in shape.of(product)
    }


def _group(field: Field) -> Shape | None:
    """The shape of a single group that holds fields of its own."""
    single = field.kind is Kind.MESSAGE and not field.repeated
    if not single or field.shape is None or field.shape.rules.pair:
        return None
    return field.shape


def _show(field: Field, product: str) -> Show:
    write = value_writer(field, product)
    if field.kind is Kind.MAP:
        return lambda held: (
            {"entries": len(held)}
            if len(held) > LIST_ENTRIES
            else {key: write(value) for key, value in held.items()}
        )
    if field.repeated:
        plain = field.shape is None and not field.rules.secret
        return lambda held: (
            {"entries": len(held)}
            if len(held) > LIST_ENTRIES
            else list(held)
            if plain
            else [write(value) for value in held]
        )
    return write


__all__ = ["NOTHING", "changed_fields"]
