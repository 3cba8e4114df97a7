"""What an INVITE asks of caller identity: whose call it is, where it comes from, what is signed."""

import os
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.edge import questions
from callscreen.edge.questions import (
    Unsigned,
    caller_asked,
    caller_of,
    number_of,
    question_of,
    signed_by,
    sip_date,
    to_sign,
    user_of,
    user_part,
)
from callscreen.fastpath.asking import Asked, Asker, Plain
from callscreen.fastpath.extract import is_anonymous
from callscreen.fastpath.extract_reference import extract
from callscreen.fastpath.extract_types import DEFAULT_CALLING
from callscreen.fastpath.index import Index
from callscreen.fastpath.loader import Loader
from callscreen.fastpath.model import Origination
from callscreen.fastpath.recent import RecentTable
from callscreen.fastpath.respond_types import SIGN, VERIFY, Responded, Told, check_told
from callscreen.fastpath.sip import Malformed, Message, parse
from callscreen.identity.composing import origid_of
from callscreen.identity.telephone import canonical_number

from .identity_double import TOKEN, provisioned, settings
from .messages import request
from .objects import CALLED

NOW = 1_767_225_600.5  # 2026-01-01 00:00:00 UTC, and a half
OWN = Origination("acme", "trunk", "1f2e", "A", "acme-1", "")
INSIDE = "127.0.0.2"  # whose calls are signed
IDENTITY = f"Identity: {TOKEN}"


def asker(default_cc: str = "1", seed: bytes = b"") -> Asker:
    """A responder that says what it has read; calls are signed, or verified where they say so."""
    index = Index()
    national = settings(
        "pcs",
        screening_engine={"default_treatment": "continue", "use_contact": True},
        web_settings={"default_cc": default_cc},
        called_sources_config=[{"source": "request_uri"}],
    )
    Loader(index).load([*provisioned(source_ip=[f"{INSIDE}/32", "198.51.100.0/24"]), national])
    return Asker(index, b"secret", seed=seed or os.urandom(16), recent=RecentTable(1_000))


ASKER = asker()


def read(*more: str, asking: Asker = ASKER, trusted: bool = False, **parts: str) -> Any:
    octets = request("INVITE", *more, **{"uri": f"sip:{CALLED}@edge.example"} | parts)
    return asking.ask(octets, (INSIDE, 5060), via_trusted=trusted)


def invite(*more: str, **parts: Any) -> Asked:
    """What a call says that is not plain; the caller's number has no plus, if nothing is given."""
    found = read(*more, **{"caller": "<sip:5557654321@carrier.example>;tag=abc"} | parts)
    assert isinstance(found, Asked), found
    return found


def test_a_question_has_what_rfc_8224_asks_for() -> None:
    lines = (
        "Identity: a.b.c;info=<https://one.example>",
        "y: d.e.f;info=<https://two.example>",
        "Date: Thu, 01 Jan 2026 00:00:00 GMT",
        "Resource-Priority: ets.0",
        "P-Asserted-Identity: <sip:+15550000009;verstat=TN-Validation-Passed@carrier.example>",
    )
    parts = {"to": "<sip:+15551239999@edge.example>"}
    found = invite(*lines, **parts, asking=asker("44"))
    assert (found.awaits, found.provider, found.calling) == (VERIFY, "acme", "+15550000009")
    octets = request("INVITE", *lines, **{"uri": f"sip:{CALLED}@edge.example"} | parts)
    asked = question_of(found, caller_asked(found, octets))
    assert [each[:5] for each in asked.identities] == [b"a.b.c", b"d.e.f"]
    assert (asked.orig, asked.dest, asked.target) == ("+15550000009", "+15551239999", CALLED)
    assert asked.date == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert (asked.call_id, asked.from_tag) == (b"call-1@carrier.example", b"abc")
    assert (asked.default_cc, asked.resource_priority) == ("44", ["ets.0"])


def test_what_awaits_nothing_is_answered() -> None:
    octets = request("INVITE", uri=f"sip:{CALLED}@edge.example")
    found = ASKER.ask(octets, ("192.0.2.1", 5060))
    assert isinstance(found, Responded)
    assert found.status == 302


