"""Held forms: what each format accepts, and what it makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.schema.formats import CANONICAL, NORMALISE, all_held
from callscreen.v1.rules_pb2 import Format

NUMBERS = [
    ("5855551234", "1", "+15855551234"),
    ("(585) 555-1234", "1", "+15855551234"),
    ("585.555.1234", "44", "+445855551234"),
    ("+44 20 7946 0018", "1", "+442079460018"),
    ("911", "1", "+1911"),
    ("+123456789012345", "1", "+123456789012345"),
]


@pytest.mark.parametrize(("text", "default_cc", "held"), NUMBERS)
@pytest.mark.parametrize("format_", [Format.NUMBER, Format.NUMBER_MASK, Format.LIST_ENTRY])
def test_numbers(format_: int, text: str, default_cc: str, held: str) -> None:
    assert NORMALISE[format_](text, default_cc) == held


@pytest.mark.parametrize(
    ("format_", "text", "held"),
    [
        (Format.NUMBER_MASK, "585xxxXXXX", "+1585xxxxxxx"),
        (Format.NUMBER_MASK, "+44x", "+44x"),
        (Format.LIST_ENTRY, "585*", "+1585*"),
        (Format.LIST_ENTRY, "+1585XXX*", "+1585xxx*"),
        (Format.ADDRESS_PREFIX, "145.123.233.21", "145.123.233.21"),
        (Format.ADDRESS_PREFIX, "192.168.1/24", "192.168.1.0/24"),
        (Format.ADDRESS_PREFIX, "10/8", "10.0.0.0/8"),
        (Format.ADDRESS_PREFIX, "10.1.2.3/8", "10.0.0.0/8"),
        (Format.ADDRESS_PREFIX, "::ffff:192.0.2.1", "192.0.2.1"),
        (Format.ADDRESS_PREFIX, "::ffff:10.1.2.3/104", "10.0.0.0/8"),
        (Format.ADDRESS_PREFIX, "::ffff:0:0/95", "::fffe:0:0/95"),
        (Format.ADDRESS_PREFIX, "10.1.2.3/32", "10.1.2.3"),
        (Format.ADDRESS_PREFIX, " 2001:DB8:0::1 ", "2001:db8::1"),
        (Format.ADDRESS_PREFIX, "2001:db8::1/32", "2001:db8::/32"),
        (Format.ROLE_ID, "platform_owner", "platform_owner"),
        (Format.ROLE_ID, "service_provider:Acme & Co", "service_provider:Acme & Co"),
        (Format.ROLE_ID, "subscriber:acme:alice", "subscriber:acme:alice"),
        (Format.USERNAME, "John_Doe_admin", "john_doe_admin"),
        (Format.PIN, "1111", "1111"),
        (Format.COUNTRY_CODE, "+44", "44"),
        (Format.COUNTRY_CODE, "1", "1"),
        (Format.POINT_CODE, "007", "7"),
        (Format.POINT_CODE, "001-200-003", "1-200-3"),
    ],
)
def test_held_forms(format_: int, text: str, held: str) -> None:
    assert NORMALISE[format_](text, "1") == held


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        (Format.NUMBER, ""),
        (Format.NUMBER, "+"),
        (Format.NUMBER, "1+1"),
        (Format.NUMBER, "585x"),
        (Format.NUMBER, "+1234567890123456"),
        (Format.NUMBER, "123456789012345"),
        (Format.NUMBER, "٣٤٥"),
        (Format.NUMBER, "tel:+15855551234"),
        (Format.NUMBER_MASK, "585*"),
        (Format.LIST_ENTRY, "5*85"),
        (Format.LIST_ENTRY, "*"),
        (Format.LIST_ENTRY, "+*"),
        (Format.ADDRESS_PREFIX, "192.168.1"),
        (Format.ADDRESS_PREFIX, "192.168.1.1/33"),
        (Format.ADDRESS_PREFIX, "192.168.1.1/"),
        (Format.ADDRESS_PREFIX, "10.0.0.0/255.0.0.0"),
        (Format.ADDRESS_PREFIX, "fe80::1%eth0"),
        (Format.ADDRESS_PREFIX, "host.example"),
        (Format.ADDRESS_PREFIX, ""),
        (Format.ROLE_ID, "platform_owner:x"),
        (Format.ROLE_ID, "service_provider:"),
        (Format.ROLE_ID, "service_provider:a:b"),
        (Format.ROLE_ID, "subscriber:acme"),
        (Format.ROLE_ID, "subscriber:a/b:c"),
        (Format.ROLE_ID, "service_provider:a\nb"),
        (Format.ROLE_ID, "service_provider:" + "a" * 65),
        (Format.COUNTRY_CODE, "0"),
        (Format.COUNTRY_CODE, "1234"),
        (Format.COUNTRY_CODE, "us"),
        (Format.POINT_CODE, "16777216"),
        (Format.POINT_CODE, "1-256-1"),
        (Format.POINT_CODE, "1-2"),
        (Format.POINT_CODE, "-1"),
    ],
)
def test_what_has_no_held_form_is_refused(format_: int, text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        NORMALISE[format_](text, "1")


texts = st.one_of(
    st.text(),
    st.text("0123456789xX+*-./: ()", max_size=20),
    st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?", fullmatch=True),
)


@given(st.sampled_from(sorted(NORMALISE)), texts, st.sampled_from(["1", "44", "358"]))
def test_a_held_form_is_its_own(format_: int, text: str, default_cc: str) -> None:
    try:
        held = NORMALISE[format_](text, default_cc)
    except ValueError:
        return
    assert NORMALISE[format_](held, "7") == held
    if format_ in CANONICAL:
        assert CANONICAL[format_].fullmatch(held)


@given(st.sampled_from(sorted(CANONICAL)), st.data())
def test_what_counts_as_held_is_left_alone(format_: int, data: st.DataObject) -> None:
    held = data.draw(st.from_regex(CANONICAL[format_], fullmatch=True))
    assert NORMALISE[format_](held, "1") == held


@given(
    st.sampled_from(sorted(NORMALISE)),
    st.lists(st.text("+1x*\n", min_size=1, max_size=4), max_size=4),
)
def test_the_quick_look_at_a_list_says_the_same(format_: int, values: list[str]) -> None:
    form = CANONICAL.get(format_)
    slow = bool(form) and all(map(form.fullmatch, values)) and len(set(values)) == len(values)
    assert all_held(format_, values) is slow
