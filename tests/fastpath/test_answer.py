"""What a stateless server answers, and where to."""

from types import ModuleType

import pytest

from callscreen.fastpath import answer as compiled
from callscreen.fastpath import answer_reference as plain
from callscreen.fastpath import sip
from callscreen.fastpath.sip_types import Malformed, Request

SOURCE = ("192.0.2.7", 40_000)
KEY = b"k" * 32


@pytest.fixture(params=[compiled, plain], ids=["compiled", "plain"])
def twin(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


def invite(via: bytes = b"SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK1", **changed: bytes) -> Request:
    fields = {
        b"Via": via + b", SIP/2.0/TCP second;branch=z9hG4bK2",
        b"v": b"SIP/2.0/UDP third",
        b"From": b"Anna <sip:anna@example.com>;tag=9fxced",
        b"To": b"sip:bob@example.net",
        b"Call-ID": b"1@2",
        b"CSeq": b"7 INVITE",
        b"Record-Route": b"<sip:p;lr>",
    }
    fields |= {name.replace("_", "-").encode(): value for name, value in changed.items()}
    lines = [name + b": " + value for name, value in fields.items()]
    return sip.parse(b"\r\n".join([b"INVITE sip:bob@h SIP/2.0", *lines, b"", b""]))


def lines(
    twin: ModuleType,
    message: Request,
    source: tuple[str, int] = SOURCE,
    tag: bytes | None = b"t",
) -> list[bytes]:
    headers = [(b"Contact", b"<sip:x@y>")]
    answer: bytes = twin.response(message, 302, "Moved", headers, tag, source)
    return answer.split(b"\r\n")


def test_an_answer_copies_what_rfc_3261_wants_in_order(twin: ModuleType) -> None:
    assert lines(twin, invite()) == [
        b"SIP/2.0 302 Moved",
        b"Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK1",
        b"Via: SIP/2.0/TCP second;branch=z9hG4bK2",
        b"Via: SIP/2.0/UDP third",
        b"From: Anna <sip:anna@example.com>;tag=9fxced",
        b"To: sip:bob@example.net;tag=t",
        b"Call-ID: 1@2",
        b"CSeq: 7 INVITE",
        b"Contact: <sip:x@y>",
        b"Content-Length: 0",
        b"",
        b"",
    ]


def test_a_tag_that_is_there_stays(twin: ModuleType) -> None:
    assert b"To: <sip:b@c>;tag=old" in lines(twin, invite(To=b"<sip:b@c>;tag=old"))
    assert b"To: sip:bob@example.net" in lines(twin, invite(), tag=None)


@pytest.mark.parametrize(
    ("via", "source", "answered"),
    [
        (b"192.0.2.7;branch=b", SOURCE[0], b"192.0.2.7;branch=b"),
        (b"192.0.2.8;branch=b", SOURCE[0], b"192.0.2.8;branch=b;received=192.0.2.7"),
        (b"host;branch=b", SOURCE[0], b"host;branch=b;received=192.0.2.7"),
        (b"192.0.2.7;rport;x=y", SOURCE[0], b"192.0.2.7;x=y;received=192.0.2.7;rport=40000"),
        (b"h ; rport=9 ; a", SOURCE[0], b"h ; a;received=192.0.2.7;rport=40000"),
        (b"192.0.2.7;received=10.9.9.9;a", SOURCE[0], b"192.0.2.7;a;received=192.0.2.7"),
        (b'192.0.2.7;a="x;rport;y";rport', SOURCE[0], None),
        (b"[2001:db8:0::1];a", "2001:db8::1", b"[2001:db8:0::1];a"),
        (b"[::1];a", "2001:db8::1", b"[::1];a;received=2001:db8::1"),
        (b"192.0.2.7;a", "::ffff:192.0.2.7", b"192.0.2.7;a"),
        (b"h;a", "fe80::1%eth0", b"h;a;received=fe80::1"),
    ],
)
def test_the_topmost_via_says_where_the_packet_came_from(
    twin: ModuleType, via: bytes, source: str, answered: bytes | None
) -> None:
    top = lines(twin, invite(b"SIP/2.0/UDP " + via), (source, 40_000))[1].strip()
    if answered is None:
        answered = b'192.0.2.7;a="x;rport;y";received=192.0.2.7;rport=40000'
    assert top == b"Via: SIP/2.0/UDP " + answered.strip()


def test_an_answer_goes_to_the_source_and_never_to_a_name_in_the_message(twin: ModuleType) -> None:
    assert twin.destination(invite(), SOURCE) == ("192.0.2.7", 5062)
    for via, port in (
        (b"SIP/2.0/UDP other", 5060),
        (b"SIP/2.0/UDP other:5062;maddr=198.51.100.1", 5062),
        (b"SIP/2.0/UDP other:5062;rport", SOURCE[1]),
        (b"SIP/2.0/UDP other:5062;rport=9;received=198.51.100.1", SOURCE[1]),
    ):
        assert twin.destination(invite(via), SOURCE) == (SOURCE[0], port)


def test_a_message_refused_is_answered_with_what_it_has(twin: ModuleType) -> None:
    with pytest.raises(Malformed) as caught:
        sip.parse(
            b"INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;;\r\nCSeq: 1 INVITE\r\nTo: <x\r\n\r\n"
        )
    refused = caught.value
    assert refused.message is not None
    tag = twin.to_tag(KEY, refused.message)
    answer = twin.response(refused.message, refused.status, refused.reason, [], tag, SOURCE)
    assert answer == (
        b"SIP/2.0 400 Missing From\r\nVia: SIP/2.0/UDP h;received=192.0.2.7\r\n"
        b"To: <x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
    )
    assert twin.destination(refused.message, SOURCE) == ("192.0.2.7", 5060)


def test_no_line_can_be_smuggled_into_an_answer(twin: ModuleType) -> None:
    for headers in ([(b"Contact", b"a\r\nVia: b")], [(b"X\n", b"a")], [(b"X", b"a\0")]):
        with pytest.raises(ValueError, match="control octet"):
            twin.response(invite(), 302, "Moved", headers, b"t", SOURCE)
    with pytest.raises(ValueError, match="control octet"):
        twin.response(invite(), 302, "Moved\r\n", [], b"t", SOURCE)
    with pytest.raises(ValueError, match="not a SIP status"):
        twin.response(invite(), 99, "Early", [], b"t", SOURCE)


def test_a_retransmission_gets_the_same_tag_and_another_call_another(twin: ModuleType) -> None:
    tag = twin.to_tag(KEY, invite())
    assert tag == twin.to_tag(KEY, invite())
    assert len(tag) == 16
    others = {
        twin.to_tag(b"other" + KEY, invite()),
        twin.to_tag(KEY, invite(Call_ID=b"1@3")),
        twin.to_tag(KEY, invite(CSeq=b"8 INVITE")),
        twin.to_tag(KEY, invite(From=b"<sip:anna@example.com>;tag=x")),
        twin.to_tag(KEY, invite(b"SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK9")),
    }
    assert len(others | {tag}) == 6


def test_an_answer_does_not_grow_what_a_stranger_sent(twin: ModuleType) -> None:
    message = invite(Subject=b"x" * 50)
    assert (
        len(twin.response(message, 400, "Bad Request", [], b"t" * 16, SOURCE))
        < len(message.data) + 50
    )
