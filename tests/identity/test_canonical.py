"""JSON of a PASSporT: one way to write it, and a strict way to read it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.identity.canonical import canonical_json, strict_json

VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**16) + 1, 10**16 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda f: not f.is_integer())
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=6), VALUES, max_size=5)


def plainly(value: Any) -> bytes:
    """The same by the standard library: no blanks, nothing escaped needlessly."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@given(OBJECTS)
@settings(max_examples=100)
def test_what_is_written_is_read_again_and_is_what_the_standard_library_writes(
    obj: dict[str, Any],
) -> None:
    octets = canonical_json(obj)
    assert strict_json(octets, depth=20) == obj
    assert json.loads(octets) == obj
    if not has_float(obj):  # a fraction has more than one form
        assert octets == plainly(obj)


def has_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(has_float, value.values()))
    return any(map(has_float, value)) if isinstance(value, list) else isinstance(value, float)


@given(OBJECTS, st.sampled_from([None, 1]))
@settings(max_examples=50)
def test_other_ways_to_write_it_are_read_alike(obj: dict[str, Any], indent: int | None) -> None:
    assert strict_json(json.dumps(obj, indent=indent).encode(), most=65_536, depth=20) == obj


def test_keys_are_ordered_by_code_point_at_every_depth() -> None:
    obj = {"\U0001f600": 1, "\ufb33": 2, "b": {"z": [{"y": 1, "x": 2}], "A": 3}, "a": "é\u2028"}
    text = '{"a":"é\u2028","b":{"A":3,"z":[{"x":2,"y":1}]},"\ufb33":2,"\U0001f600":1}'
    assert canonical_json(obj) == text.encode()


@pytest.mark.parametrize(
    "obj",
    [
        {"a": 1.0},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": 10**16},
        {"a": 1e300},
        {"a": b"octets"},
        {"a": (1, 2)},
        {"a": {1: 2}},
        {"a": "\ud800"},
        {"a": [[[[[[[[[[1]]]]]]]]]]},
    ],
)
def test_what_has_no_canonical_form_is_refused(obj: Any) -> None:
    with pytest.raises(ValueError, match="no canonical JSON"):
        canonical_json(obj)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"b":{"a":1,"\\u0061":2}}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":[1,-2E0]}',
        b'{"a":1e400}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":10000000000000000}',
        b'{"a":18446744073709551616}',
        b'{"a":' + b"9" * 4000 + b"}",
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\\ud800"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":1}\x00',
        b'{"a":1} {"b":2}',
        b'{"a":1,}',
        b'{"a":01}',
        b"{'a':1}",
        b"{a:1}",
        b'{"a":1}//',
        b'{"a":"\x01"}',
        b"[1]",
        b'"a"',
        b"1",
        b"null",
        b"",
    ],
)
def test_what_two_readers_could_take_for_different_things_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several readers, each in its words
        strict_json(text)


def test_a_fraction_that_is_no_integer_is_read() -> None:
    assert strict_json(b'{"a":[0.5,-1.25e-2]}') == {"a": [0.5, -0.0125]}


def test_brackets_and_numbers_within_text_are_text() -> None:
    obj = {"a": "[" * 50 + "{:1.0,:12345678901234567"}
    assert strict_json(canonical_json(obj)) == obj


@pytest.mark.parametrize("opening", [b'{"a":', b"["])
def test_depth_is_bounded(opening: bytes) -> None:
    closing = b"}" if opening != b"[" else b"]"

    def text(levels: int) -> bytes:
        return b'{"a":' + opening * (levels - 1) + b"1" + closing * (levels - 1) + b"}"

    assert "a" in strict_json(text(10))
    for levels in (11, 200, *range(900, 1_030, 10), 1_200):
        with pytest.raises(ValueError, match=r"levels|depth"):
            strict_json(text(levels))
    assert "a" in strict_json(text(3), depth=3)
    with pytest.raises(ValueError, match="levels"):
        strict_json(text(4), depth=3)


def test_size_is_bounded() -> None:
    text = b'{"a":"' + b"x" * 8_184 + b'"}'
    assert len(text) == 8_192
    assert "a" in strict_json(text)
    with pytest.raises(ValueError, match="8192 octets"):
        strict_json(text + b" ")
