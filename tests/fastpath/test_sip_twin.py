"""The compiled SIP parser and its plain twin answer the same for every input."""

import os
import re
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from callscreen.fastpath import sip, sip_reference, uri
from callscreen.fastpath.answer import response, to_tag
from callscreen.fastpath.extract import NumberPolicy, NumberSource, extract, is_anonymous
from callscreen.fastpath.sip_types import MAX_HEADERS, MAX_MESSAGE, Malformed, Request

_BESIDE = Path(__file__).parents[2].parent / "shared" / "vectors"
_FOLDER = Path(os.environ.get("CALLSCREEN_VECTORS") or _BESIDE) / "rfc4475"
TORTURE = [path.read_bytes() for path in sorted(_FOLDER.glob("*.dat"))]  # none: fewer seeds

INVITE = (
    b"INVITE sip:+15855551234@edge.example.net:5070;user=phone SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK74bf9;rport;ttl=16;maddr=[2001:db8::1], "
    b"SIP / 2.0 / TCP [2001:db8::9]:5060;branch=z9hG4bK2d4790.1\r\n"
    b"v: SIP/2.0/TLS client.example.com;received=192.0.2.201;branch=z9hG4bKkjshdyff\r\n"
    b"Max-Forwards: 070\r\n"
    b'From: "Anna \\"A\\" Bell"\r\n '
    b"<sip:+13155550100;phone-context=+1:pw@example.com>;tag=9fxced\r\n"
    b"t: <tel:585-555-1234;phone-context=+1>\r\n"
    b"Call-ID: 3848276298220188511@client.example.com\r\n"
    b"CSeq: 1 INVITE\r\n"
    b'Contact: "A, B" <sip:anna@client.example.com?a=b>;q=0.5, sip:bell@example.com\r\n'
    b"P-Asserted-Identity: <sip:3155550100@example.com>, <tel:+13155550100>\r\n"
    b"Privacy: id\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: 5\r\n"
    b"\r\n"
    b"v=0\r\n"
)
PLAIN = (
    b"OPTIONS sips:edge.example.net SIP/2.0\r\nVia: SIP/2.0/UDP h;rport=5060\r\n"
    b"f: sip:a@b ; tag=1\r\n"
    b"to: x y <http://z>\r\ni: 1@2\r\ncseq: 7\r\n OPTIONS\r\n\r\n"
)
PIECES = [
    *(bytes([octet]) for octet in b'\r\n\t \0;,:=<>"\\@?%[]/.+-#*1aZ\x7f\xff'),
    *(b"\r\n\r\n", b"\r\n ", b";;", b"sip:", b"tel:", b"SIP/2.0", b";tag=1", b";rport=70000"),
    *(b"ACK", b"99999999999", b"[::1]", b"%41", b"%4", b"\r\nVia: SIP/2.0/UDP h", b"\r\nl: 3"),
    *(b"\r\nTo: <sip:a@b>", b"\r\nMax-Forwards: 256", b";ttl=256", b";maddr=1.2.3.4.5", b"\\\r\n "),
    *(b"\r\nbad header: x", b"\r\n: x", b"\r\nm: sip:a?b", b";branch=x", b";received", b"1.2.3"),
]


def facts(parser: Any, data: bytes) -> tuple[Any, ...]:
    """All that a parse shows, refused or not."""
    try:
        return shown(parser.parse(data))
    except Malformed as refused:
        verdict = (refused.fault, refused.status, refused.reason, refused.kind)
        return verdict if refused.message is None else (*verdict, *shown(refused.message))


def shown(message: Request) -> tuple[Any, ...]:
    return (
        message.method,
        message.uri,
        message.top_via,
        message.via,
        message.from_,
        message.to,
        message.call_id,
        message.cseq,
        message.max_forwards,
        message.content_length,
        message.body,
        message.contacts,
        message.require,
        message.headers,
        message.first(b"P-Asserted-Identity"),
        message.all(b"F"),
    )


def same(data: bytes) -> tuple[Any, ...]:
    compiled = facts(sip, data)
    assert compiled == facts(sip_reference, data)
    return compiled


SOURCES = [
    NumberSource(source, NumberPolicy("+1", True, "longest-digit-substring"))
    for source in (
        *("hdr.history_info", "hdr.diversion", "hdr.p_asserted_identity"),
        *("hdr.from", "hdr.to", "request_uri"),
    )
]


def is_answered_cleanly(data: bytes) -> None:
    """What was read, whole or in part, can be searched for numbers and answered in sound lines."""
    try:
        message: Request | None = sip.parse(data)
    except Malformed as refused:
        message = refused.message
    if message is None:
        return
    assert is_anonymous(message) in (True, False)
    number = extract(message, SOURCES, "1").number
    assert number is None or re.fullmatch(r"\+[0-9]{1,15}|[0-9]{1,3}", number)
    tag = to_tag(b"key", message)
    answer = response(message, 400, "Bad Request", [], tag, ("192.0.2.9", 5060))
    assert answer.startswith(b"SIP/2.0 400 Bad Request\r\nVia: ")
    head, end, body = answer.partition(b"\r\n\r\n")
    assert (end, body) == (b"\r\n\r\n", b"")
    for line in head.split(b"\r\n")[1:]:
        assert re.match(rb"(Via|From|To|Call-ID|CSeq|Content-Length): ?[^\r\n]*\Z", line)


