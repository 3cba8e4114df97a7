"""A number read from a datagram is packed from its octets as numbers.pack packs its text."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from callscreen.fastpath import extract_reference, measure_sip, sip
from callscreen.fastpath.extract import NumberPolicy, NumberSource, NumberSources, PostStep
from callscreen.fastpath.numbers import pack

LONGEST = "longest-digit-substring"
MESSAGE = (
    b"OPTIONS %s SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>\r\nTo: <sip:a@b>\r\n"
    b"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n"
)


def least(digits: int) -> PostStep:
    return PostStep("require_digits", min_length=digits)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(("sip:", "tel:")),
    st.sampled_from(("", "+", "%2B", "*", "x")),
    st.text("0123456789", max_size=17) | st.text("0123456789:/.-a", max_size=4),
    st.sampled_from(("@h", ";phone-context=+44@h", "@h;user=phone", ";ext=1")),
    st.builds(NumberPolicy, st.sampled_from((None, "+49")), st.booleans(), st.just(LONGEST)),
    st.lists(st.integers(0, 16).map(least), max_size=2),
)
@example("sip:", "+", "1" * 15, "@h", NumberPolicy(), [])
@example("sip:", "+", "1" * 16, "@h", NumberPolicy(), [])
@example("sip:", "", "9" * 14, "@h", NumberPolicy(), [])
@example("sip:", "", "9" * 15, "@h", NumberPolicy(), [])
@example("sip:", "", "911", "@h", NumberPolicy(), [])
def test_the_packed_form_is_that_of_the_text(
    scheme: str, plus: str, digits: str, rest: str, policy: NumberPolicy, post: list[PostStep]
) -> None:
    data = MESSAGE % f"{scheme}{plus}{digits}{rest}".encode()
    sources = [NumberSource("request_uri", policy, tuple(post))]
    if measure_sip.scans(data, 1):
        return
    text, packed = measure_sip.packed(data, NumberSources(sources))
    found = extract_reference.extract(sip.parse(data), sources, "1")
    assert text == (found.number or "")
    assert packed == pack(text)
