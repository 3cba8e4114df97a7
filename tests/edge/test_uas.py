"""What a stateless UAS that redirects owes to each datagram (RFC 3261 sections 8.2 and 18.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.edge.metrics import Metrics
from callscreen.edge.recent import Recent
from callscreen.edge.treatments import Answer
from callscreen.edge.uas import Decided, Result, Uas
from callscreen.fastpath.sip_types import Request
from callscreen.v1 import screening_pb2

from .messages import BRANCH, Response, read, request

SOURCE = ("192.0.2.9", 5070)
NOW = 1_700_000_000.0
MOVED = Answer(302, "Moved Temporarily", ((b"Contact", b"<sip:x@y>"),))
ALLOW = "INVITE, ACK, CANCEL, OPTIONS"


class Bench:
    """A UAS whose decisions are counted, and what it answered."""

    def __init__(self, recent: Recent[Answer] | None = None) -> None:
        self.metrics = Metrics()
        self.decisions = 0
        self.ready = True
        self.answer = MOVED
        self.uas = Uas(self.decide, lambda: self.ready, b"secret", self.metrics, recent)

    def decide(
        self, message: Request, source_ip: str, now: float
    ) -> Decided[screening_pb2.CallRecord] | None:
        if not self.ready:
            return None
        self.decisions += 1
        record = screening_pb2.CallRecord(cdr_id=str(self.decisions), source_ip=source_ip)
        return Decided(self.answer, record)

    def give(
        self, data: bytes, now: float = NOW, source: tuple[str, int] = SOURCE
    ) -> Result[screening_pb2.CallRecord]:
        return self.uas.receive_datagram(data, source, now)

    def ask(self, data: bytes, now: float = NOW) -> Response:
        ((answer, _),) = self.give(data, now).sends
        return read(answer)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_invite_is_decided_answered_and_recorded(bench: Bench) -> None:
    result = bench.give(request())
    ((data, destination),) = result.sends
    answer = read(data)
    assert (answer.status, answer.one("Contact")) == (302, "<sip:x@y>")
    assert destination == SOURCE
    assert result.record is not None
    assert result.record.source_ip == "192.0.2.9"
    assert answer.one("Via") == "SIP/2.0/UDP 192.0.2.9:5070;branch=" + BRANCH
    assert answer.one("From") == "<sip:+15557654321@carrier.example>;tag=abc"
    assert answer.one("Call-ID") == "call-1@carrier.example"
    assert answer.one("CSeq") == "1 INVITE"
    assert answer.one("Content-Length") == "0"
    assert answer.one("To").startswith("<sip:+15551230001@edge.example>;tag=")


def test_an_answer_goes_to_the_source_and_says_so(bench: Bench) -> None:
    via = "SIP/2.0/UDP phone.example;rport;branch=" + BRANCH
    ((data, destination),) = bench.give(request(via=via), source=("198.51.100.3", 49152)).sends
    assert destination == ("198.51.100.3", 49152)
    assert "received=198.51.100.3" in read(data).one("Via")
    assert "rport=49152" in read(data).one("Via")
    # Without rport: the port of the Via, else 5060 (RFC 3261 section 18.2.2).
    for text, port in (("phone.example:5081", 5081), ("phone.example", 5060)):
        via = f"SIP/2.0/UDP {text};branch=z9hG4bK-2"
        ((_, destination),) = bench.give(request(via=via), source=("198.51.100.3", 49152)).sends
        assert destination == ("198.51.100.3", port)


def test_a_retransmission_gets_the_very_same_answer_and_makes_no_record(bench: Bench) -> None:
    first = bench.give(request())
    bench.answer = Answer(603, "Decline")  # the data changed between the two
    again = bench.give(request(), NOW + 31)
    assert again.sends == first.sends
    assert (first.record is None, again.record is None) == (False, True)
    assert (bench.decisions, bench.metrics.retransmitted) == (1, 1)


def test_what_differs_in_what_names_it_is_another_call(bench: Bench) -> None:
    calls = [
        request(),
        request(call_id="call-2@carrier.example"),
        request(cseq="2 INVITE"),
        request(caller="<sip:+15557654321@carrier.example>;tag=other"),
        request(via="SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK-2"),
    ]
    tags = {bench.ask(call).one("To") for call in calls}
    assert (bench.decisions, len(tags)) == (len(calls), len(calls))


def test_the_to_tag_needs_no_memory_and_cannot_be_guessed(bench: Bench) -> None:
    first, other = bench.ask(request()), Bench().ask(request())
    assert first.one("To") == other.one("To")
    stranger = Uas(bench.decide, lambda: True, b"another", Metrics())
    ((data, _),) = stranger.receive_datagram(request(), SOURCE, NOW).sends
    assert read(data).one("To") != first.one("To")


def test_a_transaction_is_forgotten_after_32_seconds(bench: Bench) -> None:
    bench.give(request())
    assert bench.give(request(), NOW + 33).record is not None


def test_the_memory_of_transactions_is_bounded() -> None:
    bench = Bench(Recent(limit=100))
    for number in range(300):
        bench.give(request(call_id=f"call-{number}"))
    assert bench.give(request(call_id="call-299")).record is None
    assert bench.give(request(call_id="call-200")).record is None
    assert bench.give(request(call_id="call-199")).record is not None


def test_a_clock_set_back_forgets_nothing_forever() -> None:
    recent: Recent[int] = Recent()
    recent.put(b"a", 1, 1000.0)
    assert recent.get(b"a", 500.0) is None
    recent.put(b"b", 2, 500.0)
    assert recent.get(b"b", 501.0) == 2
    assert len(recent) == 1


def test_an_ack_is_swallowed(bench: Bench) -> None:
    bench.give(request())
    to = "<sip:+15551230001@edge.example>;tag=whatever"
    assert bench.give(request("ACK", to=to)) == Result()
    assert bench.give(request("ACK", "Require: 100rel", cseq="9 ACK")) == Result()
    assert bench.metrics.acknowledged == 2


def test_a_malformed_ack_is_dropped(bench: Bench) -> None:
    result = bench.give(request("ACK").replace(b"CSeq: 1", b"CSeq: x"))
    assert result.sends == ()
    assert result.dropped == "cseq"


def test_a_cancel_of_an_answered_invite_gets_200_and_changes_nothing(bench: Bench) -> None:
    invite = bench.ask(request())
    cancel = bench.ask(request("CANCEL"))
    assert cancel.status == 200
    assert cancel.one("To") == invite.one("To"), "RFC 3261 section 9.2"
    assert cancel.one("CSeq") == "1 CANCEL"
    assert bench.ask(request()) == invite
    assert bench.decisions == 1


def test_a_cancel_of_nothing_gets_481(bench: Bench) -> None:
    assert bench.ask(request("CANCEL")).status == 481
    bench.give(request())
    assert bench.ask(request("CANCEL"), NOW + 40).status == 481
    assert bench.ask(request("CANCEL", cseq="2 CANCEL")).status == 481


def test_options_says_what_is_served(bench: Bench) -> None:
    answer = bench.ask(request("OPTIONS"))
    assert (answer.status, answer.reason) == (200, "OK")
    assert answer.one("Allow") == ALLOW
    assert answer.one("Accept") == "application/sdp"
    assert answer.one("Supported") == ""
    assert bench.decisions == 0


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
    assert bench.decisions == 0


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
    assert bench.decisions == 0


def test_an_odd_extension_is_named_as_it_came_or_refused_as_malformed(bench: Bench) -> None:
    for odd in ("a\tb", "a\r\n b", '"a, b"', ",,a,,", "a\x7f", "<a>", ""):
        result = bench.give(request("INVITE", f"Require: {odd}", call_id=f"{odd!r}".encode().hex()))
        ((answer, _),) = result.sends
        assert read(answer).status in (420, 400, 302), odd


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
    assert bench.decisions == 0
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
    assert bench.give(data) == Result(dropped=kind)


def test_at_most_200_headers_are_read(bench: Bench) -> None:
    few = ["X-Many: 1"] * (200 - 7 - 1)
    assert bench.ask(request("INVITE", *few)).status == 302
    assert bench.ask(request("INVITE", *few, *["X-Many: 1"] * 2)).status == 400


def check(bench: Bench, data: bytes) -> None:
    """Whatever came, at most one answer, to its source, from one line to the end of a header."""
    result = bench.give(data)
    assert len(result.sends) <= 1
    for answer, (host, _) in result.sends:
        assert host == SOURCE[0]
        assert answer.startswith(b"SIP/2.0 ")
        assert answer.endswith(b"\r\n\r\n")
        assert result.dropped is None


@given(st.binary(max_size=200))
def test_random_octets_never_raise(data: bytes) -> None:
    check(Bench(), data)


@given(st.data())
def test_a_damaged_request_never_raises(data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(["INVITE", "ACK", "CANCEL", "OPTIONS", "BYE", "NEW"]))
    whole = bytearray(request(method, "Require: a", "X-Odd: \x7f", body=b"body"))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(whole)))
        end = data.draw(st.integers(start, min(len(whole), start + 20)))
        whole[start:end] = data.draw(st.binary(max_size=10))
    check(Bench(), bytes(whole))


def test_a_request_cut_anywhere_never_raises() -> None:
    bench = Bench()
    whole = request()
    for end in range(len(whole)):
        check(bench, whole[:end])
    assert bench.ask(whole).status == 302


def test_nobody_is_sent_much_more_than_was_sent_in_his_name(bench: Bench) -> None:
    """A short request that asks for a long answer, by Via elements of one octet, gets none."""
    vias = "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK-1" + ",x" * 5000
    result = bench.give(request(via=vias))
    assert (result.sends, result.dropped) == ((), "answer_too_large")
    assert not bench.metrics.answered
    for method in ("INVITE", "OPTIONS", "CANCEL", "REGISTER", "PUBLISH", "FOO", "BYE"):
        data = request(method, "Require: 100rel", via="SIP/2.0/UDP h;branch=z9hG4bK-1" + ", x" * 9)
        ((answer, _),) = bench.give(data).sends
        assert len(answer) <= len(data) + 1024
