"""Peers that half close, hurry, dawdle or are sent away: what they lose is theirs alone."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

from callscreen.edge.connection import Limits
from callscreen.edge.framing import MESSAGE_OCTETS
from callscreen.edge.streams import host_of

from .listening import Later, awaiting, call, listening, peer


async def test_a_peer_that_half_closes_gets_the_answer_it_waits_for(
    eventually: Callable[..., Any],
) -> None:
    later = Later()
    async with listening(wait=later) as edge, peer(edge.port) as sbc:
        awaiting(edge)
        sbc.writer.write(call(1) + call(2))
        sbc.writer.write_eof()
        await eventually(lambda: len(later.replies) == 2)
        await asyncio.sleep(0)  # its end is heard
        later.answer()
        assert (await sbc.ended()).count(b"SIP/2.0 302") == 2
        await eventually(lambda: not edge.streams.open and not edge.streams._hosts)


async def test_a_peer_that_half_closes_and_awaits_nothing_is_let_go(
    eventually: Callable[..., Any],
) -> None:
    async with listening() as edge, peer(edge.port) as sbc:
        sbc.writer.write(call(1))
        sbc.writer.write_eof()
        assert (await sbc.ended()).startswith(b"SIP/2.0 302")
        await eventually(lambda: not edge.streams.open and not edge.streams._hosts)


async def test_answers_after_the_close_are_dropped_without_a_line(
    eventually: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    later = Later()
    async with listening(wait=later) as edge, peer(edge.port, limit=1_024) as sbc:
        awaiting(edge)
        sbc.writer.write(b"".join(call(number) for number in range(20)))
        await eventually(lambda: len(later.replies) == 20)
        (connection,) = edge.streams.open
        connection.write(bytes(8 * 1024 * 1024))  # more than any socket buffer takes
        connection.close("idle")
        with caplog.at_level(logging.DEBUG):
            later.answer()
        assert edge.streams.open
        assert not [record for record in caplog.records if record.levelno > logging.DEBUG]
        assert len(await sbc.ended()) == 8 * 1024 * 1024


async def test_a_refusal_is_read_by_a_peer_that_still_sends(
    eventually: Callable[..., Any],
) -> None:
    head = call(1).replace(b"Content-Length: 0", b"Content-Length: 9999999")

    def send(port: int) -> bytes:
        """All of a message that is far too long, then what is answered to it."""
        with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
            sock.sendall(head)
            for _ in range(100):
                sock.sendall(bytes(65_536))
            sock.shutdown(socket.SHUT_WR)
            got = b""
            while piece := sock.recv(4_096):
                got += piece
            return got

    async with listening() as edge:
        got = await asyncio.to_thread(send, edge.port)
        assert got.startswith(b"SIP/2.0 513")
        assert got.count(b"SIP/2.0 513") == 1
        await eventually(lambda: not edge.streams.open)
        assert edge.closed == {"too_large": 1}


async def test_a_refusal_waits_for_the_answers_before_it(eventually: Callable[..., Any]) -> None:
    later = Later()
    async with listening(wait=later) as edge, peer(edge.port) as sbc:
        awaiting(edge)
        sbc.writer.write(call(1) + call(2, "OPTIONS").replace(b"Content-Length: 0\r\n", b""))
        assert (await sbc.answer()).status == 400
        later.answer()
        assert (await sbc.ended()).startswith(b"SIP/2.0 302")


async def test_a_peer_that_was_refused_and_stays_is_let_go_in_time(
    eventually: Callable[..., Any],
) -> None:
    async with listening(limits=Limits(unread_seconds=0.2)) as edge, peer(edge.port) as sbc:
        sbc.writer.write(call(1).replace(b"Content-Length: 0\r\n", b""))
        assert (await sbc.answer()).status == 400
        sbc.writer.write(call(2))  # nothing more is answered
        assert await sbc.ended() == b""
        await eventually(lambda: not edge.streams.open)
        assert edge.closed == {"no_length": 1}
        assert edge.streams.counts.messages == 1


@pytest.mark.parametrize("sends", [True, False])
async def test_a_peer_that_is_no_longer_one_loses_its_connection(sends: bool) -> None:
    admitted = ["127.0.0.1"]
    async with (
        listening(admits=lambda host: host in admitted) as edge,
        peer(edge.port) as sbc,
    ):
        assert (await sbc.ask(call(1, "OPTIONS"))).status == 200
        admitted.clear()
        if sends:
            sbc.writer.write(call(2, "OPTIONS"))
        assert await sbc.ended() == b""
        assert edge.closed == {"untrusted": 1}
        assert edge.streams.counts.messages == 1


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (("192.0.2.1", 5060), "192.0.2.1"),
        (("::ffff:192.0.2.1", 5060, 0, 0), "192.0.2.1"),
        (("fe80::1%eth0", 5060, 0, 2), "fe80::1"),
        (("2001:db8::1", 5060, 0, 0), "2001:db8::1"),
    ],
)
def test_a_peer_is_known_by_its_address_alone(address: tuple[Any, ...], host: str) -> None:
    assert host_of(address) == host


async def test_what_comes_together_is_answered_together(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as edge, peer(edge.port) as sbc:
        await sbc.ask(call(1, "OPTIONS"))
        (connection,) = edge.streams.open
        written: list[int] = []
        plain = connection._transport.write

        def write(octets: bytes) -> None:
            written.append(len(octets))
            plain(octets)

        monkeypatch.setattr(connection, "_transport", Written(connection._transport, write))
        connection.data_received(b"\r\n\r\n" * 1_000 + call(2, "OPTIONS") * 10)
        assert len(written) == 1
        assert await asyncio.wait_for(sbc.reader.readexactly(2_000), 20) == b"\r\n" * 1_000
        assert (await sbc.answer()).status == 200


class Written:
    """A transport whose writes are counted."""

    def __init__(self, transport: Any, write: Callable[[bytes], None]) -> None:
        self._transport, self.write = transport, write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def test_a_message_that_we_did_not_read_is_not_slow() -> None:
    now = [1_000.0]
    limits = Limits(message_seconds=10, unread_seconds=10)
    async with listening(limits=limits, now=lambda: now[0]) as edge, peer(edge.port) as sbc:
        await sbc.ask(call(1, "OPTIONS"))
        (connection,) = edge.streams.open
        connection.data_received(call(2)[:40])
        connection.pause_writing()
        now[0] += 9
        connection.resume_writing()
        now[0] += 9
        assert not connection.overdue(now[0])
        now[0] += 2
        assert connection.overdue(now[0]) == "slow"


async def test_random_octets_cut_anyhow_leave_no_connection_behind(
    eventually: Callable[..., Any],
) -> None:
    async with listening(limits=Limits(unread_seconds=0.2)) as edge:
        for length in range(0, 2_000, 97):
            async with peer(edge.port) as stranger:
                stranger.writer.write(os.urandom(length) + b"\r\n\r\n" + bytes(MESSAGE_OCTETS))
                stranger.writer.write_eof()
                await stranger.ended()
        await eventually(lambda: not edge.streams.open and not edge.streams._hosts)
        async with peer(edge.port) as sbc:
            assert (await sbc.ask(call(1))).status == 302
