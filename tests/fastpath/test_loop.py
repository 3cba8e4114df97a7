"""A worker on a real socket: every datagram answered as it should be, whatever comes with it."""

import random
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from callscreen.fastpath.loop import SPAN_BOUNDS
from callscreen.fastpath.recent import RecentTable
from callscreen.fastpath.respond import Responder

from ..edge.messages import request
from ..edge.objects import CALLED, FRIEND, NUISANCE
from .looping import Peer, close_peers, index_of, recorded, udp, working

BURST = 40  # datagrams, below what the kernel carries as one
MANY = 1_000
IP_RECVERR, SO_NO_CHECK = 11, 11


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    close_peers()


def test_a_call_is_answered_and_recorded() -> None:
    sock = udp()
    with working(sock, index_of()) as worker:
        peer = Peer(sock.getsockname())
        assert peer.ask(peer.invite()).status == 302
        assert peer.ask(peer.invite("+15550000000")).status == 603
        assert (
            peer.ask(request("OPTIONS", via="SIP/2.0/UDP a.example;branch=x;rport")).status == 200
        )
        first, second = recorded(worker)
    assert (first.called_number, first.calling_number) == (CALLED, FRIEND)
    assert first.call_id == f"00000001@{peer.port:05d}"
    assert (first.edge, first.source_ip) == ("edge-1", "127.0.0.1")
    assert second.verdict.treatment == "terminate"
    assert abs(first.start_time.seconds - time.time()) < 60
    counts = worker.counts()
    assert (counts.received, counts.records_made, counts.answered) == (
        3,
        2,
        {200: 1, 302: 1, 603: 1},
    )
    times, seconds = worker.spans()
    assert (len(times), sum(times)) == (len(SPAN_BOUNDS) + 1, 2)
    assert seconds > 0


def test_before_there_is_data_calls_are_asked_to_come_again() -> None:
    sock = udp()
    with working(sock) as worker:
        peer = Peer(sock.getsockname())
        assert peer.ask(peer.invite()).status == 503
        assert worker.answer_from(index_of())
        assert peer.ask(peer.invite()).status == 302
        assert len(recorded(worker)) == 1


def test_what_comes_close_together_is_looked_for_without_sleep() -> None:
    """And what comes after a pause is answered all the same, and a stop heeded."""
    sock = udp()
    with working(sock, index_of(), spin_us=1_000_000) as worker:
        peer = Peer(sock.getsockname())
        for _ in range(3):
            for _ in range(BURST):
                assert peer.ask(peer.invite()).status == 302
            peer.burst([peer.invite() for _ in range(BURST)])
            assert {peer.answer().status for _ in range(BURST)} == {302}
        peer.socket.close()
        assert worker.counts().answered == {302: peer.sent}
    assert not worker.counts().dropped


@pytest.mark.parametrize("segmenting", [True, False])
@pytest.mark.parametrize("joined", [True, False])
def test_more_datagrams_than_a_batch_are_each_answered_once(segmenting: bool, joined: bool) -> None:
    sock = udp(joined=joined)
    with working(sock, index_of(), segmenting=segmenting) as worker:
        peers = [Peer(sock.getsockname()) for _ in range(3)]
        ids: dict[int, list[str]] = {peer.port: [] for peer in peers}
        for _ in range(5):
            for peer in peers:
                peer.burst([peer.invite() for _ in range(BURST)])
                for _ in range(5):
                    peer.socket.send(peer.invite())
            for peer in peers:
                ids[peer.port] += [peer.answer().one("Call-ID") for _ in range(BURST + 5)]
        for peer in peers:
            expected = [f"{n:08d}@{peer.port:05d}" for n in range(1, peer.sent + 1)]
            assert sorted(ids[peer.port]) == expected
        total = sum(peer.sent for peer in peers)
        assert len({record.cdr_id for record in recorded(worker)}) == total
    assert worker.counts().received == total
    assert worker.counts().answered == {302: total}
    assert worker.counts().dropped == {}
    assert worker.segmenting == segmenting
    if segmenting and joined:
        assert worker.messages < total / 4
    elif not segmenting:
        assert worker.messages == total


def test_a_kernel_that_takes_nothing_apart_gets_each_answer_by_itself() -> None:
    sock = udp()
    sock.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)  # what is to be taken apart needs checksums
    with working(sock, index_of()) as worker:
        peer = Peer(sock.getsockname())
        peer.burst([peer.invite() for _ in range(BURST)])
        assert len({peer.answer().one("Call-ID") for _ in range(BURST)}) == BURST
    assert worker.messages == BURST
    assert worker.counts().dropped == {}


def test_a_burst_whose_last_datagram_is_shorter_comes_apart_as_it_was_sent() -> None:
    sock = udp()
    with working(sock, index_of()):
        peer = Peer(sock.getsockname())
        peer.burst([peer.invite(), peer.invite(), peer.invite(call_id="short")])
        found = {peer.answer().one("Call-ID") for _ in range(3)}
    assert found == {f"00000001@{peer.port:05d}", f"00000002@{peer.port:05d}", "short"}


