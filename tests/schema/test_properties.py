"""Whatever comes in as JSON: it is read or refused, and what is read comes out the same."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callscreen.schema import PRODUCTS, TYPES, Field, FieldError, Invalid, Kind, ObjectType, Shape
from callscreen.v1.rules_pb2 import Format

OWN = st.sampled_from([(own, product) for own in TYPES.values() for product in own.products])

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["4", "true", "", "x" * 300, "\0", "\ud800", "+15855551234", "10.0.0.0/8"]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def likely(shape: Shape, product: str, depth: int = 3) -> st.SearchStrategy[Any]:
    """Objects that have the names of the shape's fields, and often values of their kind."""
    fields = shape.of(product)
    return st.dictionaries(
        st.sampled_from([field.json_name for field in fields]) | st.text(max_size=5),
        st.none(),
        max_size=5,
    ).flatmap(
        lambda names: st.fixed_dictionaries(
            {
                name: next(
                    (_value(field, product, depth) for field in fields if field.json_name == name),
                    anything,
                )
                for name in names
            }
        )
    )


def _value(field: Field, product: str, depth: int) -> st.SearchStrategy[Any]:
    if field.shape and depth:
        value = likely(field.shape, product, depth - 1)
    else:
        value = {
            Kind.STRING: st.text(max_size=20) | st.sampled_from(field.accepted(product) or ("1",)),
            Kind.INTEGER: st.integers(-5, 400) | st.integers(0, 9).map(str),
            Kind.BOOLEAN: st.booleans(),
        }.get(field.kind, anything)
    if field.repeated:
        value = st.lists(value, max_size=3)
    if field.kind is Kind.MAP:
        value = st.dictionaries(st.text(max_size=5), value, max_size=2)
    return value | anything if depth else value


def documents() -> st.SearchStrategy[tuple[ObjectType, str, Any]]:
    return OWN.flatmap(
        lambda pair: st.tuples(
            st.just(pair[0]), st.just(pair[1]), likely(pair[0].shape, pair[1]) | anything
        )
    )


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_a_document_is_read_or_refused_and_comes_out_the_same(
    document: tuple[ObjectType, str, Any],
) -> None:
    own, product, data = document
    try:
        message, mask = own.from_json(data, product)
    except Invalid as caught:
        refusals: tuple[FieldError, ...] = caught.errors
    else:
        refusals = ()
    assert all(error.message.isascii() for error in refusals)
    if refusals:
        return
    assert len(mask) == len(data)
    own.redact(message)  # a secret comes out masked
    shown = own.to_json(message, product)
    again, _ = own.from_json(shown, product)
    assert again == message
    try:
        own.complete(message, product)
        own.normalise(message, product, "1")
        held = message.SerializeToString(deterministic=True)
        own.validate(message, product)
    except Invalid:
        return
    own.complete(message, product)
    own.normalise(message, product, "44")
    own.validate(message, product)
    assert message.SerializeToString(deterministic=True) == held


@given(st.sampled_from(PRODUCTS), st.lists(st.text("0123456789xX+*- ", max_size=8), max_size=8))
def test_a_list_of_numbers_is_held_in_order_and_each_once(product: str, entries: list[str]) -> None:
    own = TYPES["number"]
    lists = [
        field.name for field in own.shape.of(product) if field.rules.format == Format.LIST_ENTRY
    ]
    message, _ = own.from_json({lists[0]: entries}, product)
    try:
        own.normalise(message, product, "1")
    except Invalid:
        return
    held = list(getattr(message, lists[0]))
    assert len(set(held)) == len(held)
    own.normalise(message, product, "44")
    assert list(getattr(message, lists[0])) == held
