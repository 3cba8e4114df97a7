"""What the SIP parser promises, on the compiled parser and on its plain twin."""

from types import ModuleType

import pytest

from callscreen.fastpath import sip, sip_reference
from callscreen.fastpath.sip_types import (
    FAULTS,
    MAX_HEADERS,
    MAX_MESSAGE,
    Fault,
    Malformed,
    Request,
    split_list,
)

START = b"INVITE sip:+15855551234@edge.example.net SIP/2.0"
FIELDS = {
    b"Via": b"SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK74bf9;rport",
    b"From": b'"Anna" <sip:+13155550100@example.com>;tag=9fxced',
    b"To": b"<sip:+15855551234@example.net>",
    b"Call-ID": b"3848276298220188511@example.com",
    b"CSeq": b"314159 INVITE",
    b"Max-Forwards": b"70",
    b"Contact": b"<sip:anna@192.0.2.7>",
    b"Content-Length": b"4",
}


@pytest.fixture(params=[sip, sip_reference], ids=["compiled", "plain"])
def parser(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


def message(*extra: bytes, start: bytes = START, **changed: bytes | None) -> bytes:
    """A sound INVITE with fields changed (call_id=...), left out (None) and added."""
    fields = {**FIELDS, **{k.replace("_", "-").encode(): v for k, v in changed.items()}}
    fields = {name.lower(): value for name, value in fields.items()}
    lines = [name + b": " + value for name, value in fields.items() if value is not None]
    return b"\r\n".join([start, *lines, *extra, b"", b"v=0\n"])


def refusal(parser: ModuleType, data: bytes) -> Malformed:
    with pytest.raises(Malformed) as caught:
        parser.parse(data)
    return caught.value


def test_a_request_is_read(parser: ModuleType) -> None:
    request: Request = parser.parse(message())
    assert request.method == b"INVITE"
    assert request.uri == b"sip:+15855551234@edge.example.net"
    assert request.top_via == (
        *(b"UDP", b"192.0.2.7", 5062, b"z9hG4bK74bf9", True, None, None, None),
    )
    assert request.from_ == (b'"Anna"', b"sip:+13155550100@example.com", b"9fxced")
    assert request.to == (b"", b"sip:+15855551234@example.net", None)
    assert request.call_id == FIELDS[b"Call-ID"]
    assert request.cseq == (314159, b"INVITE")
    assert (request.max_forwards, request.content_length) == (70, 4)
    assert request.body == b"v=0\n"
    assert request.contacts == [b"<sip:anna@192.0.2.7>"]
    assert request.require == []
    assert request.first(b"Subject") is None
    assert request.headers[0] == (b"via", FIELDS[b"Via"])


def test_headers_are_found_in_any_case_and_compact(parser: ModuleType) -> None:
    request = parser.parse(message(b"k: 100rel, timer", b"SUPPORTED: path", b"s: a, b"))
    assert request.all(b"Supported") == request.all(b"K") == [b"100rel", b"timer", b"path"]
    assert request.all(b"subject") == [b"a, b"]
    assert request.first(b"m") == b"<sip:anna@192.0.2.7>"


def test_folded_lines_are_one_value(parser: ModuleType) -> None:
    request = parser.parse(message(b"Subject: one\r\n two \r\n\t three", CSeq=b"7\r\n INVITE"))
    assert request.first(b"subject") == b"one two three"
    assert request.cseq == (7, b"INVITE")


def test_lists_are_not_split_inside_quotes_and_brackets() -> None:
    value = b'"A, \\", B" <sip:a,b@c>;x=1 , <sip:d>,, "open, '
    assert split_list(value) == [b'"A, \\", B" <sip:a,b@c>;x=1', b"<sip:d>", b'"open,']


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", Fault.KEEPALIVE),
        (b"\r\n\r\n", Fault.KEEPALIVE),
        (b"x" * (MAX_MESSAGE + 1), Fault.TOO_LARGE),
        (b"SIP/2.0 200 OK\r\n\r\n", Fault.RESPONSE),
        (message().replace(b"\r\n", b"\n"), Fault.LINE_END),
        (message(b"X: a\rb"), Fault.LINE_END),
        (message(b"X: a\nVia: b"), Fault.LINE_END),
        (b"\0", Fault.TRUNCATED),
        (message(Via=None), Fault.NO_VIA),
        (message(Via=b"SIP/2.0/UDP"), Fault.VIA),
        (message(Via=b"SIP/2.0/UDP 192.0.2.256"), Fault.VIA),
        (message(Via=b"SIP/2.0/UDP h:65536"), Fault.VIA),
        (message(Via=b", SIP/2.0/UDP h"), Fault.VIA),
        (message(start=START.replace(b"INVITE", b"ACK"), To=None), Fault.NO_TO),
    ],
)
def test_what_cannot_be_answered_is_dropped(parser: ModuleType, data: bytes, fault: Fault) -> None:
    refused = refusal(parser, data)
    assert (refused.fault, refused.message) == (fault, None)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (message(start=b"INVITE"), Fault.START_LINE),
        (message(start=START + b" "), Fault.START_LINE),
        (message(start=START.replace(b" SIP", b"\tSIP")), Fault.START_LINE),
        (message(start=START.replace(b"INV", b"I(V")), Fault.START_LINE),
        (message(start=START.replace(b"2.0", b"3.0")), Fault.VERSION),
        (message(start=START.replace(b"sip:", b"")), Fault.REQUEST_URI),
        (message(start=START.replace(b"@", b"@@")), Fault.REQUEST_URI),
        (message(start=START.replace(b"net", b"net?Route=x")), Fault.REQUEST_URI),
        (message(start=START.replace(b"sip:", b"im:")), Fault.SCHEME),
        (message()[:-8], Fault.TRUNCATED),
        (message(*[b"X: y"] * MAX_HEADERS), Fault.TOO_MANY_HEADERS),
        (message(b"no colon"), Fault.HEADER),
        (message(b": no name"), Fault.HEADER),
        (message(start=START + b"\r\n folded: x"), Fault.HEADER),
        (message(From=None), Fault.NO_FROM),
        (message(Call_ID=None), Fault.NO_CALL_ID),
        (message(CSeq=None), Fault.NO_CSEQ),
        (message(b"t: <sip:a@b>"), Fault.TWO_TO),
        (message(b"cseq: 314159 INVITE"), Fault.TWO_CSEQ),
        (message(b"Max-Forwards: 70"), Fault.TWO_MAX_FORWARDS),
        (message(Via=b"SIP/3.0/UDP h"), Fault.VIA),
        (message(Via=b"SIP/2.0/UDP h;branch"), Fault.VIA),
        (message(Via=b"SIP/2.0/UDP h;rport=0"), Fault.VIA),
        (message(Via=b"SIP/2.0/UDP h;ttl=256"), Fault.VIA),
        (message(Via=b"SIP/2.0/UDP h;branch=a;branch=b"), Fault.VIA),
        (message(From=b""), Fault.FROM),
        (message(From=b'"Anna <sip:a@b>'), Fault.FROM),
        (message(From=b"<sip:a@b>;tag=1;tag=2"), Fault.FROM),
        (message(To=b"<sip:a@b"), Fault.TO),
        (message(To=b"sip:a@b?x=y"), Fault.TO),
        (message(To=b"sip:a@b, sip:c@d"), Fault.TO),
        (message(To=b"<sip:a@b:0>"), Fault.TO),
        (message(Call_ID=b"a b"), Fault.CALL_ID),
        (message(Call_ID=b"a@"), Fault.CALL_ID),
        (message(CSeq=b"2147483648 INVITE"), Fault.CSEQ),
        (message(CSeq=b"36893488147419103232 INVITE"), Fault.CSEQ),
        (message(CSeq=b"-1 INVITE"), Fault.CSEQ),
        (message(CSeq=b"1 invite"), Fault.CSEQ),
        (message(CSeq=b"1INVITE"), Fault.CSEQ),
        (message(Max_Forwards=b"256"), Fault.MAX_FORWARDS),
        (message(Max_Forwards=b"x"), Fault.MAX_FORWARDS),
        (message(Content_Length=b"5"), Fault.CONTENT_LENGTH),
        (message(Content_Length=b"-4"), Fault.CONTENT_LENGTH),
        (message(b"l: 3"), Fault.CONTENT_LENGTH),
        (message(Contact=b"sip:a@b?x=y"), Fault.CONTACT),
        (message(Contact=b'"a <sip:a@b>'), Fault.CONTACT),
    ],
)
def test_what_is_malformed_is_refused(parser: ModuleType, data: bytes, fault: Fault) -> None:
    refused = refusal(parser, data)
    assert refused.fault == fault
    assert (refused.status, refused.reason, refused.kind) == FAULTS[fault]
    assert refused.message is not None
    assert refused.message.top_via.host in (b"192.0.2.7", b"h")


