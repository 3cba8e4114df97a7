"""Lists: which entry of a list a number matches, in lists of a handful and of many."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.fastpath import plain
from callscreen.fastpath.lists import ListPair

entry = st.tuples(st.text("01x", max_size=4), st.sampled_from(["", "", "*"])).map(
    lambda parts: "+1" + "".join(parts)
)
# Around the sizes at which numbers (32) and masks (16) leave the block for tables.
lists = st.one_of(st.lists(entry, max_size=4), st.lists(entry, min_size=30, max_size=80))
numbers = st.text("01", max_size=5).map("+1".__add__)


def find(entries: list[str], number: str) -> str:
    """Both twins' answer."""
    expected = plain.find([plain.normalise_entry(each) for each in entries], number)
    assert ListPair(entries, []).find(0, number) == expected
    assert ListPair([], entries).find(1, number) == expected
    return expected


def test_a_number_beats_a_mask() -> None:
    assert find(["+1585xxxxxxx", "+1585*", "+15855551234"], "+15855551234") == "+15855551234"


def test_more_given_digits_beat_fewer() -> None:
    assert find(["+1585*", "+1585555xxxx", "+1*"], "+15855551234") == "+1585555xxxx"


def test_of_equals_the_earlier_entry_counts() -> None:
    assert find(["+1585555xxxx", "+1585555*"], "+15855551234") == "+1585555xxxx"
    assert find(["+1585555*", "+1585555xxxx"], "+15855551234") == "+1585555*"


@pytest.mark.parametrize("number", ["+15855551234", ""])
def test_nothing_matches_in_an_empty_list_and_no_number_matches_anything(number: str) -> None:
    assert find([], number) == ""
    assert find(["+*"], "") == ""


def test_what_is_no_entry_is_passed_over() -> None:
    assert find(["junk", "", "+1*0", "+1"], "+1") == "+1"


@given(lists, lists, st.lists(numbers, min_size=1, max_size=10))
def test_both_twins_find_the_same(first: list[str], second: list[str], tried: list[str]) -> None:
    pair = ListPair(first, second)
    for which, texts in enumerate((first, second)):
        held = [plain.normalise_entry(each) for each in texts]
        for number in tried:
            assert pair.find(which, number) == plain.find(held, number)


def test_every_number_of_a_long_list_is_found_and_no_other() -> None:
    world = random.Random(1)
    entries = [f"+1{place}" for place in world.sample(range(10**9, 10**10), 100_000)]
    pair = ListPair(entries[::2], [])
    assert all(pair.find(0, each) == each for each in entries[::2])
    assert not any(pair.find(0, each) for each in entries[1::2])


def test_a_long_list_takes_at_most_16_octets_a_number() -> None:
    entries = [f"+1585{place:07d}" for place in range(50_000)]
    assert ListPair(entries, []).octets() <= 16 * len(entries)
