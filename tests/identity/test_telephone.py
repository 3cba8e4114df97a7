"""Numbers as a PASSporT has them (RFC 8224 section 8.3)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.identity.telephone import canonical_number, is_e164


@pytest.mark.parametrize(
    ("text", "code", "digits"),
    [
        ("+12155551212", "1", "12155551212"),
        ("+1 (215) 555-1212", "1", "12155551212"),
        ("+1.215.555.1212", "44", "12155551212"),
        ("2155551212", "1", "12155551212"),
        ("12155551212", "1", "12155551212"),
        ("1155551212", "1", "1155551212"),  # no area code begins with 1
        ("01256700800", "1", "01256700800"),
        ("011442079460000", "1", "442079460000"),
        ("442079460000", "1", "442079460000"),
        ("02079460000", "44", "442079460000"),
        ("00442079460000", "44", "442079460000"),
        ("0012155551212", "44", "12155551212"),
        ("12155551212", "44", "12155551212"),
        ("0612345678", "39", "390612345678"),
        ("0039 06 1234 5678", "39", "390612345678"),
        ("84951234567", "7", "74951234567"),
        ("81012155551212", "7", "12155551212"),
        ("0612345678", "36", "3612345678"),
        ("911234567", "34", "34911234567"),
        ("34911234567", "34", "34911234567"),
        ("0011442079460000", "61", "442079460000"),
        ("0312345678", "81", "81312345678"),
        ("2155551212", "", "2155551212"),
        ("911", "1", "911"),
        ("411", "1", "411"),
        ("112", "49", "112"),
        ("5551212", "1", "5551212"),
        ("*67", "1", "*67"),
        ("*672155551212", "1", "*672155551212"),
        ("#31#2155551212", "1", "#31#2155551212"),
        ("+12155551212;tgrp=1;trunk-context=x", "1", "12155551212"),
        ("2155551212;npdi;rn=+12155550000", "1", "12155551212"),
        ("+12155551212;verstat=TN-Validation-Passed", "1", "12155551212"),
        ("sip:+12155551212;npdi@example.com;user=phone", "1", "12155551212"),
        ("SIPS:2155551212@[2001:db8::1]:5061", "1", "12155551212"),
        ("tel:+1-215-555-1212;phone-context=example.com", "1", "12155551212"),
        ('"A. <b>" <sip:+12155551212@h>', "1", "12155551212"),
        ('"<sip:+19005550000@h>" <sip:+12155551212@h>', "1", "12155551212"),
        ('"\\"<sip:+19005550000@h>" <sip:+12155551212@h>', "1", "12155551212"),
        ('"<sip:+19005550000@h>', "1", ""),
        ("<sip:<+19005550000>@h>", "1", ""),
        ("tel:2079460000;phone-context=+44", "1", "442079460000"),
        ("sip:2079460000;isub=1;Phone-Context=+4-4;x=y@h", "1", "442079460000"),
        ("2079460000;phone-context=+44x", "44", "2079460000"),
        ("2155551212;x-phone-context=+44;phone-context=a.example", "1", "12155551212"),
        ("911;phone-context=+44", "1", "911"),
        ("2155551212;phone-context=+" + "1" * 23, "1", ""),
        ("Alice <sip:+12155551212@h>;tag=1", "1", "12155551212"),
        ("sip:%2B12155551212@h", "1", "12155551212"),
        ("sip:alice@example.com", "1", ""),
        ("sip:example.com", "1", ""),
        ("anonymous", "1", ""),
        ("sip:anonymous@anonymous.invalid", "1", ""),
        ("+", "1", ""),
        ("", "1", ""),
        ("1+2155551212", "1", ""),
        ("++12155551212", "1", ""),
        ("١٢٣٤٥٦٧٨٩٠", "1", ""),
        ("²155551212", "1", ""),
        ("2155551212x5", "1", ""),
        ("1" * 32, "1", "1" * 32),
        ("1" * 33, "1", ""),
        ("-" * 600 + "2155551212", "1", ""),
    ],
)
def test_a_number_is_digits(text: str, code: str, digits: str) -> None:
    assert canonical_number(text, code) == digits


@given(st.text(max_size=40), st.sampled_from(["", "1", "7", "34", "36", "39", "44", "49", "81"]))
@settings(max_examples=300)
def test_any_text_is_a_number_or_nothing(text: str, code: str) -> None:
    digits = canonical_number(text, code)
    assert set(digits) <= set("0123456789#*")
    assert len(digits) <= 40


@given(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True), st.sampled_from(["1", "44", "39", "7"]))
def test_a_number_with_a_plus_is_itself_whatever_the_country(digits: str, code: str) -> None:
    assert is_e164(digits)
    assert canonical_number("+" + digits, code) == digits
    assert canonical_number(f"tel:+{'-'.join(digits)}", code) == digits


@pytest.mark.parametrize(
    ("digits", "good"),
    [
        ("1234567", True),
        ("123456789012345", True),
        ("123456", False),
        ("1234567890123456", False),
        ("01256700600", False),
        ("+12155551212", False),
        ("1215555121*", False),
        ("12155551212\n", False),
        ("١٢٣٤٥٦٧٨", False),
        ("", False),
    ],
)
def test_a_number_of_e164_is_7_to_15_digits(digits: str, good: bool) -> None:
    assert is_e164(digits) is good
