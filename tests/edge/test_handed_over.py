"""Calls that wait for a thread: each is given out once, in turn, within bounds; and replies."""

import os
import select
import socket
import struct
from ipaddress import ip_address
from typing import Any

import pytest

from callscreen.edge import handed_over
from callscreen.edge.handed_over import Feed, Piece
from callscreen.edge.replying import Replier
from callscreen.fastpath.handing_types import HEAD
from callscreen.fastpath.respond_types import Responded
from callscreen.fastpath.ring import RingBuffer

PLACE = ("192.0.2.9", 5070)


def sent(done: Responded, own: bytes) -> str:
    return ""


def piece(request: bytes = b"INVITE", **more: Any) -> Piece:
    return Piece(request, PLACE, "tcp", 1, False, sent, **more)


def entry(request: bytes, own: bytes = b"") -> bytes:
    """As a worker writes it, but for its tag and length."""
    address = ip_address(PLACE[0]).packed
    head = HEAD.pack(7, address, PLACE[1], len(request), 0, 2, len(own), own)
    return head + request


@pytest.fixture
def feed() -> Any:
    feed = Feed()
    yield feed
    feed.close()


def test_calls_of_rings_streams_and_those_that_come_back(feed: Feed) -> None:
    ring = RingBuffer(1 << 16)
    feed.add(ring, sent)
    ring.put(entry(b"ringed", b"o" * 12))
    assert feed.put(piece(b"new"))
    feed.come_back(piece(b"back"))
    assert (len(feed), feed.empty, feed.in_rings() > 0) == (2, False, True)
    found = feed.take()
    assert [each.request for each in found] == [b"back", b"ringed", b"new"]
    ringed = found[1]
    assert (ringed.source, ringed.transport, ringed.now_ns) == (PLACE, "udp", 7)
    assert (ringed.via_trusted, ringed.own, ringed.send) == (True, b"o" * 12, sent)
    assert feed.empty
    assert feed.take_now() == []


def test_every_ring_has_its_turn(feed: Feed) -> None:
    rings = [RingBuffer(1 << 16) for _ in range(2)]
    for place, ring in enumerate(rings):
        feed.add(ring, sent)
        for number in range(40):
            ring.put(entry(b"%d-%d" % (place, number)))
    taken = [[each.request for each in feed.take_now()] for _ in range(5)]
    assert [len(each) for each in taken] == [16] * 5
    assert {each[0][:1] for each in taken[:2]} == {b"0", b"1"}
    every = [each for some in taken for each in some]
    assert len(set(every)) == 80
    for place in (b"0", b"1"):
        mine = [each for each in every if each.startswith(place)]
        assert mine == sorted(mine, key=lambda each: int(each[2:])), "in the order of its calls"


def test_where_many_wait_more_are_taken_at_a_time(feed: Feed) -> None:
    ring = RingBuffer(1 << 18)
    feed.add(ring, sent)
    for _ in range(100):
        ring.put(entry(b"x" * 1_000))
    taken = []
    while found := feed.take_now():
        taken.append(len(found))
    assert taken == [32, 32, 16, 16, 4]


def test_there_is_no_more_room_than_said(monkeypatch: pytest.MonkeyPatch, feed: Feed) -> None:
    monkeypatch.setattr(handed_over, "CALLS_MOST", 3)
    assert [feed.put(piece()) for _ in range(4)] == [True, True, True, False]
    monkeypatch.setattr(handed_over, "CALLS_MOST", 100)
    monkeypatch.setattr(handed_over, "OCTETS_MOST", 3 * 6 + 10)
    assert not feed.put(piece(b"x" * 11))
    assert feed.put(piece(b"x" * 10))
    assert len(feed.take_now()) == 4
    assert feed.put(piece(b"x" * 28)), "the room is free again"
    feed.come_back(piece(b"x" * 1_000))
    assert len(feed.take_now()) == 2, "what comes back has its place"


def test_who_leaves_something_behind_wakes_another(feed: Feed) -> None:
    def awake() -> bool:
        return bool(select.select([feed.wake], [], [], 0)[0])

    assert not awake()
    for _ in range(20):
        feed.put(piece())
    assert awake()
    assert len(feed.take()) == 16
    assert awake(), "there are four more"
    assert len(feed.take()) == 4
    assert not awake()
    os.eventfd_write(feed.wake, 1)
    assert feed.take() == [], "another thread was faster"


def test_a_reply_leaves_from_the_socket_and_says_what_is_amiss() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
    ):
        own.bind(("127.0.0.1", 0))
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(20)
        replier = Replier(own)
        assert replier(Responded(b"answer", peer.getsockname()), b"") == ""
        assert peer.recvfrom(100) == (b"answer", own.getsockname())
        info = struct.pack("@i", 0) + socket.inet_aton("127.0.0.1") + bytes(4)
        assert replier(Responded(b"told", peer.getsockname()), info) == ""
        assert peer.recvfrom(100) == (b"told", own.getsockname())
        assert replier(Responded(), b"") == ""
        assert replier(Responded(b"x" * 70_000, peer.getsockname()), b"") == "unsendable"
        assert replier(Responded(b"x", ("192.0.2.1", 0)), b"") == "unsendable"
        replier.close()
        assert replier(Responded(b"x", peer.getsockname()), b"") == "unsendable"


def test_a_reply_to_one_who_is_gone_goes_to_the_next_all_the_same() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
    ):
        own.bind(("127.0.0.1", 0))
        own.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR, as the workers' sockets have it
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(20)
        gone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        gone.bind(("127.0.0.1", 0))
        nowhere = gone.getsockname()
        gone.close()
        replier = Replier(own)
        replier(Responded(b"lost", nowhere), b"")
        assert replier(Responded(b"answer", peer.getsockname()), b"") == ""
        assert peer.recvfrom(100)[0] == b"answer"
        replier.close()


def test_a_reply_over_both_families() -> None:
    with (
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as own,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
    ):
        own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        own.bind(("::", 0))
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(20)
        replier = Replier(own)
        assert replier(Responded(b"answer", peer.getsockname()), b"") == ""
        assert peer.recvfrom(100)[0] == b"answer"
        replier.close()
