"""Rows of call records: the compiled functions and their plain twins answer the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.fastpath import rows, rows_reference
from callscreen.fastpath.rows_types import (
    BLOCK,
    CALLED,
    DIGEST,
    END,
    ENTRY,
    ID_BYTES,
    PROVIDER,
    ROW,
    START,
    TIME_BYTES,
    Condition,
)

SHORT = st.integers(0, 6).map(lambda n: n.to_bytes(ID_BYTES, "big"))
REST = st.lists(st.sampled_from(b"\x00\x01\x80\xff"), min_size=8, max_size=8).map(bytes)


def row(id: bytes, rest: bytes) -> bytes:
    return id + (rest * ROW)[: ROW - ID_BYTES]


ROWS = st.lists(st.builds(row, SHORT, REST), max_size=12).map(b"".join)
SORTED = ROWS.map(rows_reference.sort)
CONDITION = st.tuples(
    st.sampled_from([0, START, END, PROVIDER, CALLED]), st.integers(1, DIGEST), REST, REST
).map(lambda it: Condition(it[0], (it[2] * 2)[: it[1]], (it[3] * 2)[: it[1]]))


@settings(max_examples=200, deadline=None)
@given(ROWS, SORTED, SORTED, SHORT, st.integers(0, 2**64 - 1))
def test_both_order_and_merge_alike(
    some: bytes, left: bytes, right: bytes, id: bytes, block: int
) -> None:
    assert rows.sort(some) == rows_reference.sort(some)
    for descending in (False, True):
        timed = rows.by_time(left, START, descending)
        assert timed == rows_reference.by_time(left, START, descending)
    assert rows.merge(left, right) == rows_reference.merge(left, right)
    assert rows.without(some, left) == rows_reference.without(some, left)
    assert rows.lower(left, id) == rows_reference.lower(left, id)
    assert rows.placed(some, block) == rows_reference.placed(some, block)
    if some:
        assert rows.spans(some) == rows_reference.spans(some)


@settings(max_examples=200, deadline=None)
@given(ROWS, st.sampled_from([PROVIDER, CALLED]), REST, st.lists(CONDITION, max_size=3))
def test_both_choose_alike(
    some: bytes, column: int, digest: bytes, conditions: list[Condition]
) -> None:
    entries = rows.postings(some, column)
    assert entries == rows_reference.postings(some, column)
    asked = (digest * 2)[:DIGEST]
    assert rows.bounds(entries, asked) == rows_reference.bounds(entries, asked)
    assert rows.select(some, conditions) == rows_reference.select(some, conditions)


def test_what_they_are_given_is_left_as_it_is() -> None:
    some = row(bytes(ID_BYTES), b"12345678") * 2
    copy = bytes(bytearray(some))
    moved = rows.placed(memoryview(some), 7)
    assert moved[BLOCK : BLOCK + 8] == (7).to_bytes(8, "big")
    assert rows.sort(bytearray(some)) == some[:ROW]
    assert some == copy


def test_of_equal_identifiers_the_first_stays() -> None:
    first, second = (row(bytes(ID_BYTES), each * 8) for each in (b"b", b"a"))
    assert rows.sort(first + second) == first
    assert rows.merge(first, second) == first


def test_postings_are_in_the_order_of_digest_and_place() -> None:
    made = b"".join(row(bytes([n]) * ID_BYTES, b"ba"[n % 2 : n % 2 + 1] * 8) for n in range(5))
    entries = rows.postings(made, CALLED)
    places = [entries[at + DIGEST : at + ENTRY][-1] for at in range(0, len(entries), ENTRY)]
    assert places == [1, 3, 0, 2, 4]
    assert rows.bounds(entries, b"a" * DIGEST) == (0, 2)
    assert rows.bounds(entries, b"c" * DIGEST) == (5, 5)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: rows.lower(b"", b"short"),
        lambda: rows.bounds(b"", b"short"),
        lambda: rows.spans(b""),
        lambda: rows.postings(b"", ROW),
        lambda: rows.by_time(b"", ROW, False),
        lambda: rows.select(b"", [Condition(ROW, b"1", b"1")]),
        lambda: rows.select(b"", [Condition(0, b"1", b"12")]),
        lambda: rows.select(b"", [Condition(-1, b"1", b"1")]),
        lambda: rows.select(b"", [Condition(0, b"1", b"1")] * 17),
    ],
)
def test_what_would_read_beside_a_row_is_refused(wrong) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"octets|rows|column|conditions"):
        wrong()


def test_a_time_orders_as_its_octets() -> None:
    made = b"".join(
        row(bytes([n]) * ID_BYTES, b"\0" * 8)[:START] + bytes([n]) * (ROW - START) for n in range(4)
    )
    low, high = (bytes([n]) * TIME_BYTES for n in (1, 2))
    assert rows.select(made, [Condition(START, low, high)]) == [1, 2]