USERS = st.sampled_from(
    [
        "+15557654321",
        "5557654321",
        "+1-555-765-4321",
        "+15557654321;tgrp=x",
        "5557654321;tgrp=x",
        "5557654321;phone-context=+44",
        "+15557654321;phone-context=+44",
        "%2B15557654321",
        "+1",
        "+12",
        "+123",
        "1" * 15,
        "1" * 16,
        "+" + "1" * 15,
        "+" + "1" * 16,
        "0115557654321",
        "911",
        "alice",
        "anonymous",
        "+1555a",
        "+",
        "",
    ]
)
HOSTS = st.sampled_from(["c.example", "192.0.2.1", "[2001:db8::1]", "h:5060", "h;user=phone"])


@st.composite
def uris(draw: st.DrawFn) -> str:
    scheme, user = draw(st.sampled_from(["sip:", "sips:", "tel:", "SIP:", "http:"])), draw(USERS)
    if scheme == "tel:":
        return f"{scheme}{user or '+1'}"
    return f"{scheme}{user}@{draw(HOSTS)}" if user else f"{scheme}{draw(HOSTS)}"


@st.composite
def addresses(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(["", '"A, B" ', "Alice "]))
    return f"{name}<{draw(uris())}>"


VALUES = st.lists(addresses() | st.sampled_from(["", "<", ",", "x y"]), min_size=1, max_size=3)
ASSERTED = VALUES.map(lambda values: "P-Asserted-Identity: " + ",".join(values))
FOLDED = VALUES.map(lambda values: "P-Asserted-Identity: " + ",\r\n ".join(values))
OTHERS = st.sampled_from(
    [
        "Date: Thu, 01 Jan 2026 00:00:00 GMT",
        "DATE: Thu, 01 Jan\r\n 2026 00:00:00 GMT",
        "Date:",
        "Privacy: id",
        "Privacy: none",
        "Resource-Priority: ets.0, wps.1",
        "resource-priority: q.\xe4",
        IDENTITY,
        "y: e.f.g;info=<https://two.example>;ppt=\r\n shaken",
    ]
)


def told_of(message: Message) -> Asked:
    """A call to be signed, as the message says it."""
    assert is_anonymous(message) is False
    to = message.to.uri
    return Asked(SIGN, "acme", "1", INSIDE, None, b"", to, message.uri, False, None, None)


@given(
    st.lists(ASSERTED | FOLDED | OTHERS, max_size=5),
    addresses(),
    addresses(),
    st.sampled_from(["", "SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK-2"]),
    st.booleans(),
)
def test_what_was_read_is_what_the_message_says(
    lines: list[str], caller: str, to: str, via: str, trusted: bool
) -> None:
    lines += [f"Via: {via}"] if via else []
    octets = request(
        "INVITE", *lines, uri=f"sip:{CALLED}@edge.example", caller=f"{caller};tag=t", to=to
    )
    try:
        message = parse(octets)
    except Malformed:
        return
    found = ASKER.ask(octets, (INSIDE, 5060), via_trusted=trusted, whole=True)
    if isinstance(found, Responded):
        return
    identities = message.all(b"identity")
    who, date = caller_of(message, "1"), message.first(b"date")
    if isinstance(found, Plain):
        assert not identities
        assert date is None
        said = to_sign(told_of(message), found.origination, who.number, NOW)
        assert signed_by(found.origination, found.orig, found.dest, NOW) == said
        assert ASKER.index is not None
        source = "198.51.100.7" if via and trusted else INSIDE
        assert found.origination == ASKER.index.origination(source, "+" + who.number)
        return
    assert found.awaits == (VERIFY if identities else SIGN)
    assert found.source == ("198.51.100.7" if via and trusted else INSIDE)
    assert caller_asked(found, octets) == who
    assert user_part(found.called) == user_of(message.to.uri)
    assert user_part(found.target) == user_of(message.uri)
    assert found.anonymous == is_anonymous(message)
    assert found.screened == (extract(message, DEFAULT_CALLING, "1").number or "")
    assert found.date == (None if date is None else date.decode("utf-8", "replace"))
    if found.awaits == VERIFY:
        assert found.identities == identities
        assert (found.call_id, found.from_tag) == (message.call_id, message.from_.tag)
        priority = [each.decode("utf-8", "replace") for each in message.all(b"resource-priority")]
        assert found.priority == priority
    elif found.origination is not None:
        assert ASKER.index is not None
        assert found.origination == ASKER.index.origination(found.source, "+" + who.number)


