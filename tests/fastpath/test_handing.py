"""Calls that a worker hands over: what stands in the ring, and what it answers meanwhile."""

import os
import socket
import struct
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.fastpath.handing import Replies, key_of, read_handed
from callscreen.fastpath.handing_types import HEAD, REQUEST_MOST, Handed
from callscreen.fastpath.peers import PeerTable
from callscreen.fastpath.peers_types import Peer as Known
from callscreen.fastpath.ring import RingBuffer
from callscreen.fastpath.siphash_reference import rounds
from callscreen.fastpath.worker import Worker

from ..edge.objects import platform
from .looping import Peer, close_peers, index_of, recorded, udp, working
from .test_awaiting import IDENTITY, plan, source

BURST = 20  # datagrams
IP_PKTINFO = 8


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    close_peers()


@pytest.fixture
def wake() -> Iterator[int]:
    file = os.eventfd(0, os.EFD_NONBLOCK)
    yield file
    os.close(file)


def signing(**more: Any) -> Any:
    return index_of([*platform(), plan(), source(**more)])


def handed_of(ring: RingBuffer) -> list[Handed]:
    """The calls that wait."""
    found: list[Handed] = []
    while entries := ring.take(1, 1 << 20)[0]:
        found += read_handed(entries)
    return found


def waiting_in(ring: RingBuffer, worker: Worker, count: int) -> list[Handed]:
    """So many calls, once they wait: a worker lets them be taken when it has sent its answers."""
    found: list[Handed] = []
    until = time.monotonic() + 5
    while len(found) < count and time.monotonic() < until:
        time.sleep(0.001)
        found += handed_of(ring)
    assert worker.counts().handed >= count == len(found)
    return found


def settled(peer: Peer) -> None:
    """What was sent before has been worked on: the worker answers in order."""
    assert peer.ask(peer.invite("+15550000000")).status == 603


def test_what_awaits_is_handed_over_and_the_rest_is_answered(wake: int) -> None:
    ring, sock = RingBuffer(1 << 20), udp()
    with working(sock, signing(), handed=ring, wake=wake) as worker:
        peer = Peer(sock.getsockname())
        calls = [peer.invite(contact=f"<sip:a@b>\r\n{IDENTITY}") for _ in range(BURST)]
        for call in calls:
            peer.socket.send(call)
            assert peer.ask(peer.invite()).status == 302
        waiting = waiting_in(ring, worker, BURST)
        assert [each.request for each in waiting] == calls
        assert {(each.host, each.port) for each in waiting} == {("127.0.0.1", peer.port)}
        assert not any(each.via_trusted or each.own for each in waiting)
        assert all(each.now_ns > 1_600_000_000 * 10**9 for each in waiting)
        assert 1 <= os.eventfd_read(wake) <= BURST
        assert len(recorded(worker)) == BURST
    counts = worker.counts()
    assert (counts.received, counts.handed, counts.identity_overflow) == (2 * BURST, BURST, 0)
    assert (counts.answered, counts.records_made) == ({302: BURST}, BURST)


def test_a_batch_wakes_once_and_what_needs_nobody_wakes_nobody(wake: int) -> None:
    ring, sock = RingBuffer(1 << 20), udp()
    with working(sock, signing(), handed=ring, wake=wake) as worker:
        peer = Peer(sock.getsockname())
        settled(peer)
        with pytest.raises(BlockingIOError):
            os.eventfd_read(wake)
        peer.burst([peer.invite(contact=f"<sip:a@b>\r\n{IDENTITY}") for _ in range(BURST)])
        assert len(waiting_in(ring, worker, BURST)) == BURST
        settled(peer)
        assert os.eventfd_read(wake) <= 2, "a burst is a batch, or two"


def test_a_call_that_is_to_be_signed_is_handed_over(wake: int) -> None:
    ring, sock = RingBuffer(1 << 20), udp()
    with working(sock, signing(address="127.0.0.1"), handed=ring, wake=wake) as worker:
        peer = Peer(sock.getsockname())
        peer.socket.send(peer.invite())
        peer.socket.send(peer.invite("+15556660000"))
        assert peer.answer().status == 302, "to voice mail: it does not go on"
        assert len(waiting_in(ring, worker, 1)) == 1


def test_where_there_is_no_ring_a_call_is_settled_at_once() -> None:
    sock = udp()
    with working(sock, signing()) as worker:
        peer = Peer(sock.getsockname())
        assert peer.ask(peer.invite(contact=f"<sip:a@b>\r\n{IDENTITY}")).status == 302
        (record,) = recorded(worker)
    assert record.verdict.trace[0].outcome == "unverified"
    assert (worker.counts().handed, worker.counts().identity_overflow) == (0, 1)
    assert worker.counts().answered == {302: 1}


