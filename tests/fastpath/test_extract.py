"""Called and calling numbers: every source, policy and step of the settings, and anonymity."""

from types import ModuleType, SimpleNamespace

import pytest

from callscreen.fastpath import extract as compiled
from callscreen.fastpath import extract_reference as plain
from callscreen.fastpath import sip
from callscreen.fastpath.extract_types import (
    Extracted,
    NumberPolicy,
    NumberSource,
    PostStep,
    number_source,
)
from callscreen.fastpath.sip_types import Request

IMPLICIT = NumberPolicy(attempt_implicit_user_phone=True)
LONGEST = NumberPolicy(heuristic_digits="longest-digit-substring")
DIGITS = PostStep("require_digits", min_length=3)
# The reference's defaults for calls.
CALLED = (NumberSource("hdr.to"), NumberSource("request_uri"))
CALLING = (
    NumberSource("hdr.from", IMPLICIT, (DIGITS,)),
    NumberSource(
        "hdr.p_asserted_identity",
        NumberPolicy(None, True, "longest-digit-substring"),
        (DIGITS,),
    ),
)


@pytest.fixture(params=[compiled, plain], ids=["compiled", "plain"])
def twin(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


def call(
    *extra: bytes,
    uri: bytes = b"sip:edge.example.net",
    sender: bytes = b"<sip:+13155550100@example.com>",
    to: bytes = b"<sip:+15855551234@example.net>",
) -> Request:
    lines = [
        b"INVITE " + uri + b" SIP/2.0",
        b"Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1",
        b"From: " + sender + b";tag=1",
        b"To: " + to,
        b"Call-ID: 1",
        b"CSeq: 1 INVITE",
        *extra,
    ]
    return sip.parse(b"\r\n".join([*lines, b"", b""]))


def of_uri(
    twin: ModuleType, uri: bytes, policy: NumberPolicy = IMPLICIT, *post: PostStep
) -> Extracted:
    sources = twin.NumberSources([NumberSource("request_uri", policy, post)])
    found: Extracted = twin.extract(call(uri=uri), sources, "1")
    return found


def test_the_defaults_find_an_ordinary_call(twin: ModuleType) -> None:
    message = call()
    assert twin.extract(message, CALLED, "1") == ("+15855551234", "hdr.to", None, ())
    assert twin.extract(message, CALLING, "1") == ("+13155550100", "hdr.from", None, ())


def test_the_first_source_that_yields_a_number_wins_and_the_others_say_why(
    twin: ModuleType,
) -> None:
    message = call(
        b'P-Asserted-Identity: "x" <sip:operator@example.com>, <tel:+1-315-555-0100>',
        sender=b"<sip:anonymous@anonymous.invalid>",
    )
    found = twin.extract(message, CALLING, "1")
    assert (found.number, found.source) == ("+13155550100", "hdr.p_asserted_identity")
    assert found.tried == (("hdr.from", "require_digits: not all are digits"),)


def test_no_source_that_yields_one_is_an_error_that_names_each(twin: ModuleType) -> None:
    found = twin.extract(call(sender=b"<sip:alice@example.com>"), CALLING, "1")
    assert (found.number, found.source) == (None, "")
    assert found.error == (
        "hdr.from: require_digits: not all are digits; hdr.p_asserted_identity: not there"
    )
    assert twin.extract(call(), (), "1").error == "no source is configured"


def test_each_source(twin: ModuleType) -> None:
    message = call(
        b"Diversion: <tel:+12025550101>;reason=user-busy, <sip:+12025550102@h>",
        b"History-Info: <sip:+12025550103@h>;index=1, <sip:+12025550104@h?Reason=SIP>;index=1.1",
        b"History-Info: <sip:+12025550105@h>;index=1.2",
        uri=b"tel:+12025550106",
    )
    for source, last in (
        ("request_uri", "6"),
        ("hdr.diversion", "1"),
        ("hdr.history_info", "4"),
    ):
        assert twin.extract(message, [NumberSource(source)], "1").number == f"+1202555010{last}"


def test_one_history_entry_names_nobody_who_sent_the_call_on(twin: ModuleType) -> None:
    message = call(b"History-Info: <sip:+12025550103@h>;index=1")
    assert twin.extract(message, [NumberSource("hdr.history_info")], "1").error is not None


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        (b"tel:+1-585-555.1234", "+15855551234"),
        (b"tel:585-555-1234", "+15855551234"),
        (b"tel:20-7946-0000;phone-context=+44", "+442079460000"),
        (b"tel:555-1234;phone-context=+1-585", "+15855551234"),
        (b"tel:5855551234;phone-context=example.com", "+15855551234"),
        (b"sip:2079460000;phone-context=+44@h;user=phone", "+442079460000"),
        (b"sip:%2B15855551234@h;user=PHONE", "+15855551234"),
        (b"tel:911", "911"),
        (b"tel:112;phone-context=+49", "112"),
    ],
)
def test_a_telephone_uri_is_read_as_rfc_3966_says(
    twin: ModuleType, uri: bytes, number: str
) -> None:
    assert of_uri(twin, uri, NumberPolicy()).number == number