def test_the_torture_messages_are_answered_cleanly() -> None:
    for message in (INVITE, PLAIN, *TORTURE):
        is_answered_cleanly(message)


def test_every_truncation_ends_the_same_and_none_is_taken_for_whole() -> None:
    for whole in (INVITE, PLAIN, *TORTURE[::5]):
        end = whole.find(b"\r\n\r\n")
        for length in range(len(whole)):
            refused = isinstance(same(whole[:length])[0], int)
            assert refused or length > end + 3


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_a_changed_message_ends_the_same(data: st.DataObject) -> None:
    message = data.draw(st.sampled_from([INVITE, INVITE, PLAIN, *TORTURE]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(message)))
        gone = data.draw(st.integers(0, 4))
        piece = data.draw(st.sampled_from(PIECES) | st.binary(max_size=3))
        message = message[:at] + piece + message[at + gone :]
    same(message)
    is_answered_cleanly(message)


@settings(max_examples=250, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_random_octets_end_the_same(noise: bytes, after_a_start: bool) -> None:
    same((b"INVITE sip:a@b SIP/2.0\r\n" if after_a_start else b"") + noise)


@settings(max_examples=250, deadline=None)
@given(st.lists(st.sampled_from(INVITE.split(b"\r\n")[1:13]), max_size=18))
def test_headers_left_out_and_repeated_end_the_same(lines: list[bytes]) -> None:
    same(b"\r\n".join([INVITE.split(b"\r\n")[0], *lines, b"", b"v=0\r\n"]))


def checked(read: Any, text: bytes) -> Any:
    try:
        return read(text)
    except ValueError:
        return "refused"


URI_PIECES = re.findall(
    rb"[^|]+",
    b"sip:|sips:|tel:|http:|a|1|+1|@|:|;|?|=|&|%41|%|%4|[::1]|[1.2]|1.2.3.4|256.1.1.1|01.2.3.4|x.y|"
    b"x..y|-x|x-|.|_|#|/|<|>| |,|user=phone|h=v|:5060|:0|:65536|:65535|(|)|-|*|\xff|\0|!|$|~",
)


@settings(max_examples=900, deadline=None)
@given(st.lists(st.sampled_from(URI_PIECES), max_size=9).map(b"".join))
@example(b"sip:a@" + b"x" * 255)
@example(b"sip:a@" + b"x" * 256)
@example(b"sip:a@[" + b"1" * 70 + b"]")
def test_a_uri_is_judged_the_same(text: bytes) -> None:
    assert checked(sip.check_uri, text) == checked(uri.check_uri, text)
    assert checked(sip.parse_uri, text) == checked(uri.parse_uri, text)


@settings(max_examples=700, deadline=None)
@given(st.lists(st.sampled_from([b"<", b">", b"sip:a@b", b"?", *PIECES]), max_size=9).map(b"".join))
def test_an_address_is_read_the_same(text: bytes) -> None:
    text = text.replace(b"\r", b"").replace(b"\n", b"")  # a value is unfolded first
    assert checked(sip.parse_name_addr, text) == checked(uri.parse_name_addr, text)


def test_floods_end_the_same_and_soon() -> None:
    head = INVITE[: INVITE.index(b"\r\n\r\n")]
    for flood in (
        head + b"\r\nX: y" * MAX_HEADERS + b"\r\n\r\n",
        head + b"\r\nX:y" * 10_000 + b"\r\n\r\n",
        head + b"\r\nX: y\r\n " + b" " * 60_000 + b"\r\n\r\n",
        head + b"\r\nX: " + b"\r\n \t" * 12_000 + b"\r\n\r\n",
        head + b"\r\nContact: " + b'"<' * 30_000 + b"\r\n\r\n",
        head + b"\r\nContact: " + b"," * 60_000 + b"\r\n\r\n",
        head + b"\r\nVia: " + b'\\",' * 20_000 + b"\r\n\r\n",
        head.replace(b";ttl=16", b";a" * 30_000) + b"\r\n\r\n",
        head.replace(b"CSeq: 1", b"CSeq: " + b"1" * 60_000) + b"\r\n\r\n",
        head.replace(b"z9hG4bK74bf9", b'"' + b"\\" * 60_000) + b"\r\n\r\n",
        b"\r\n" * (MAX_MESSAGE // 2),
        b"\r\n" * 30_000 + PLAIN,
        (INVITE + b"x" * MAX_MESSAGE)[:MAX_MESSAGE],
        (INVITE + b"x" * MAX_MESSAGE)[: MAX_MESSAGE + 1],
        b"\0" * MAX_MESSAGE,
    ):
        same(flood)