def test_the_worker_answers_as_the_responder_does() -> None:
    """Octet by octet, random damage included."""
    index = index_of()
    recent = RecentTable(10_000)
    responder = Responder(index, b"secret", seed=bytes(16), recent=recent, edge="edge-1")
    sock = udp()
    generator = random.Random(7)
    with working(sock, index) as worker:
        peer = Peer(sock.getsockname())
        last = peer.socket.getsockname()
        answered = 0
        for turn in range(400):
            data = bytearray(peer.invite(generator.choice([FRIEND, NUISANCE, "anonymous", "x"])))
            for _ in range(turn % 4):
                data[generator.randrange(len(data))] = generator.randrange(256)
            expected = responder.receive(bytes(data), last, "udp", time.time_ns())
            peer.socket.send(data)
            if expected.destination == last:
                assert peer.socket.recv(70_000) == expected.answer
                answered += 1
        assert answered > 150
        peer.ask(peer.invite())  # all that was sent before it has been read
        mine, theirs = worker.counts(), responder.counts()
        assert mine.received == theirs.received + 1
        assert sum(mine.dropped.values()) >= sum(theirs.dropped.values())


def test_rubbish_of_every_kind_stops_nothing() -> None:
    sock = udp()
    generator = random.Random(1)
    with working(sock, index_of()) as worker:
        peer = Peer(sock.getsockname())
        sent = 0
        for size in (0, 1, 4, 100, 1_400, 9_000, 65_507):
            for _ in range(10):
                peer.socket.send(generator.randbytes(size))
                peer.socket.send(b"SIP/2.0 200 OK\r\n\r\n")
                sent += 2
            assert peer.ask(peer.invite()).status == 302
            sent += 1
        assert worker.counts().received == sent
    counts = worker.counts()
    assert sum(counts.dropped.values()) + sum(counts.answered.values()) == sent


def test_long_calls_are_answered_whole() -> None:
    sock = udp()
    with working(sock, index_of()):
        peer = Peer(sock.getsockname())
        for size in (3_000, 3_072, 3_073, 10_000, 60_000):
            assert peer.ask(peer.invite(body=b"b" * size)).status == 302
            long = peer.ask(peer.invite(call_id="c" * size))
            assert (long.status, len(long.one("Call-ID"))) == (302, size)


def test_a_retransmission_makes_one_record_and_the_same_answer() -> None:
    sock = udp()
    with working(sock, index_of()) as worker:
        peer = Peer(sock.getsockname())
        data = peer.invite()
        first, second = peer.ask(data), peer.ask(data)
        assert first == second
        assert len(recorded(worker)) == 1
        assert worker.counts().retransmitted == 1


def test_records_that_find_no_room_are_counted_and_calls_go_on() -> None:
    sock = udp()
    with working(sock, index_of(), ring=16_384) as worker:
        peer = Peer(sock.getsockname())
        for _ in range(100):
            assert peer.ask(peer.invite()).status == 302
        counts = worker.counts()
        found = recorded(worker)
        assert 0 < len(found) == counts.records_made < 100
        assert counts.records_made + counts.records_lost == 100
        assert [record.call_id for record in found] == [
            f"{n:08d}@{peer.port:05d}" for n in range(1, len(found) + 1)
        ]
        peer.ask(peer.invite())
        assert len(recorded(worker)) == 1, "there is room again"


def test_ipv6() -> None:
    sock = udp("::1")
    with working(sock, index_of()) as worker:
        peer = Peer(sock.getsockname()[:2], "::1")
        peer.burst([peer.invite() for _ in range(5)])
        assert {peer.answer().status for _ in range(5)} == {302}
        assert {record.source_ip for record in recorded(worker)} == {"::1"}


def test_an_answer_to_a_closed_port_harms_nothing_and_is_counted() -> None:
    sock = udp()
    sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)  # as an edge has it
    with working(sock, index_of()) as worker:
        peer = Peer(sock.getsockname())
        for turn in range(20):
            via = f"SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-{turn}"
            peer.socket.send(peer.invite(via=via))
            assert peer.ask(peer.invite()).status == 302
        counts = worker.counts()
    assert counts.answered == {302: 40}
    assert set(counts.dropped) == {"unreachable"}
    assert 1 <= counts.dropped["unreachable"] <= 20


def test_what_an_answer_of_the_same_batch_met_is_counted() -> None:
    sock = udp()
    sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    peer = Peer(sock.getsockname())
    via = "SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-"
    for turn in range(5):  # before the worker looks: it answers all of them together
        peer.socket.send(peer.invite(via=f"{via}{turn}"))
        peer.socket.send(peer.invite())
    with working(sock, index_of()) as worker:
        assert [peer.answer().status for _ in range(5)] == [302] * 5
        counts = worker.counts()
    assert set(counts.dropped) == {"unreachable"}


def test_an_answer_that_cannot_be_sent_is_counted() -> None:
    sock = udp()
    with working(sock, index_of()) as worker:
        peer = Peer(sock.getsockname())
        peer.socket.send(peer.invite(via="SIP/2.0/UDP 127.0.0.1:0;branch=z9hG4bK-0"))
        assert peer.ask(peer.invite()).status == 302
        counts = worker.counts()
    assert counts.received == 2
    assert sum(counts.answered.values()) + sum(counts.dropped.values()) >= 2


def test_a_stop_under_load_ends_at_once_and_leaves_no_call_half_done() -> None:
    sock = udp()
    stop = threading.Event()
    with working(sock, index_of(), ring=1 << 24) as worker:
        peer = Peer(sock.getsockname())

        def load() -> None:
            while not stop.is_set():
                peer.burst([peer.invite() for _ in range(BURST)])

        sender = threading.Thread(target=load)
        sender.start()
        while worker.counts().received < MANY:
            time.sleep(0.005)
        worker.stop()
        time.sleep(0.1)
        before = worker.counts()
        time.sleep(0.05)
        assert worker.counts() == before, "it goes on"
        stop.set()
        sender.join()
        assert len(recorded(worker)) == before.records_made == before.answered[302]
