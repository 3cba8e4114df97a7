"""Numbers: what is held, how it is packed, and which entries stand for it."""

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.fastpath import numbers, plain

held = st.text("0123456789", min_size=1, max_size=15).map("+".__add__)
texts = st.text("+0123456789 .-()xX*ae٣", max_size=20)
codes = st.sampled_from(["", "1", "44", "x"])


@pytest.fixture(params=[numbers, plain], ids=["compiled", "plain"])
def twin(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5855551234", "+15855551234"),
        ("+5855551234", "+5855551234"),
        ("(585) 555-1234", "+15855551234"),
        ("+1 585.555.1234", "+15855551234"),
        ("+123456789012345", "+123456789012345"),
        ("+1234567890123456", ""),
        ("123456789012345", ""),  # 16 digits with the country code
        ("", ""),
        ("+", ""),
        ("++1", ""),
        ("1+2", ""),
        ("alice", ""),
        ("585x", ""),
        ("٣", ""),
    ],
)
def test_a_number_is_held_as_plus_and_at_most_15_digits(
    twin: ModuleType, text: str, number: str
) -> None:
    assert twin.normalise(text, "1") == number


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("585555XXXX", "+1585555xxxx"),
        ("+1900*", "+1900*"),
        ("+1x0x*", "+1x0x*"),
        ("+*", "+*"),
        ("*", "+1*"),
        ("+1*0", ""),
        ("+1**", ""),
        ("+1234567890123456*", ""),
        ("+12345678901234x", "+12345678901234x"),
        ("", ""),
    ],
)
def test_an_entry_may_hold_x_for_a_digit_and_end_in_a_star(
    twin: ModuleType, text: str, entry: str
) -> None:
    assert twin.normalise_entry(text, "1") == entry


@pytest.mark.parametrize(
    ("entry", "number", "expected"),
    [
        ("+1585555xxxx", "+15855551234", True),
        ("+1585555xxxx", "+1585555123", False),
        ("+1585555xxxx", "+158555512345", False),
        ("+1900*", "+1900", True),
        ("+1900*", "+19005551234", True),
        ("+1900*", "+190", False),
        ("+1580*", "+158", False),  # a digit that is not there is no 0
        ("+12x*", "+12", False),
        ("+12x*", "+120", True),
        ("+*", "+1", True),
    ],
)
def test_an_entry_stands_for_the_numbers_of_its_form(
    twin: ModuleType, entry: str, number: str, expected: bool
) -> None:
    assert twin.matches(entry, number) is expected


@given(held)
def test_packing_loses_nothing(number: str) -> None:
    packed = numbers.pack(number)
    assert numbers.unpack(packed) == number
    assert packed & 15 == len(number) - 1
    assert packed >> (64 - 4 * (len(number) - 1)) == int(number[1:], 16)


@given(held, held)
def test_numbers_of_one_length_are_ordered_as_their_digits(left: str, right: str) -> None:
    if len(left) == len(right):
        assert (numbers.pack(left) < numbers.pack(right)) is (left < right)


@given(texts, codes)
def test_what_is_no_number_packs_to_nothing(text: str, code: str) -> None:
    assert (numbers.pack(text, code) == 0) is (plain.normalise(text, code) == "")


@given(texts, codes)
def test_both_twins_hold_the_same(text: str, code: str) -> None:
    assert numbers.normalise(text, code) == plain.normalise(text, code)
    assert numbers.normalise_entry(text, code) == plain.normalise_entry(text, code)


@given(st.text("01x*", max_size=5), st.text("01", min_size=1, max_size=5))
def test_both_twins_match_the_same(text: str, digits: str) -> None:
    entry, number = plain.normalise_entry("+" + text), "+" + digits
    expected = bool(entry) and plain.matches(entry, number)
    assert numbers.matches(entry, number) is expected
    if entry and "*" not in entry:
        value, care, given_digits = numbers.mask(entry)
        assert (numbers.pack(number) & care == value) is expected  # one AND and one compare
        assert given_digits == plain.literals(entry)


def test_a_mask_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no number, mask or prefix"):
        numbers.mask("alice")
