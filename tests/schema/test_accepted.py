"""JSON Schema of requests and of answers, held against what reads and writes them."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.schema import MASK, PRODUCTS, TYPES
from callscreen.schema.accepted import FORMATS, _between, part_schema, request_schema
from callscreen.schema.answers import answer_schema
from callscreen.schema.cross import FORMS
from callscreen.schema.errors import Invalid
from callscreen.schema.formats import NORMALISE
from callscreen.v1.rules_pb2 import Format

KINDS = [(type_, product) for type_, kind in TYPES.items() for product in kind.products]


@given(
    low=st.integers(-(2**31), 2**31 - 1),
    width=st.integers(0, 2**32 - 1),
    value=st.integers(-(2**31) - 5, 2**31 + 5),
    near=st.integers(-2, 2),
)
def test_a_quoted_integer_is_within_its_bounds(low: int, width: int, value: int, near: int) -> None:
    high = min(low + width, 2**31 - 1)
    fits = re.compile(f"^(?:{_between(low, high)})$").match
    for tried in (value, low + near, high + near):
        assert bool(fits(str(tried))) == (low <= tried <= high), tried


SPELLINGS = {
    Format.NUMBER: "5855551234|+15855551234|(585) 555-1234|+44 20 7946 0000|0|+|x|+1x|585a|"
    "12345678901234567|+1234567890123456| 5 |5\n",
    Format.NUMBER_MASK: "585xxxxXXX|+1585xx|x*|+|585-xx",
    Format.LIST_ENTRY: "+1900*|585555xxxx|*|1*2|+1585555*|900 *",
    Format.ADDRESS_PREFIX: "10.0.0.0/8|192.168.1/24|1.2.3.4|2001:db8::/32|::ffff|256.1.1.1|"
    "1.2.3.4/33|10|host|1:2:3:4:5:6:7:8|2001:db8::/129",
    Format.ROLE_ID: "platform_owner|service_provider:acme|subscriber:a:b|service_provider:|"
    "subscriber:a|emperor|service_provider:a:b",
    Format.COUNTRY_CODE: "1|+44|0|1234|a|",
    Format.POINT_CODE: "1|1-2-3|255-255-255|256-1-1|1-2|a|1-2-3-4",
}
# Read all the same, and written by nobody: the description need not know of them.
SELDOM = {"::ffff", "5\n"}


@pytest.mark.parametrize(
    ("format_", "text"),
    [(format_, text) for format_, line in SPELLINGS.items() for text in line.split("|")],
)
def test_a_pattern_knows_what_is_read(format_: int, text: str) -> None:
    try:
        NORMALISE[format_](text, "1")
    except ValueError:
        read = False
    else:
        read = bool(text)
    if text not in SELDOM:
        assert bool(re.fullmatch(FORMATS[format_], text)) == read


@pytest.mark.parametrize(("type_", "product"), KINDS)
def test_an_answer_has_every_field_of_its_schema(type_: str, product: str) -> None:
    kind = TYPES[type_]
    schema = answer_schema(kind.shape, product)
    written = kind.to_json(kind.message(), product)
    assert list(written) == list(schema["properties"]) == schema["required"]


@pytest.mark.parametrize(("type_", "product"), KINDS)
def test_a_request_may_hold_what_an_answer_holds(type_: str, product: str) -> None:
    kind = TYPES[type_]
    asked = request_schema(kind.shape, product)["properties"]
    answered = answer_schema(kind.shape, product)["properties"]
    assert set(answered) <= set(asked)
    for field in kind.shape.of(product):
        forms = asked[field.json_name].get("anyOf", [asked[field.json_name]])
        others = next((form["enum"] for form in forms if None in form.get("enum", ())), [])
        assert (None in others) == (not field.rules.required)
        assert (MASK in others) == field.rules.secret


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_part_of_a_path_is_a_text_that_is_not_empty(product: str) -> None:
    for kind in TYPES.values():
        for field in kind.fields:
            if field.name in kind.key:
                schema = part_schema(field, product)
                assert (schema["type"], schema["minLength"]) == ("string", 1)


def test_a_file_s_name_has_no_folder() -> None:
    [field] = (field for field in TYPES["audio"].fields if field.name == "file")
    fits = re.compile(part_schema(field, "pcs")["pattern"]).match
    assert fits("Hello world.wav")
    assert not any(map(fits, ("a/b.wav", "a\\b.wav", "a\x01.wav", "a.mp3", "")))


GRAMMARS = [(name, field) for name, fields in FORMS.items() for field in fields]


@pytest.mark.parametrize(("name", "field"), GRAMMARS)
@given(data=st.data())
@settings(max_examples=30)
def test_what_the_pattern_of_a_grammar_knows_is_of_it(
    name: str, field: str, data: st.DataObject
) -> None:
    form = FORMS[name][field]
    text = data.draw(st.from_regex(rf"(?:{form.pattern})\Z", fullmatch=True))
    assert form.fits(text), text


def test_a_setting_with_a_grammar_is_described_by_it_and_may_be_empty() -> None:
    shape = TYPES["settings"].shape
    schema = request_schema(shape, "pcs")["properties"]["screening_engine_uri"]
    pattern = schema["anyOf"][0]["pattern"]
    for text, fits in (("", True), ("http://a.example:80/b", True), ("[}", False), ("a b", False)):
        assert bool(re.search(pattern, text)) is fits


def _steps(product: str) -> Iterator[dict[str, Any]]:
    """Steps of every type with each field missing, empty, null or there."""
    values: dict[str, tuple[Any, ...]] = {
        "prefix": (None, "", "+"),
        "range": (None, [], [0], [0, 2]),
        "country_code": (None, 1, "44"),
    }
    for type_ in ("strip_prefix", "extract_substring", "set_cc", "default_cc", "require_digits"):
        for chosen in itertools.product(*(((), *values[name]) for name in values)):
            held = zip(values, chosen, strict=True)
            yield {"type": type_, **{name: value for name, value in held if value != ()}}


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_step_s_schema_says_what_its_type_needs(product: str) -> None:
    settings_ = TYPES["settings"]
    schema = request_schema(settings_.shape, product, whole=False)
    fits = jsonschema_rs.Draft202012Validator(schema).is_valid
    outcomes = set()
    for step in _steps(product):
        body = {"called_sources_config": [{"source": "hdr.to", "post": [step]}]}
        message, _ = settings_.from_json(body, product)
        settings_.complete(message, product)
        try:
            settings_.normalise(message, product, "1")
            settings_.validate(message, product)
        except Invalid:
            read = False
        else:
            read = True
        assert fits(body) is read, step
        outcomes.add((step["type"], read))
    assert len(outcomes) == 10
