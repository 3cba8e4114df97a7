"""What an INVITE asks of caller identity: whose call it is, where it comes from, what is signed."""

import re
from typing import Any

import pytest

from callscreen.edge import questions
from callscreen.edge.questions import (
    Unsigned,
    call_source,
    caller_of,
    question_of,
    sip_date,
    to_sign,
)
from callscreen.fastpath.model import Origination
from callscreen.fastpath.sip import Message, parse
from callscreen.identity.composing import origid_of

from .messages import request

NOW = 1_767_225_600.5  # 2026-01-01 00:00:00 UTC, and a half
OWN = Origination("acme", "trunk", "1f2e", "A", "acme-1", "")


def invite(*more: str, **parts: Any) -> Message:
    return parse(request("INVITE", *more, **parts))


def test_a_question_has_what_rfc_8224_asks_for() -> None:
    message = invite(
        "Identity: a.b.c;info=<https://one.example>",
        "y: d.e.f;info=<https://two.example>",
        "Date: Thu, 01 Jan 2026 00:00:00 GMT",
        "Resource-Priority: ets.0",
        "P-Asserted-Identity: <sip:+15550000009;verstat=TN-Validation-Passed@carrier.example>",
        uri="sip:+15551239999@edge.example",
        to="<sip:+15551230001@edge.example>",
    )
    asked = question_of(message, caller_of(message, "44").user, "44")
    assert [each[:5] for each in asked.identities] == [b"a.b.c", b"d.e.f"]
    assert (asked.orig, asked.dest, asked.target) == (
        "+15550000009",
        "+15551230001",
        "+15551239999",
    )
    assert asked.date == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert (asked.call_id, asked.from_tag) == (b"call-1@carrier.example", b"abc")
    assert (asked.default_cc, asked.resource_priority) == ("44", ["ets.0"])


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
    assert caller_of(invite(*lines, caller=caller), "1").user == found


@pytest.mark.parametrize(
    ("second", "trusted", "found"),
    [
        (None, True, "192.0.2.1"),
        ("SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK-2", False, "192.0.2.1"),
        ("SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK-2", True, "198.51.100.7"),
        ("SIP/2.0/UDP h.example;received=198.51.100.8;branch=z9hG4bK-2", True, "198.51.100.8"),
        ("SIP/2.0/UDP h.example;branch=z9hG4bK-2", True, "192.0.2.1"),
        ("SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK-2", True, "2001:db8::1"),
    ],
)
def test_where_a_call_comes_from(second: str | None, trusted: bool, found: str) -> None:
    message = invite(*([f"Via: {second}"] if second else []))
    assert call_source(message, "192.0.2.1", trusted) == found


def test_what_is_signed() -> None:
    asked = to_sign(invite(), OWN, "15557654321", "1", NOW)
    assert (asked.cert_name, asked.attest) == ("acme-1", "A")
    assert asked.origid == origid_of("1f2e", OWN.service_provider_name)
    assert (asked.orig, list(asked.dest)) == ("15557654321", ["15551230001"])
    assert asked.iat == 1_767_225_600


def test_national_numbers_become_those_of_e164() -> None:
    message = invite(
        to="<sip:5551230001@edge.example>", caller="<sip:5557654321@carrier.example>;tag=a"
    )
    asked = to_sign(message, OWN, caller_of(message, "1").number, "1", NOW)
    assert (asked.orig, list(asked.dest)) == ("15557654321", ["15551230001"])


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
        assert to_sign(invite(*lines), source, orig, "1", NOW).attest == attest
        return
    with pytest.raises(Unsigned) as raised:
        to_sign(invite(*lines), source, orig, "1", NOW)
    assert str(raised.value) == why


def test_a_called_party_without_a_number_is_not_signed_for() -> None:
    with pytest.raises(Unsigned, match="no number"):
        to_sign(invite(to="<sip:bob@edge.example>"), OWN, "15557654321", "1", NOW)


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