def test_the_missing_context_is_used_only_where_it_is_missing(twin: ModuleType) -> None:
    policy = NumberPolicy(user_phone_missing_context="+44")
    assert of_uri(twin, b"tel:2079460000", policy).number == "+442079460000"
    assert of_uri(twin, b"tel:2079460000;phone-context=+49", policy).number == "+492079460000"
    assert of_uri(twin, b"tel:+2079460000", policy).number == "+2079460000"
    # Not treated as a telephone number: the policy's context has no part in it.
    assert of_uri(twin, b"sip:2079460000@h", policy).number == "+12079460000"


def test_implicit_user_phone_reads_the_user_part_as_a_telephone_number(twin: ModuleType) -> None:
    assert of_uri(twin, b"sip:555-1234;phone-context=+1585@h").number == "+15855551234"
    # Without it the heuristic sees digits only: the longest run is 1234, and no context counts.
    assert of_uri(twin, b"sip:555-1234;phone-context=+1585@h", LONGEST).number == "+11234"


@pytest.mark.parametrize(
    ("user", "number"),
    [
        (b"trunk7-2025550101", "+12025550101"),
        (b"12345x67890", "+112345"),
        (b"ab+442079460000cd", "+442079460000"),
    ],
)
def test_the_longest_run_of_digits_is_taken_and_the_first_of_equals(
    twin: ModuleType, user: bytes, number: str
) -> None:
    assert of_uri(twin, b"sip:" + user + b"@h", LONGEST).number == number


def test_as_is_takes_the_user_part_as_it_stands(twin: ModuleType) -> None:
    as_is = NumberPolicy()
    assert of_uri(twin, b"sip:+15855551234@h", as_is).number == "+15855551234"
    assert of_uri(twin, b"sip:2025550101@h", as_is).number == "+12025550101"
    assert of_uri(twin, b"sip:trunk7@h", as_is).error == "request_uri: not a number"
    # The plus sign is part of the user part, and not a digit.
    assert of_uri(twin, b"sip:+15855551234@h", as_is, DIGITS).number is None


def test_a_user_part_that_is_no_telephone_number_falls_back_on_the_heuristic(
    twin: ModuleType,
) -> None:
    policy = NumberPolicy(None, True, "longest-digit-substring")
    assert of_uri(twin, b"sip:gw-2025550101-x@h", policy).number == "+12025550101"


def test_strip_prefix(twin: ModuleType) -> None:
    step = PostStep("strip_prefix", prefix="9011")
    set_cc = PostStep("set_cc", country_code="44")
    assert of_uri(twin, b"sip:90112079460000@h", IMPLICIT, step, set_cc).number == "+442079460000"
    assert of_uri(twin, b"sip:90112025550101@h", IMPLICIT, step).number == "+12025550101"
    assert of_uri(twin, b"sip:2025550101@h", IMPLICIT, step).number == "+12025550101"
    star = PostStep("strip_prefix", prefix="*67")
    assert of_uri(twin, b"sip:*672025550101@h", IMPLICIT, star).number == "+12025550101"
    # What is left of a global number is a national one.
    one = PostStep("strip_prefix", prefix="1")
    assert of_uri(twin, b"tel:+12025550101", IMPLICIT, one).number == "+12025550101"


def test_extract_substring_keeps_the_interval_without_its_end(twin: ModuleType) -> None:
    last_ten = PostStep("extract_substring", range=(1, 11))
    set_cc = PostStep("set_cc", country_code="44")
    assert of_uri(twin, b"sip:+12025550101@h", IMPLICIT, last_ten).number == "+12025550101"
    assert of_uri(twin, b"sip:+12025550101@h", IMPLICIT, last_ten, set_cc).number == "+442025550101"
    assert (
        of_uri(twin, b"sip:+12025550101@h", IMPLICIT, PostStep("extract_substring")).number is None
    )
    empty = PostStep("extract_substring", range=(20, 30))
    assert of_uri(twin, b"sip:+12025550101@h", IMPLICIT, empty).error == "request_uri: not a number"