def test_what_is_at_the_limit_is_taken(parser: ModuleType) -> None:
    many = [b"X: y"] * (MAX_HEADERS - len(FIELDS))
    request = parser.parse(message(*many, b"", CSeq=b"2147483647 INVITE", Max_Forwards=b"0"))
    assert len(request.headers) == MAX_HEADERS
    assert (request.cseq[0], request.max_forwards) == (2147483647, 0)
    whole = message(b"l: 0004", Content_Length=b"4")
    assert len(parser.parse(whole + b"x" * (MAX_MESSAGE - len(whole))).data) == MAX_MESSAGE


def test_a_body_without_a_length_is_what_is_there(parser: ModuleType) -> None:
    request = parser.parse(b"\r\n\r\n" + message(Content_Length=None))
    assert (request.content_length, request.body) == (None, b"v=0\n")
    assert parser.parse(message(Content_Length=b"1")).body == b"v"


def test_octets_that_decide_nothing_are_kept(parser: ModuleType) -> None:
    request = parser.parse(message(b"X: \0\xff\xfe\x7f", b"From-Nowhere: \xc3("))
    assert request.first(b"x") == b"\0\xff\xfe\x7f"


def test_a_fault_keeps_what_else_was_read(parser: ModuleType) -> None:
    refused = refusal(parser, message(From=b"<broken", Via=b"SIP/2.0/UDP h;rport;;"))
    assert refused.fault == Fault.VIA
    assert refused.message is not None
    assert refused.message.top_via == (b"UDP", b"h", None, None, False, None, None, None)
    assert refused.message.from_ == (b"", b"", None)
    assert refused.message.call_id == FIELDS[b"Call-ID"]
