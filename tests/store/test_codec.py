"""Keys as octets order, begin and read back as their parts do."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callscreen.core.store.contract import Key, KeyTooLong
from callscreen.core.store.tables import (
    KEY_BYTES,
    OBJECT_TABLES,
    RECORD_TABLES,
    after_prefix,
    decode_parts,
    encode_key,
    encode_parts,
)

AWKWARD = st.text(alphabet="\x00\x01\x02a\u00ff\uffff\U0001f4de", max_size=5)
PARTS = st.lists(AWKWARD | st.text(max_size=5), max_size=4).map(tuple)


@given(PARTS)
@example(("",))
@example(("\x00\x02", "\x01\x01", "\x01\x02\x02"))
def test_parts_read_back(parts: tuple[str, ...]) -> None:
    assert decode_parts(encode_parts(parts)) == parts


@given(PARTS, PARTS)
@example(("a",), ("a\x00",))
@example(("a", "b"), ("a\x00b",))
@example(("\uffff",), ("\U00010000",))
def test_octets_order_as_parts_do(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert (encode_parts(one) < encode_parts(other)) == (one < other)


@given(PARTS.filter(bool), PARTS)
@example(("a",), ("a\x00b",))
@example(("a\x00",), ("a", "b"))
@example(("",), ("\x00",))
def test_a_prefix_takes_exactly_what_begins_with_its_parts(
    prefix: tuple[str, ...], path: tuple[str, ...]
) -> None:
    begins = path[: len(prefix)] == prefix
    low, key = encode_parts(prefix), encode_parts(path)
    assert key.startswith(low) == begins
    assert (low <= key < after_prefix(low)) == begins


def test_a_key_has_a_longest_form() -> None:
    longest = KEY_BYTES - len(encode_key(Key("pcs", "number", ("",))))
    encode_key(Key("pcs", "number", ("x" * longest,)))
    with pytest.raises(KeyTooLong):
        encode_key(Key("pcs", "number", ("x" * (longest + 1),)))


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        encode_parts(("\ud800",))


def test_octets_that_no_parts_encode_to_are_refused() -> None:
    with pytest.raises(ValueError, match="does not end"):
        decode_parts(b"abc")


@pytest.mark.parametrize("tables", [OBJECT_TABLES, RECORD_TABLES])
def test_every_table_has_a_name_of_its_own(tables: tuple[object, ...]) -> None:
    names = [table.name for table in tables]
    assert len(set(names)) == len(names)