def test_a_full_ring_settles_at_once(wake: int) -> None:
    ring, sock = RingBuffer(4096), udp()
    with working(sock, signing(), handed=ring, wake=wake) as worker:
        peer = Peer(sock.getsockname())
        for _ in range(BURST):
            peer.socket.send(peer.invite(contact=f"<sip:a@b>\r\n{IDENTITY}"))
        settled_at_once = 0
        while worker.counts().answered.get(302, 0) + worker.counts().handed < BURST:
            assert peer.answer().status == 302
            settled_at_once += 1
        waiting = waiting_in(ring, worker, worker.counts().handed)
        assert waiting
        assert worker.counts().identity_overflow == BURST - len(waiting)
        peer.socket.send(peer.invite(contact=f"<sip:a@b>\r\n{IDENTITY}"))
        for _ in range(BURST - len(waiting) - settled_at_once):
            peer.answer()
        assert len(waiting_in(ring, worker, 1)) == 1, "there is room again"
        settled(peer)


def test_a_call_too_long_for_an_entry_is_settled_at_once(wake: int) -> None:
    ring, sock = RingBuffer(1 << 20), udp()
    with working(sock, signing(), handed=ring, wake=wake) as worker:
        peer = Peer(sock.getsockname())
        size = REQUEST_MOST - len(peer.invite(contact=f"<sip:a@b>\r\n{IDENTITY}\r\nX: "))
        fits = peer.invite(contact=f"<sip:a@b>\r\n{IDENTITY}\r\nX: {'x' * size}")
        assert len(fits) == REQUEST_MOST
        peer.socket.send(fits)
        answer = peer.ask(peer.invite(contact=f"<sip:a@b>\r\n{IDENTITY}\r\nX: x{'x' * size}"))
        assert answer.status == 302
        assert [each.request for each in waiting_in(ring, worker, 1)] == [fits]
        assert worker.counts().identity_overflow == 1


@pytest.mark.parametrize("count", [1, 10, 100])
def test_many_identities_are_one_call(wake: int, count: int) -> None:
    ring, sock = RingBuffer(1 << 20), udp()
    with working(sock, signing(), handed=ring, wake=wake) as worker:
        peer = Peer(sock.getsockname())
        peer.socket.send(peer.invite(contact="\r\n".join(["<sip:a@b>", *[IDENTITY] * count])))
        assert len(waiting_in(ring, worker, 1)) == 1
        settled(peer)


def test_it_is_told_whether_a_proxy_of_ours_sent_the_call_and_to_which_address(wake: int) -> None:
    ring, sock = RingBuffer(1 << 20), udp("0.0.0.0")
    sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    to = ("127.0.0.3", sock.getsockname()[1])
    with working(sock, signing(), handed=ring, wake=wake) as worker:
        worker.admit(PeerTable((Known("sbc", ("127.0.0.0/8",), proxy=True),)))
        peer = Peer(to)
        peer.socket.send(peer.invite(contact=f"<sip:a@b>\r\n{IDENTITY}"))
        (waiting,) = waiting_in(ring, worker, 1)
    assert waiting.via_trusted
    assert socket.inet_ntoa(waiting.own[4:8]) == "127.0.0.3"


def test_a_call_over_ipv6_tells_its_peer(wake: int) -> None:
    ring, sock = RingBuffer(1 << 20), udp("::1")
    with working(sock, signing(), handed=ring, wake=wake) as worker:
        peer = Peer(sock.getsockname(), "::1")
        peer.socket.send(peer.invite(contact=f"<sip:a@b>\r\n{IDENTITY}"))
        (waiting,) = waiting_in(ring, worker, 1)
    assert (waiting.host, waiting.port) == ("::1", peer.port)


def entries_of(*calls: Handed) -> bytes:
    """As a worker writes them."""
    ring = RingBuffer(1 << 20)
    for now_ns, host, port, request, trusted, own in calls:
        address = ip_address(host)
        told = now_ns, address.packed, port, len(request), address.version == 6, 2 * trusted
        assert ring.put(HEAD.pack(*told, len(own), own) + request)
    return ring.take(len(calls), 1 << 20)[0]


CALLS = st.builds(
    Handed,
    st.integers(0, 2**64 - 1),
    st.sampled_from(["192.0.2.9", "192.0.2.10", "2001:db8::1", "c000:209::"]),
    st.integers(0, 65_535),
    st.binary(max_size=300),
    st.booleans(),
    st.binary(max_size=20),
)


@given(st.lists(CALLS, max_size=8))
def test_what_is_read_is_what_was_written(calls: list[Handed]) -> None:
    assert read_handed(entries_of(*calls)) == calls


@pytest.mark.parametrize("amiss", [slice(1), slice(2), slice(20), slice(58), slice(59), slice(93)])
def test_an_entry_that_is_cut_off_is_refused(amiss: slice) -> None:
    whole = entries_of(Handed(1, "192.0.2.9", 5060, b"INVITE " * 5))
    for before in (b"", whole):
        with pytest.raises(ValueError, match="an entry is cut off"):
            read_handed(before + whole[amiss])


@pytest.mark.parametrize(("place", "octet"), [(0, 0x0A), (1, 0xFF), (29, 1), (30, 1), (33, 21)])
def test_an_entry_that_says_other_than_it_is_is_refused(place: int, octet: int) -> None:
    entry = bytearray(entries_of(Handed(1, "192.0.2.9", 5060, b"INVITE " * 5)))
    entry[place] = octet
    with pytest.raises(ValueError, match="an entry"):
        read_handed(bytes(entry))


