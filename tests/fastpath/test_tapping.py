"""What a worker copies for who looks: which messages, how much of them, and at whose cost."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.edge.entries import split_entries
from callscreen.fastpath.numbers import pack
from callscreen.fastpath.ring import RingBuffer
from callscreen.fastpath.tapping_types import (
    ALL,
    ENTRY_HEAD,
    HEAD,
    OFF,
    WATCHED,
    WATCHED_MOST,
    Tapped,
    read_tapped,
)
from callscreen.fastpath.worker import Worker
from callscreen.v1.records_pb2 import AppendRequest

from ..edge.objects import CALLED, CIN_CALLED, FRIEND, NUISANCE
from .looping import Peer, close_peers, index_of, udp, working


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    close_peers()


def taken(worker: Worker) -> list[Tapped]:
    """What waits in the tap's ring."""
    assert worker.taps is not None
    octets, count = worker.taps.take(1_000, 1 << 20)
    found = [read_tapped(entry) for entry in split_entries(octets)]
    assert len(found) == count
    return found


@pytest.fixture(name="tapped")
def tapped_worker() -> Iterator[tuple[Worker, Peer]]:
    sock = udp()
    with working(sock, index_of(), taps=RingBuffer(1 << 20)) as worker:
        yield worker, Peer(sock.getsockname())


def test_nothing_is_copied_unless_asked_for(tapped):
    worker, peer = tapped
    peer.ask(peer.invite())
    assert taken(worker) == []
    worker.tap(ALL)
    peer.ask(peer.invite())
    assert len(taken(worker)) == 1
    worker.tap(OFF)
    peer.ask(peer.invite())
    assert taken(worker) == []
    assert worker.taps_lost == 0


def test_all_of_a_message_is_copied(tapped):
    worker, peer = tapped
    worker.tap(ALL)
    asked = peer.invite()
    peer.socket.send(asked)
    answered = peer.socket.recv(70_000)
    peer.socket.send(asked)
    assert peer.socket.recv(70_000) == answered
    first, second = taken(worker)
    assert (first.request, first.answer, first.status) == (asked, answered, 302)
    assert (first.host, first.port, first.answer_port) == ("127.0.0.1", peer.port, peer.port)
    assert first.numbers == (pack(CALLED), pack(FRIEND)) * 2
    assert (first.call, first.repeated, first.cut) == (True, False, False)
    assert AppendRequest.FromString(first.record).records[0].called_number == CALLED
    assert (second.call, second.repeated, second.record) == (True, True, b"")
    assert second.now_ns > first.now_ns > 1_700_000_000 * 10**9


def test_an_ack_has_no_answer_and_a_drop_is_not_copied(tapped):
    worker, peer = tapped
    worker.tap(ALL)
    peer.socket.send(b"no SIP at all")
    peer.socket.send(peer.invite().replace(b"INVITE", b"ACK"))
    peer.ask(peer.invite().replace(b"INVITE", b"OPTIONS"))
    ack, options = taken(worker)
    assert (ack.request[:3], ack.answer, ack.status, ack.call) == (b"ACK", b"", 0, False)
    assert (options.status, options.call, options.numbers) == (200, False, (0, 0, 0, 0))


def test_what_is_too_long_is_cut(tapped):
    worker, peer = tapped
    worker.tap(ALL)
    asked = peer.invite()
    head, _, body = asked.partition(b"\r\n\r\n")
    padded = head + b"\r\nX-Long: " + b"x" * 9_000 + b"\r\n\r\n" + body
    peer.ask(padded)
    (found,) = taken(worker)
    assert found.cut
    assert found.request == padded[:7_000]
    assert found.record


def test_only_watched_numbers_are_copied(tapped):
    worker, peer = tapped
    watched = {pack(NUISANCE), pack(CIN_CALLED)}
    worker.tap(WATCHED, sorted(watched))
    for called, calling in (
        (CALLED, FRIEND),
        (CALLED, NUISANCE),
        (CIN_CALLED, FRIEND),
        (CIN_CALLED, NUISANCE),
    ):
        peer.ask(peer.invite(calling, called, to=f"<sip:{called}@edge.example>"))
    peer.ask(peer.invite(NUISANCE).replace(b"INVITE", b"OPTIONS"))
    found = taken(worker)
    assert len(found) == 3
    assert all(watched & set(each.numbers) for each in found)


def test_what_finds_no_room_is_counted_and_answered_all_the_same():
    sock = udp()
    with working(sock, index_of(), taps=RingBuffer(4096)) as worker:
        peer = Peer(sock.getsockname())
        worker.tap(ALL)
        for _ in range(20):
            assert peer.ask(peer.invite()).status == 302
        found = taken(worker)
        assert 0 < len(found) < 20
        assert worker.taps_lost == 20 - len(found)
        peer.ask(peer.invite())
        assert len(taken(worker)) == 1


def test_a_tap_is_bounded():
    sock = udp()
    with working(sock, taps=RingBuffer(4096)) as worker:
        worker.tap(WATCHED, [1] * WATCHED_MOST)
        with pytest.raises(ValueError, match="at most 8"):
            worker.tap(WATCHED, [1] * (WATCHED_MOST + 1))
    with working(udp()) as worker, pytest.raises(ValueError, match="with a tap"):
        worker.tap(ALL)


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_an_entry_is_read_or_refused(octets):
    try:
        found = read_tapped(octets)
    except ValueError:
        return
    parts = found.request, found.answer, found.record
    assert ENTRY_HEAD + HEAD.size + sum(map(len, parts)) == len(octets)
