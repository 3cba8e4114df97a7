"""Whatever is thrown at an edge is answered or dropped, and the next call is answered."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from callscreen.edge.sockets import parse_address
from callscreen.fastpath.respond_types import ANSWER_MORE

from ..fuzz import seeds
from .listening import Listener, Peer, call, listening, peer
from .messages import request
from .objects import CALLED, FRIEND
from .running import Phone, edge, phone, provision

WINDOW = 32  # datagrams in flight: the listener's buffer is not to be what drops them
WORD = (2**31 - 1, 2**31, 2**32, 2**63, 2**64, 10**40, -1)
MARK = b"Max-Forwards: 70\r\n"


def whole() -> bytes:
    """An INVITE with all that is read."""
    return request(
        "INVITE",
        "P-Asserted-Identity: <tel:+15557654321>",
        "Privacy: none",
        "History-Info: <sip:+15551230001@a>;index=1, <sip:b@c>;index=1.1",
        "Diversion: <sip:+15551230001@d>;reason=user-busy",
        uri=f"sip:{CALLED}@edge.example",
        caller=f"<sip:{FRIEND}@carrier.example>;tag=abc",
        via="SIP/2.0/UDP 127.0.0.1:5070;rport;branch=z9hG4bK-whole",
        body=b"v=0\r\n",
    )


def with_line(line: bytes) -> bytes:
    return whole().replace(MARK, MARK + line + b"\r\n")


def noise() -> Iterator[bytes]:
    world = random.Random(4)
    for size in (0, 1, 2, 3, 4, 15, 16, 17, 63, 64, 65, 500, 1500, 9000):
        for _ in range(8):
            yield world.randbytes(size)
    for _ in range(200):
        octets = bytearray(whole())
        for _ in range(world.randint(1, 8)):
            octets[world.randrange(len(octets))] = world.randrange(256)
        yield bytes(octets)


def truncated() -> Iterator[bytes]:
    octets = whole()
    yield from (octets[:size] for size in range(len(octets)))


def large() -> Iterator[bytes]:
    for size in (1_000, 3_000, 4_096, 20_000, 60_000):
        yield whole() + b"x" * size
        yield with_line(b"X: " + b"x" * size)
        yield with_line(b"Via: " + b"a," * (size // 2))
        yield with_line(b"Require: " + b"a," * (size // 2))
        yield with_line(b"History-Info: " + b"<sip:a@b>," * (size // 10))
        yield whole().replace(CALLED.encode(), b"1" * size)
        yield whole().replace(b"abc", b"a" * size)
    yield whole().ljust(65_507, b"x")  # the most that UDP carries over IPv4


def many() -> Iterator[bytes]:
    for count in (100, 199, 200, 201, 10_000):
        for line in (b"a:", b"v: x", b"Contact: *", b"t: <sip:a@b>", b"X:\r\n y"):
            flood = b"\r\n".join([line] * count)
            if len(flood) < 64_000:
                yield with_line(flood)


def odd() -> Iterator[bytes]:
    octets = whole()
    for piece in (
        b"\0",
        b"\xff",
        b"\xc3\x28",
        b"\xed\xa0\x80",
        b"\r",
        b"\n",
        b"\x7f",
        b"%00",
        b'"',
    ):
        for place in range(0, len(octets), 11):
            yield octets[:place] + piece + octets[place:]
    yield octets.replace(b"\r\n", b"\n")
    yield octets.replace(b"\r\n", b"\r")
    yield octets.replace(b": ", b":\r\n\t ")


def numeric() -> Iterator[bytes]:
    octets = whole()
    for word in WORD:
        value = b"%d" % word
        yield octets.replace(b"CSeq: 1", b"CSeq: " + value)
        yield octets.replace(b"Max-Forwards: 70", b"Max-Forwards: " + value)
        yield octets.replace(b"Content-Length: 5", b"Content-Length: " + value)
        yield octets.replace(b"127.0.0.1:5070", b"127.0.0.1:" + value)
        yield octets.replace(b"@edge.example", b"@edge.example:" + value)
        yield octets.replace(b"sbc@192.0.2.9:5070", b"sbc@192.0.2.9:" + value)
        yield octets.replace(b"index=1.1", b"index=" + value)
        yield octets.replace(b";rport", b";rport=" + value + b";ttl=" + value)


SIEGES = [noise, truncated, large, many, odd, numeric]


@pytest.mark.parametrize("siege", SIEGES)
async def test_a_siege_over_udp(siege: Any, core: Any) -> None:
    """The sender gets at most one answer a datagram, and never much more than it sent."""
    provision(core)
    async with edge(core) as address, phone(address) as sbc, phone(address) as other:
        sent: list[bytes] = []
        for number, octets in enumerate(siege()):
            sent.append(octets)
            sbc.transport.sendto(octets)
            if number % WINDOW == WINDOW - 1:
                assert (await other.call(FRIEND)).status == 302
        assert (await other.call(FRIEND)).status == 302
        await asyncio.sleep(0.05)  # they lie in the socket
        got = taken(sbc)
        assert len(got) <= len(sent)
        assert all(octets.startswith(b"SIP/2.0 ") for octets in got)
        assert sum(map(len, got)) <= sum(len(octets) + ANSWER_MORE for octets in sent)


def taken(sbc: Phone) -> list[bytes]:
    return [sbc.got.get_nowait() for _ in range(sbc.got.qsize())]


@asynccontextmanager
async def raw(address: str) -> AsyncIterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(parse_address(address))
        yield sock


async def test_what_is_malformed_is_answered_or_dropped_as_documented(core: Any) -> None:
    provision(core)
    cases = {
        whole(): 302,
        whole().replace(b"CSeq: 1 ", b"CSeq: 2147483648 "): 400,
        whole().replace(b"Max-Forwards: 70", b"Max-Forwards: 256"): 400,
        whole().replace(b"Content-Length: 5", b"Content-Length: 6"): 400,
        whole().replace(b"INVITE sip:", b"INVITE http:"): 416,
        whole().replace(b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia"): 505,
        with_line(b"Require: \0\xff"): 420,
        with_line(b"\r\n".join([b"a:"] * 200)): 400,
        whole().replace(b"INVITE", b"BYE"): 481,
        whole().replace(b"INVITE", b"IN\xc3VITE"): 400,
        whole().replace(b"Via: SIP/2.0/UDP 127.0.0.1", b"Via: SIP/2.0/UDP "): 0,
        whole().replace(b"INVITE", b"ACK"): 0,
        b"\r\n\r\n": 0,
        b"": 0,
        random.Random(1).randbytes(700): 0,
    }
    loop = asyncio.get_running_loop()
    async with edge(core) as address, phone(address) as other:
        for octets, status in cases.items():
            async with raw(address) as sock:
                await loop.sock_sendall(sock, octets)
                assert (await other.call(FRIEND)).status == 302  # it has been looked at by now
                try:
                    answer = sock.recv(65_536)
                except BlockingIOError:
                    answer = b""
            assert answer[:12] == (b"SIP/2.0 %d " % status if status else b""), octets[:200]
            assert len(answer) <= len(octets) + ANSWER_MORE


async def over_tcp(listener: Listener, octets: bytes) -> bytes:
    """What comes back for octets on a connection of their own, once their sender is done."""
    async with peer(listener.port) as rude:
        rude.writer.write(octets)
        try:
            rude.writer.write_eof()
            return await rude.ended()
        except ConnectionError:
            return b""


async def served(listener: Listener, number: int) -> bool:
    async with peer(listener.port) as sbc:
        return (await Peer.ask(sbc, call(number))).status == 302


@pytest.mark.parametrize("siege", [noise, large, many, numeric])
async def test_a_siege_over_tcp(siege: Any) -> None:
    """Each on a connection of its own, and a call on another between them."""
    async with listening() as listener:
        for number, octets in enumerate(siege()):
            got = await over_tcp(listener, octets)
            assert got.startswith((b"SIP/2.0 ", b"\r\n")) or not got
            if number % 8 == 0:
                assert await served(listener, number)
        assert await served(listener, 999_999)


@pytest.mark.parametrize("siege", [truncated, odd])
async def test_pieces_in_a_row_over_tcp(siege: Any) -> None:
    """What follows a piece on its connection is taken as a part of it, and on no other."""
    async with listening() as listener:
        octets = list(siege())
        for place in range(0, len(octets), 16):
            got = await over_tcp(listener, b"".join(octets[place : place + 16]))
            assert got.startswith(b"SIP/2.0 ") or not got
        assert await served(listener, 1)
        assert not listener.closed.get("fault")


async def test_the_fuzzers_first_inputs_as_a_stream() -> None:
    async with listening() as listener:
        for octets in seeds.requests():
            await over_tcp(listener, octets * 3)
        assert await served(listener, 1)
        assert not listener.closed.get("fault")
