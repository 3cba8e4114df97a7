"""Extraction and answers: the compiled ones and their plain twins say the same of any message."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from callscreen.fastpath import (
    answer,
    answer_reference,
    extract,
    extract_reference,
    sip,
    sip_reference,
)
from callscreen.fastpath.answer_types import tag_key
from callscreen.fastpath.extract_types import (
    LONGEST,
    SOURCES,
    STEPS,
    NumberPolicy,
    NumberSource,
    PostStep,
)
from callscreen.fastpath.sip_types import Malformed, Request

INVITE = (
    b"INVITE sip:+15855551234;ext=9@edge.example.net:5070;user=phone SIP/2.0\r\n"
    b'Via: SIP/2.0/UDP 192.0.2.7:5062;x="a;\\"rport";branch=z9hG4bK74bf9;rport, SIP/2.0/TCP h\r\n'
    b"v: SIP/2.0/TLS client.example.com;received=192.0.2.201;branch=z9hG4bKkjshdyff\r\n"
    b'From: "Anna \\"A\\" Bell"\r\n '
    b"<sip:555-0100;phone-context=+1(315):pw@example.com>;tag=9fxced\r\n"
    b"t: <tel:585-555-1234;phone-context=%2b1>\r\n"
    b"Call-ID: 3848276298220188511@client.example.com\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"P-Asserted-Identity: <sip:315x5550100@example.com>, <tel:+13155550100>\r\n"
    b"P-Asserted-Identity: <sip:+1315@h;us%65r=pho%4ee>\r\n"
    b"m: , Anna <sip:%41nna@client.example.com:05062?a=b>;q=0.5, *\r\n"
    b"Diversion: , <sip:trunk12-5550102@h>\r\n"
    b"History-Info: <sip:1@h>;index=1, <sip:%2B442079460000@h?Reason=SIP>;index=1.1,\r\n"
    b" <sip:3@h>;index=2\r\n"
    b"Privacy: none;\r\n critical, None\r\n"
    b"\r\n"
)
PIECES = [
    *(bytes([octet]) for octet in b'\r\n\t ;,:=<>"\\@?%+-.()#*10a\x0b\xff'),
    *(b"\r\n ", b" \r\n\t", b";;", b"sip:", b"tel:", b"sips:", b";user=phone", b"phone-context="),
    *(b"anonymous", b"anonymous.invalid", b"%41", b"user", b"id", b"none", b"5" * 14, b"1" * 256),
    *(b"\r\nPrivacy: id", b"\r\nDiversion: ", b"\r\nHistory-Info: <sip:5551234@h>", b";tag=1"),
    *(b";rport", b";received=::1", b"[2001:db8::1]", b"[::ffff:192.0.2.7]", b"\r\nVia: x", b";a"),
    *(b"Contact: *\r\n", b"\r\nContact: <tel:1>", b"@h:5060", b"\r\nm: <sip:[::1]:99>"),
    *(b"192.0.2.7", b"\r\nVia: SIP/2.0/UDP h", b"\r\nP-Asserted-Identity: ", b"http://x"),
]
SOURCE_ADDRESSES = ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "fe80::1%eth0", "client"]

digits = st.text("0123456789", max_size=5)
steps = st.builds(
    PostStep,
    st.sampled_from((*STEPS, "unknown")),
    st.sampled_from(("", "1", "+", "+1", "*67", "5", "é")),
    st.none() | st.tuples(st.integers(-20, 20), st.integers(-20, 20)),
    st.sampled_from(("", "+", "1", "+44", "x", "1" * 16)) | digits,
    st.integers(0, 20),
)
policies = st.builds(
    NumberPolicy,
    st.sampled_from((None, "", "+44", "+1-585", "example.com", "+")),
    st.booleans(),
    st.sampled_from(("as-is", LONGEST)),
)
source_lists = st.lists(
    st.builds(
        NumberSource,
        st.sampled_from((*SOURCES, "unknown")),
        policies,
        st.lists(steps, max_size=3).map(tuple),
    ),
    max_size=4,
)


def parsed(read: Callable[[bytes], Any], data: bytes) -> Request | None:
    """The message, whole or as far as it can be answered."""
    try:
        message: Request = read(data)
    except Malformed as refused:
        return refused.message
    return message


def same_numbers(data: bytes, sources: Sequence[NumberSource], default_cc: str) -> None:
    message = parsed(sip.parse, data)
    if message is None:
        return
    ready = extract.NumberSources(sources)
    assert ready == tuple(sources) == tuple(ready)
    found = extract.extract(message, ready, default_cc)
    assert found == extract_reference.extract(message, sources, default_cc)
    assert found.number is None or re.fullmatch(r"\+[0-9]{1,15}|[0-9]{1,3}", found.number)
    assert extract.is_anonymous(message) is extract_reference.is_anonymous(message)
    assert extract.request_user(message) == extract_reference.request_user(message)
    assert extract.request_place(message) == extract_reference.request_place(message)
    assert extract.contact_place(message) == extract_reference.contact_place(message)


def same_answer(data: bytes, host: str, tag: bytes | None) -> None:
    message = parsed(sip.parse, data)
    if message is None:
        return
    given = (message, 302, "Moved", [(b"Contact", b"<sip:a@b>")], tag, (host, 5099))
    assert answer.response(*given) == answer_reference.response(*given)
    assert answer.destination(message, (host, 1)) == answer_reference.destination(
        message, (host, 1)
    )
    assert answer.to_tag(b"key", message) == answer_reference.to_tag(b"key", message)


def changed(data: st.DataObject) -> bytes:
    message = INVITE
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(message)))
        gone = data.draw(st.integers(0, 6))
        piece = data.draw(st.sampled_from(PIECES) | st.binary(max_size=3))
        message = message[:at] + piece + message[at + gone :]
    return message


@settings(max_examples=600, deadline=None)
@given(st.data(), source_lists, st.sampled_from(("1", "+44", "", "x", "12345")))
def test_a_changed_message_has_the_same_numbers(
    data: st.DataObject, sources: list[NumberSource], default_cc: str
) -> None:
    same_numbers(changed(data), sources, default_cc)


USER_PIECES = re.findall(
    r"[^|]+",
    "+|1|555|0100|-|.|(|)|*|#|%2B|%31|%FF|x|;phone-context=+44|;ext=1|;phone-context|911|=",
)


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from(("sip:", "sips:", "tel:")),
    st.lists(st.sampled_from(USER_PIECES), max_size=8).map("".join),
    st.sampled_from(("", "@h", "@h;user=phone", ";phone-context=+49", "@h;user=pho%6Ee;user=x")),
    policies,
    st.lists(steps, max_size=3),
)
@example("sip:", "1" * 256, "@h", NumberPolicy(), [PostStep("extract_substring", range=(-9, 999))])
@example("sip:", "1" * 257, "@h", NumberPolicy(), [])
def test_a_uri_is_the_same_number(
    scheme: str, user: str, rest: str, policy: NumberPolicy, post: list[PostStep]
) -> None:
    data = INVITE.replace(b"<tel:585-555-1234;phone-context=%2b1>", b"<%s>")
    source = NumberSource("hdr.to", policy, tuple(post))
    same_numbers(data.replace(b"%s", f"{scheme}{user}{rest}".encode()), [source], "1")


@settings(max_examples=600, deadline=None)
@given(st.data(), st.sampled_from(SOURCE_ADDRESSES), st.sampled_from((None, b"", b"tag")))
def test_a_changed_message_gets_the_same_answer(
    data: st.DataObject, host: str, tag: bytes | None
) -> None:
    same_answer(changed(data), host, tag)


def test_every_truncation_and_a_long_message_get_the_same_answer() -> None:
    for end in range(len(INVITE) + 1):
        same_answer(INVITE[:end], "192.0.2.7", b"tag")
    for many in (b",SIP/2.0/UDP h" * 4_000, b";a" * 25_000, b"\r\n a" * 12_000):
        same_answer(INVITE.replace(b";rport", b";rport" + many), "192.0.2.7", b"tag")


def test_a_message_of_the_plain_parser_is_read_too() -> None:
    plain, compiled = sip_reference.parse(INVITE), sip.parse(INVITE)
    sources = [NumberSource("hdr.diversion", NumberPolicy(heuristic_digits=LONGEST))]
    assert extract.extract(plain, sources, "1").number == "+15550102"
    assert extract.is_anonymous(plain) is False
    assert answer.to_tag(b"key", plain) == answer.to_tag(b"key", compiled)


def test_the_hash_is_siphash() -> None:
    """The first and the last of the values published with the algorithm for 64 bits."""
    key = bytes(range(16))
    assert answer_reference.siphash(key, b"") == 0x726FDB47DD0E0E31
    assert answer_reference.siphash(key, bytes(range(15))) == 0xA129CA6149BE45E5
    assert len(tag_key(b"k")) == 16