def test_nobody_spins_beside_who_works_on_a_call(wake: int) -> None:
    ring, sock, index = RingBuffer(1 << 20), udp(), signing()
    with working(sock, index, handed=ring, wake=wake, spin_us=60_000_000) as worker:
        peer = Peer(sock.getsockname())
        # The first wait ends within the minute that it may spin for: it would spin from here on.
        peer.socket.send(peer.invite(contact=f"<sip:a@b>\r\n{IDENTITY}"))
        until = time.monotonic() + 5
        while not worker.counts().handed and time.monotonic() < until:
            time.sleep(0.001)
        assert worker.answer_from(signing())
        while not worker.settled() and time.monotonic() < until:
            time.sleep(0.001)
        assert worker.settled(), "it looks at what is new, and so at what stops it"


def test_replies_leave_together_from_the_address_that_was_asked() -> None:
    replies, sock = Replies(), udp("0.0.0.0")
    peers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for each in peers:
        each.bind(("127.0.0.1", 0))
        each.settimeout(20)
    info = bytes(4) + socket.inet_aton("127.0.0.3") + bytes(4)
    answers = [
        (b"answer %03d" % place, *peers[place % 2].getsockname(), info) for place in range(150)
    ]
    replies.send(sock.fileno(), False, True, answers)
    for which, each in enumerate(peers):
        for place in range(which, 150, 2):
            octets, source = each.recvfrom(100)
            assert octets == b"answer %03d" % place
            assert source == ("127.0.0.3", sock.getsockname()[1])
        each.close()
    assert replies.counts().dropped == {}
    sock.close()


def test_a_reply_that_cannot_be_sent_is_counted_and_the_others_leave() -> None:
    replies, sock = Replies(), udp()
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.settimeout(20)
    bad = [
        (b"x", "2001:db8::1", 5060, b""),
        (b"x", "no address", 5060, b""),
        (b"x", "127.0.0.1", 0, b""),
        (b"x" * 70_000, "127.0.0.1", 5060, b""),
    ]
    replies.send(sock.fileno(), False, True, [*bad, (b"good", *peer.getsockname(), b"")])
    assert peer.recv(100) == b"good"
    assert replies.counts().dropped == {"unsendable": 4}
    peer.close()
    sock.close()
    replies.send(-1, False, False, [(b"late", "127.0.0.1", 5060, b"")])
    assert replies.counts().dropped == {"unsendable": 5}


def test_a_socket_of_ipv6_replies_to_ipv4() -> None:
    replies, sock = Replies(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", 0))
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as peer:
            peer.bind((host, 0))
            peer.settimeout(20)
            replies.send(sock.fileno(), True, True, [(b"answer", *peer.getsockname()[:2], b"")])
            assert peer.recv(100) == b"answer"
    sock.close()


# What a call and its repetitions have in common


def test_a_key_is_of_the_place_and_all_octets() -> None:
    keys = {
        key_of("192.0.2.1", 5060, b"INVITE a"),
        key_of("192.0.2.1", 5061, b"INVITE a"),
        key_of("192.0.2.2", 5060, b"INVITE a"),
        key_of("192.0.2.1", 5060, b"INVITE b"),
        key_of("192.0.2.1", 506, b"0 INVITE a"),
    }
    assert len(keys) == 5
    assert key_of("192.0.2.1", 5060, b"INVITE a") in keys
    with pytest.raises(ValueError, match="secret"):
        key_of("192.0.2.1", 5060, b"INVITE a", b"short")


def siphash128(key: bytes, data: bytes) -> bytes:
    """SipHash-2-4 of 128 bits, as its authors' reference has it."""
    low, high = struct.unpack("<QQ", key)
    state = [low ^ 0x736F6D6570736575, high ^ 0x646F72616E646F6D ^ 0xEE]
    state += [low ^ 0x6C7967656E657261, high ^ 0x7465646279746573]
    data += b"\0" * (7 - len(data) % 8) + bytes([len(data) % 256])
    for (word,) in struct.iter_unpack("<Q", data):
        state[3] ^= word
        rounds(state, 2)
        state[0] ^= word
    made = b""
    for place, odd in ((2, 0xEE), (1, 0xDD)):
        state[place] ^= odd
        rounds(state, 4)
        made += struct.pack("<Q", state[0] ^ state[1] ^ state[2] ^ state[3])
    return made


@given(
    st.sampled_from(["192.0.2.1", "2001:db8::1", "h", ""]),
    st.integers(0, 65_535),
    st.binary(max_size=300),
    st.binary(min_size=16, max_size=16),
)
def test_a_key_is_siphash_of_128_bits(host: str, port: int, request: bytes, secret: bytes) -> None:
    whole = host.encode() + struct.pack(">BH", 0, port) + request
    assert key_of(host, port, request, secret) == siphash128(secret, whole)


def test_the_reference_is_that_of_its_authors() -> None:
    key = bytes(range(16))
    assert siphash128(key, b"").hex() == "a3817f04ba25a8e66df67214c7550293"
