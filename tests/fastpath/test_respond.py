"""What a stateless UAS that redirects owes to each datagram (RFC 3261 sections 8.2 and 18.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ..edge.messages import BRANCH, request
from ..edge.objects import CALLED, number
from .responding import KINDS, NOW, SECOND, SOURCE, Bench

ALLOW = "INVITE, ACK, CANCEL, OPTIONS"
MOVED = f"<sip:{CALLED}@192.0.2.9:5070>"


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(request.param)


def decided(bench: Bench) -> int:
    """How many calls were decided."""
    return sum(bench.counts.calls.values())


def test_an_invite_is_decided_answered_and_recorded(bench: Bench) -> None:
    given = bench.give(request())
    answer = given.read
    assert (answer.status, answer.reason, given.contact) == (302, "Moved Temporarily", MOVED)
    assert given.destination == SOURCE
    assert given.made.source_ip == "192.0.2.9"
    assert answer.one("Via") == "SIP/2.0/UDP 192.0.2.9:5070;branch=" + BRANCH
    assert answer.one("From") == "<sip:+15557654321@carrier.example>;tag=abc"
    assert answer.one("Call-ID") == "call-1@carrier.example"
    assert answer.one("CSeq") == "1 INVITE"
    assert answer.one("Content-Length") == "0"
    assert answer.one("To").startswith("<sip:+15551230001@edge.example>;tag=")


def test_an_answer_goes_to_the_source_and_says_so(bench: Bench) -> None:
    via = "SIP/2.0/UDP phone.example;rport;branch=" + BRANCH
    given = bench.give(request(via=via), source=("198.51.100.3", 49152))
    assert given.destination == ("198.51.100.3", 49152)
    assert "received=198.51.100.3" in given.read.one("Via")
    assert "rport=49152" in given.read.one("Via")
    # Without rport: the port of the Via, else 5060 (RFC 3261 section 18.2.2).
    for text, port in (("phone.example:5081", 5081), ("phone.example", 5060)):
        via = f"SIP/2.0/UDP {text};maddr=203.0.113.1;branch=z9hG4bK-2"
        given = bench.give(request(via=via), source=("198.51.100.3", 49152))
        assert given.destination == ("198.51.100.3", port), "never to a maddr"


def test_a_retransmission_gets_the_very_same_answer_and_makes_no_record(bench: Bench) -> None:
    first = bench.give(request())
    again = bench.give(request(), NOW + 31 * SECOND)
    assert again.answer == first.answer
    assert (first.record is None, again.record is None) == (False, True)
    counts = bench.counts
    assert (decided(bench), counts.retransmitted, counts.records_made) == (1, 1, 1)
    assert counts.answered == {302: 2}


def test_a_retransmission_after_a_change_has_the_same_tag_and_no_record(bench: Bench) -> None:
    first = bench.give(request())
    bench.change(number(whitelist=[], blacklist=[]))
    again = bench.give(request(), NOW + SECOND)
    assert (first.status, again.status) == (302, 603)
    assert again.read.one("To") == first.read.one("To")
    assert again.record is None


def test_what_differs_in_what_names_it_is_another_call(bench: Bench) -> None:
    calls = [
        request(),
        request(call_id="call-2@carrier.example"),
        request(cseq="2 INVITE"),
        request(caller="<sip:+15557654321@carrier.example>;tag=other"),
        request(via="SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK-2"),
    ]
    tags = {bench.ask(call).one("To") for call in calls}
    assert (decided(bench), len(tags)) == (len(calls), len(calls))


@pytest.mark.parametrize("kind", KINDS)
def test_the_to_tag_needs_no_memory_and_cannot_be_guessed(kind: str) -> None:
    first, other = Bench(kind).ask(request()), Bench(kind).ask(request())
    assert first.one("To") == other.one("To")
    assert Bench(kind, secret=b"another").ask(request()).one("To") != first.one("To")


def test_a_transaction_is_forgotten_after_32_seconds(bench: Bench) -> None:
    bench.give(request())
    assert bench.give(request(), NOW + 33 * SECOND).record is not None


def test_a_clock_set_back_forgets_nothing_forever(bench: Bench) -> None:
    bench.give(request())
    assert bench.give(request(), NOW - 500 * SECOND).record is not None
    assert bench.give(request(), NOW - 499 * SECOND).record is None


def test_an_ack_is_swallowed(bench: Bench) -> None:
    bench.give(request())
    to = "<sip:+15551230001@edge.example>;tag=whatever"
    for ack in (request("ACK", to=to), request("ACK", "Require: 100rel", cseq="9 ACK")):
        given = bench.give(ack)
        assert (given.answer, given.dropped) == (None, None)
    assert bench.counts.acknowledged == 2


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_an_ack_is_known_by_its_first_line(bench: Bench, line_end: bytes) -> None:
    first = b"ACK sip:+15551230001@edge.example SIP/2.0"
    for rest in (line_end, line_end + b"CSeq: x", line_end + b"\0" * 1000):
        given = bench.give(first + rest)
        assert (given.answer, given.dropped) == (None, None)
    assert bench.counts.acknowledged == 3


@pytest.mark.parametrize(
    "data",
    [
        b"ACK sip:+15551230001@edge.example SIP/2.0",
        b"ACK sip:+15551230001@edge.example SIP/3.0\r\n\r\n",
        b"ACK sip:a@b SIP/2.0\r\r\n\r\n",
        b"ACK  SIP/2.0\r\n\r\n",
        b"ACK\tsip:a@b SIP/2.0\r\n\r\n",
        b"ACK sip:a@bSIP/2.0\r\n\r\n",
        b"ACK \nsip:a@b SIP/2.0\r\n\r\n",
    ],
)
def test_another_first_line_of_an_ack_is_dropped(bench: Bench, data: bytes) -> None:
    given = bench.give(data)
    assert given.answer is None
    assert given.dropped
    assert bench.counts.acknowledged == 0


def test_a_cancel_of_an_answered_invite_gets_200_and_changes_nothing(bench: Bench) -> None:
    invite = bench.ask(request())
    cancel = bench.ask(request("CANCEL"))
    assert cancel.status == 200
    assert cancel.one("To") == invite.one("To"), "RFC 3261 section 9.2"
    assert cancel.one("CSeq") == "1 CANCEL"
    assert bench.ask(request()) == invite
    assert decided(bench) == 1


def test_a_cancel_of_nothing_gets_481(bench: Bench) -> None:
    assert bench.ask(request("CANCEL")).status == 481
    bench.give(request())
    assert bench.ask(request("CANCEL"), NOW + 40 * SECOND).status == 481
    assert bench.ask(request("CANCEL", cseq="2 CANCEL")).status == 481


def test_options_says_what_is_served(bench: Bench) -> None:
    answer = bench.ask(request("OPTIONS"))
    assert (answer.status, answer.reason) == (200, "OK")
    assert answer.one("Allow") == ALLOW
    assert answer.one("Accept") == "application/sdp"
    assert answer.one("Supported") == ""
    assert decided(bench) == 0


def test_before_the_first_snapshot_a_call_is_asked_to_come_again(bench: Bench) -> None:
    bench.ready = False
    for method in ("INVITE", "OPTIONS"):
        answer = bench.ask(request(method))
        assert (answer.status, answer.one("Retry-After")) == (503, "2")
    bench.ready = True
    assert bench.ask(request(call_id="next")).status == 302


@pytest.mark.parametrize("method", ["BYE", "INFO", "UPDATE", "PRACK", "NOTIFY"])
def test_what_lives_in_a_dialog_finds_none(bench: Bench, method: str) -> None:
    answer = bench.ask(request(method))
    assert (answer.status, answer.reason) == (481, "Call/Transaction Does Not Exist")


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_a_request_within_a_dialog_finds_none(bench: Bench, method: str) -> None:
    to = "<sip:+15551230001@edge.example>;tag=theirs"
    answer = bench.ask(request(method, to=to))
    assert (answer.status, answer.one("To")) == (481, to)
    assert decided(bench) == 0


@pytest.mark.parametrize("method", ["REGISTER", "SUBSCRIBE", "PUBLISH", "MESSAGE", "REFER"])
def test_what_is_not_served_gets_405_with_allow(bench: Bench, method: str) -> None:
    answer = bench.ask(request(method))
    assert (answer.status, answer.one("Allow")) == (405, ALLOW)


@pytest.mark.parametrize("method", ["NEWMETHOD", "invite", "x!%*_+`'~"])
def test_an_unknown_method_gets_501(bench: Bench, method: str) -> None:
    answer = bench.ask(request(method))
    assert (answer.status, answer.one("Allow")) == (501, ALLOW)


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "BYE"])
def test_an_extension_that_is_required_is_refused(bench: Bench, method: str) -> None:
    answer = bench.ask(request(method, "Require: 100rel, timer", "Require: nothing"))
    assert (answer.status, answer.reason) == (420, "Bad Extension")
    assert answer.one("Unsupported") == "100rel, timer, nothing"
    assert decided(bench) == 0


def test_an_odd_extension_is_named_as_it_came_or_refused_as_malformed(bench: Bench) -> None:
    for odd in ("a\tb", "a\r\n b", '"a, b"', ",,a,,", "a\x7f", "<a>", ""):
        result = bench.give(request("INVITE", f"Require: {odd}", call_id=f"{odd!r}".encode().hex()))
        assert result.status in (420, 400, 302), odd


def test_require_does_not_count_in_a_cancel(bench: Bench) -> None:
    bench.give(request())
    assert bench.ask(request("CANCEL", "Require: 100rel")).status == 200


def test_an_extension_asked_of_proxies_or_only_offered_is_none_of_ours(bench: Bench) -> None:
    call = request("INVITE", "Proxy-Require: sec-agree", "Supported: 100rel, timer")
    assert bench.ask(call).status == 302


def test_a_body_is_not_read(bench: Bench) -> None:
    call = request("INVITE", "Content-Type: application/unknown", body=b"\x00\xff" * 100)
    assert bench.ask(call).status == 302


def test_a_call_at_the_end_of_its_hops_is_answered(bench: Bench) -> None:
    call = request().replace(b"Max-Forwards: 70", b"Max-Forwards: 0")
    assert bench.ask(call).status == 302


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ((b"SIP/2.0\r\n", b"SIP/7.0\r\n"), 505),
        ((b"sip:+15551230001@edge.example:5060 SIP", b"nobody:x SIP"), 416),
        ((b"INVITE sip:", b"INVITE <sip:"), 400),
        ((b"CSeq: 1 INVITE\r\n", b""), 400),
        ((b"CSeq: 1 INVITE", b"CSeq: 1 OPTIONS"), 400),
        ((b"CSeq: 1 INVITE", b"CSeq: 99999999999 INVITE"), 400),
        ((b"Content-Length: 0", b"Content-Length: -1"), 400),
        ((b"Content-Length: 0", b"Content-Length: 9999"), 400),
        ((b"Call-ID: ", b"Call-ID: a\r\nCall-ID: "), 400),
        ((b"Max-Forwards: 70", b"Max-Forwards: 7000"), 400),
    ],
)
def test_what_is_malformed_is_refused(
    bench: Bench, change: tuple[bytes, bytes], status: int
) -> None:
    assert bench.ask(request().replace(*change, 1)).status == status
    assert decided(bench) == 0
    assert bench.ask(request()).status == 302, "and the next call is answered"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "keepalive"),
        (b"\r\n\r\n", "keepalive"),
        (b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=b\r\n\r\n", "response"),
        (b"a" * (64 * 1024 + 1), "too_large"),
    ],
)
def test_what_cannot_be_answered_is_dropped_by_kind(bench: Bench, data: bytes, kind: str) -> None:
    given = bench.give(data)
    assert (given.answer, given.record, given.dropped) == (None, None, kind)
    assert bench.counts.dropped == {kind: 1}


def test_at_most_200_headers_are_read(bench: Bench) -> None:
    few = ["X-Many: 1"] * (200 - 7 - 1)
    assert bench.ask(request("INVITE", *few)).status == 302
    assert bench.ask(request("INVITE", *few, *["X-Many: 1"] * 2)).status == 400


def check(bench: Bench, data: bytes) -> None:
    """Whatever came, at most one answer, to its source, from one line to the end of a header."""
    given = bench.give(data)
    if given.answer is None:
        return
    assert given.destination is not None
    assert given.destination[0] == SOURCE[0]
    assert given.answer.startswith(b"SIP/2.0 ")
    assert given.answer.endswith(b"\r\n\r\n")
    assert given.dropped is None


@given(st.binary(max_size=200))
def test_random_octets_never_raise(data: bytes) -> None:
    check(Bench("compiled"), data)


@given(st.data())
def test_a_damaged_request_never_raises(data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(["INVITE", "ACK", "CANCEL", "OPTIONS", "BYE", "NEW"]))
    whole = bytearray(request(method, "Require: a", "X-Odd: \x7f", body=b"body"))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(whole)))
        end = data.draw(st.integers(start, min(len(whole), start + 20)))
        whole[start:end] = data.draw(st.binary(max_size=10))
    check(Bench("compiled"), bytes(whole))


def test_a_request_cut_anywhere_never_raises(bench: Bench) -> None:
    whole = request()
    for end in range(len(whole)):
        check(bench, whole[:end])
    assert bench.ask(whole).status == 302


def test_nobody_is_sent_much_more_than_was_sent_in_his_name(bench: Bench) -> None:
    """A short request that asks for a long answer, by Via elements of one octet, gets none."""
    vias = "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK-1" + ",x" * 5000
    given = bench.give(request(via=vias))
    assert (given.answer, given.dropped) == (None, "answer_too_large")
    assert not bench.counts.answered
    for method in ("INVITE", "OPTIONS", "CANCEL", "REGISTER", "PUBLISH", "FOO", "BYE"):
        data = request(method, "Require: 100rel", via="SIP/2.0/UDP h;branch=z9hG4bK-1" + ", x" * 9)
        given = bench.give(data)
        assert given.answer is not None
        assert len(given.answer) <= len(data) + 1024


def test_over_a_stream_nobody_else_can_be_hit_and_a_long_answer_is_given(bench: Bench) -> None:
    vias = "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK-1" + ",x" * 5000
    assert bench.give(request(via=vias), transport="tcp").status == 302


def test_over_its_rate_a_peer_is_asked_to_come_again(bench: Bench) -> None:
    for method in ("INVITE", "OPTIONS", "CANCEL", "REGISTER"):
        given = bench.give(request(method), over_rate=True)
        assert (given.status, given.read.one("Retry-After"), given.record) == (503, "2", None)
    assert bench.give(request("ACK"), over_rate=True).answer is None
    assert (bench.counts.limited, decided(bench)) == (4, 0)


def test_what_configures_a_responder_is_checked() -> None:
    for wrong in ({"secret": b""}, {"seed": b"short"}, {"product": 3}):
        with pytest.raises(ValueError, match=r"octets|product"):
            Bench("compiled", **wrong)