LINES = st.lists(
    st.sampled_from(["Identity: a", "X:", ":", "A b: c", "\xe4: x", "X: \xe4", "", "X: a\nb", "X"])
    | st.text("aX: \r\n\x00~\x7f", max_size=8),
    max_size=3,
).map(lambda lines: "".join(f"{line}\r\n" for line in lines).encode())


@given(
    st.builds(
        Told,
        st.integers(-1, 5),
        st.sampled_from([0, 399, 400, 438, 699, 700]),
        st.text("a \t\x00\x1f\x7f\xe4", max_size=3),
        LINES | st.sampled_from([b"X: a\r\n" * 12_000, b"X: a", b"\r\n", b"X: \r\r\n"]),
        LINES,
        st.sampled_from([b"", b"x" * 65_536, b"x" * 65_537]),
    )
)
def test_what_is_told_is_looked_at_as_everywhere(told: Told) -> None:
    octets = request("INVITE", uri=f"sip:{CALLED}@edge.example")
    try:
        check_told(told)
    except ValueError:
        with pytest.raises(ValueError, match=r"verdict|phrase|octets"):
            ASKER.receive(octets, (INSIDE, 5060), told=told)
    else:
        assert ASKER.receive(octets, (INSIDE, 5060), told=told).status


@given(USERS, st.sampled_from(["", "1", "44", "39"]))
def test_a_plain_number_is_its_digits(user: str, code: str) -> None:
    assert number_of(user, code) == canonical_number(user, code)


@pytest.mark.parametrize(
    ("asserted", "caller", "found"),
    [
        ((), "<sip:+15557654321@c.example>;tag=a", "+15557654321"),
        (("<sip:+15550000001@c.example>",), "<sip:+15557654321@c.example>;tag=a", "+15550000001"),
        (
            ("<sip:alice@c.example>, <tel:+15550000002>",),
            "<sip:+15557654321@c.example>;tag=a",
            "+15550000002",
        ),
        (("<sip:alice@c.example>",), "<sip:+15557654321@c.example>;tag=a", "+15557654321"),
        (("<http://c.example>",), "<sip:+15557654321@c.example>;tag=a", "+15557654321"),
        ((), "<sip:+15557654321;tgrp=x@c.example>;tag=a", "+15557654321"),
        ((), "<sip:bob@c.example>;tag=a", "bob"),
    ],
)
def test_whose_call_it_is(asserted: tuple[str, ...], caller: str, found: str) -> None:
    lines = [f"P-Asserted-Identity: {value}" for value in asserted]
    assert caller_of(parse(request("INVITE", *lines, caller=caller)), "1").user == found


@pytest.mark.parametrize(
    ("second", "trusted", "found"),
    [
        (None, True, INSIDE),
        ("SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK-2", False, INSIDE),
        ("SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK-2", True, "198.51.100.7"),
        ("SIP/2.0/UDP h.example;received=198.51.100.8;branch=z9hG4bK-2", True, "198.51.100.8"),
        ("SIP/2.0/UDP h.example;branch=z9hG4bK-2", True, INSIDE),
        ("SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK-2", True, "2001:db8::1"),
    ],
)
def test_where_a_call_comes_from(second: str | None, trusted: bool, found: str) -> None:
    lines = [f"Via: {second}"] if second else []
    assert invite(IDENTITY, *lines, trusted=trusted).source == found