def test_set_cc_and_default_cc(twin: ModuleType) -> None:
    set_cc = PostStep("set_cc", country_code="+44")
    default_cc = PostStep("default_cc", country_code="49")
    assert (
        of_uri(twin, b"tel:2079460000;phone-context=+1", IMPLICIT, set_cc).number == "+442079460000"
    )
    assert (
        of_uri(twin, b"tel:3012345;phone-context=+1", IMPLICIT, default_cc).number == "+493012345"
    )
    assert of_uri(twin, b"tel:3012345", IMPLICIT, set_cc, default_cc).number == "+443012345"
    assert of_uri(twin, b"tel:+13012345", IMPLICIT, default_cc).number == "+13012345"
    assert of_uri(twin, b"sip:+13012345@h", NumberPolicy(), default_cc).number == "+13012345"


def test_require_digits(twin: ModuleType) -> None:
    assert of_uri(twin, b"sip:*67@h", IMPLICIT, PostStep("require_digits")).number is None
    found = of_uri(twin, b"sip:12@h", IMPLICIT, DIGITS)
    assert found.error == "request_uri: require_digits: fewer than 3 digits"
    assert of_uri(twin, b"sip:123@h", IMPLICIT, DIGITS).number == "123"


def test_an_emergency_code_never_gains_a_country_code(twin: ModuleType) -> None:
    steps = (PostStep("default_cc", country_code="1"), PostStep("set_cc", country_code="1"))
    for code in ("911", "112"):
        assert of_uri(twin, f"sip:{code}@h".encode(), IMPLICIT, *steps).number == code


def test_a_number_longer_than_fifteen_digits_is_none(twin: ModuleType) -> None:
    assert of_uri(twin, b"tel:+123456789012345").number == "+123456789012345"
    assert of_uri(twin, b"tel:+1234567890123456").number is None
    assert of_uri(twin, b"tel:" + b"1" * 60_000).number is None


def test_what_cannot_be_read_is_tried_and_passed_over(twin: ModuleType) -> None:
    message = call(
        b'P-Asserted-Identity: "broken <sip:1@h>',
        b"P-Asserted-Identity: <http://example.com>, <sip:\xff@h>, <sip:%FF%00@h>",
        b"P-Asserted-Identity: <sip:+13155550100@h>",
    )
    assert twin.extract(message, CALLING[1:], "1").number == "+13155550100"


@pytest.mark.parametrize(
    ("extra", "sender", "anonymous"),
    [
        ((), b"<sip:+13155550100@h>", False),
        ((), b'"Anonymous" <sip:+13155550100@h>', False),
        ((), b"<sip:Anonymous@h>", True),
        ((), b"<sip:%61nonymous@h>", True),
        ((), b"<sip:x@ANONYMOUS.invalid>", True),
        ((), b"<http://anonymous>", False),
        ((), b"<sip:Anonymous;phone-context=+1@carrier.example>", True),
        ((), b"<sip:anonymous2;anonymous@carrier.example>", False),
        ((b"Privacy: none",), b"<sip:+13155550100@h>", False),
        ((b"Privacy: None;critical",), b"<sip:+13155550100@h>", False),
        ((b"Privacy:",), b"<sip:+13155550100@h>", False),
        ((b"Privacy: id;critical",), b"<sip:+13155550100@h>", True),
        ((b"privacy: none", b"PRIVACY: user, header"), b"<sip:+13155550100@h>", True),
    ],
)
def test_anonymity(
    twin: ModuleType, extra: tuple[bytes, ...], sender: bytes, anonymous: bool
) -> None:
    assert twin.is_anonymous(call(*extra, sender=sender)) is anonymous


def test_a_source_is_made_from_what_the_settings_hold() -> None:
    policy = SimpleNamespace(
        user_phone_missing_context="", attempt_implicit_user_phone=True, heuristic_digits=""
    )
    step = SimpleNamespace(
        type="extract_substring", prefix="", range=[1, 3], country_code="", min_length=0
    )
    config = SimpleNamespace(source="hdr.from", policy=policy, post=[step])
    assert number_source(config) == NumberSource(
        "hdr.from", IMPLICIT, (PostStep("extract_substring", range=(1, 3)),)
    )