def test_what_is_signed() -> None:
    asked = to_sign(invite(), OWN, "15557654321", NOW)
    assert (asked.cert_name, asked.attest) == ("acme-1", "A")
    assert asked.origid == origid_of("1f2e", OWN.service_provider_name)
    assert (asked.orig, asked.dest) == ("15557654321", "15551230001")
    assert asked.iat == 1_767_225_600


def test_most_calls_that_are_signed_are_plain() -> None:
    found = read()
    assert isinstance(found, Plain)
    assert (found.orig, found.dest, found.origination.cert_name) == (
        "15557654321",
        "15551230001",
        "acme-1",
    )
    for lines, caller in (
        (("Privacy: id",), "<sip:+15557654321@c.example>;tag=a"),
        (("Date: Thu, 01 Jan 2026 00:00:00 GMT",), "<sip:+15557654321@c.example>;tag=a"),
        ((), "<sip:+157654@c.example>;tag=a"),
        ((), "<sip:+05557654321@c.example>;tag=a"),
    ):
        assert isinstance(read(*lines, caller=caller), Asked)


def test_a_number_of_another_country_is_not_signed_as_one_of_ours() -> None:
    """RFC 3966 section 5.1.5."""
    for caller in (
        "<tel:2079460000;phone-context=+44>",
        "<sip:2079460000;phone-context=+44@c.com>",
    ):
        found = invite(caller=f"{caller};tag=a")
        octets = request("INVITE", uri=f"sip:{CALLED}@edge.example", caller=f"{caller};tag=a")
        assert caller_asked(found, octets).number == "442079460000"


def test_national_numbers_become_those_of_e164() -> None:
    found = invite(
        to="<sip:5551230001@edge.example>", caller="<sip:5557654321@carrier.example>;tag=a"
    )
    asked = to_sign(found, OWN, caller_asked(found, b"").number, NOW)
    assert (asked.orig, asked.dest) == ("15557654321", "15551230001")


@pytest.mark.parametrize(
    ("lines", "orig", "attest", "why"),
    [
        ((), "15557654321", "N", ""),
        ((), "", "A", "the calling number is not one of E.164"),
        ((), "411", "A", "the calling number is not one of E.164"),
        (("Privacy: id",), "15557654321", "A", "the caller is anonymous"),
        (("Date: yesterday",), "15557654321", "A", "Date cannot be read"),
        (("Date: Thu, 01 Jan 2026 00:01:00 GMT",), "15557654321", "A", ""),
        (("Date: Thu, 01 Jan 2026 00:01:02 GMT",), "15557654321", "A", "Date is 62 seconds off"),
        (("Date: Wed, 31 Dec 2025 23:58:59 GMT",), "15557654321", "A", "Date is 62 seconds off"),
    ],
)
def test_what_is_not_signed_and_why(
    lines: tuple[str, ...], orig: str, attest: str, why: str
) -> None:
    source = OWN._replace(attest=attest)
    if lines and not why:
        assert to_sign(invite(*lines), source, orig, NOW).attest == attest
        return
    with pytest.raises(Unsigned) as raised:
        to_sign(invite(*lines), source, orig, NOW)
    assert str(raised.value) == why


def test_a_called_party_without_a_number_is_not_signed_for() -> None:
    with pytest.raises(Unsigned, match="no number"):
        to_sign(invite(to="<sip:bob@edge.example>"), OWN, "15557654321", NOW)


def test_a_date_has_the_form_of_rfc_3261() -> None:
    assert sip_date(int(NOW)) == "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize("scheme", ["sip:", "sips:", "tel:", "SIP:"])
@pytest.mark.parametrize("number", ["+12155550121", "2155550121", "911", "+1", "12a", ""])
@pytest.mark.parametrize(
    "rest", ["@h.example", "@h:5060", "@h:99999", "@-h", "@h;user=phone", "@[::1]", ""]
)
def test_a_plain_uri_is_read_as_any_other(scheme: str, number: str, rest: str) -> None:
    uri = f"{scheme}{number}{rest}".encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(questions, "PLAIN", re.compile(rb"(?!)"))
        expected = questions.user_of(uri)
    assert questions.user_of(uri) == expected
