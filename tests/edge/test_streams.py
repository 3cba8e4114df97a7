"""Calls over TCP are answered on their connection; no peer takes more than its share."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from callscreen.edge.connection import Limits
from callscreen.v1 import records_pb2

from .listening import call, listening, peer
from .objects import CALLED, FRIEND


async def test_a_call_is_answered_on_its_connection_and_recorded() -> None:
    async with listening() as edge, peer(edge.port) as sbc:
        answer = await sbc.ask(call(1, body=b"v=0\r\n"))
        assert answer.status == 302
        assert "received=127.0.0.1" in answer.one("Via")
        assert (await sbc.ask(call(2, "OPTIONS"))).status == 200
        (record,) = edge.records
        (message,) = records_pb2.AppendRequest.FromString(record).records
        assert (message.call_id, message.status) == ("call-1", 302)


async def test_requests_in_a_row_are_answered_in_order_and_an_ack_is_not() -> None:
    async with listening() as edge, peer(edge.port) as sbc:
        sbc.writer.write(b"".join([call(1), call(1, "ACK"), call(2), b"\r\n\r\n", call(3)]))
        assert (await sbc.answer()).one("Call-ID") == "call-1"
        assert (await sbc.answer()).one("Call-ID") == "call-2"
        assert await asyncio.wait_for(sbc.reader.readexactly(2), 20) == b"\r\n"
        assert (await sbc.answer()).one("Call-ID") == "call-3"


async def test_octets_may_come_one_by_one() -> None:
    async with listening() as edge, peer(edge.port) as sbc:
        for octet in call(1):
            sbc.writer.write(bytes([octet]))
            await sbc.writer.drain()
        assert (await sbc.answer()).status == 302


@pytest.mark.parametrize(
    ("length", "status", "why"),
    [("", 400, "no_length"), ("x", 400, "bad_length"), ("99999", 513, "too_large")],
)
async def test_a_message_without_an_end_is_refused_and_ends_the_connection(
    length: str, status: int, why: str
) -> None:
    head = call(1).replace(b"Content-Length: 0\r\n", f"l: {length}\r\n".encode() if length else b"")
    async with listening() as edge, peer(edge.port) as sbc:
        answer = await sbc.ask(head + call(2))
        assert answer.status == status
        assert answer.one("Call-ID") == "call-1"
        assert await sbc.ended() == b""
        assert edge.closed == {why: 1}


@pytest.mark.parametrize("octets", [b"SIP/2.0 200 OK\r\n\r\n", call(1, "ACK")])
async def test_what_is_never_answered_is_not_answered_for_its_length(octets: bytes) -> None:
    octets = octets.replace(b"Content-Length: 0\r\n", b"")
    async with listening() as edge, peer(edge.port) as sbc:
        sbc.writer.write(octets)
        assert await sbc.ended() == b""


async def test_garbage_ends_the_connection_of_its_sender_alone() -> None:
    async with listening() as edge, peer(edge.port) as sbc, peer(edge.port) as stranger:
        stranger.writer.write(os.urandom(16) + bytes(40_000))
        await stranger.ended()
        assert edge.closed == {"head_too_large": 1}
        assert (await sbc.ask(call(1))).status == 302


async def test_what_stays_unfinished_or_idle_is_closed() -> None:
    limits = Limits(message_seconds=0.2, idle_seconds=0.6)
    async with listening(limits=limits) as edge, peer(edge.port) as slow, peer(edge.port) as idle:
        slow.writer.write(call(1)[:40])
        assert await slow.ended() == b""
        assert await idle.ended() == b""
        assert edge.closed == {"slow": 1, "idle": 1}


async def test_a_peer_that_reads_nothing_is_not_read_and_then_closed(
    eventually: Callable[..., Any],
) -> None:
    limits = Limits(unread_octets=4_096, unread_seconds=0.2)
    async with listening(limits=limits) as edge, peer(edge.port, limit=1_024) as sbc:
        batch = b"".join(call(number, "OPTIONS") for number in range(200))
        for _ in range(400):
            sbc.writer.write(batch)
            if edge.closed:
                break
            await asyncio.sleep(0.01)
        await eventually(lambda: edge.closed == {"unread": 1}, 5.0)
        assert edge.streams.counts.messages < 400 * 200


async def test_a_peer_that_reads_nothing_does_not_linger_once_it_is_closed(
    eventually: Callable[..., Any],
) -> None:
    limits = Limits(idle_seconds=0.2, unread_seconds=0.2)
    async with listening(limits=limits) as edge, peer(edge.port, limit=1_024) as sbc:
        for connection in range(3):
            sbc.writer.write(call(connection, "OPTIONS") * 100)
        await eventually(lambda: edge.streams.counts.messages == 300)
        (connection,) = edge.streams.open
        connection._transport.write(bytes(8 * 1024 * 1024))  # more than any socket buffer takes
        connection.resume_writing()  # as if the bound had not been reached
        await eventually(lambda: not edge.streams.open, 8.0)
        assert edge.closed == {"idle": 1}


async def test_connections_are_bounded_for_a_host_and_in_all(
    eventually: Callable[..., Any],
) -> None:
    limits = Limits(connections=3, connections_a_host=2)
    async with listening(limits=limits) as edge:
        async with peer(edge.port) as one, peer(edge.port) as two:
            assert (await one.ask(call(1))).status == 302
            assert (await two.ask(call(2))).status == 302
            async with peer(edge.port) as three:
                assert await three.ended() == b""
            assert edge.closed == {"too_many_of_host": 1}
        await eventually(lambda: not edge.streams.open)
        async with peer(edge.port) as again:
            assert (await again.ask(call(3))).status == 302


async def test_a_host_that_is_not_admitted_is_closed_at_once() -> None:
    async with listening(admits=lambda host: host != "127.0.0.1") as edge, peer(edge.port) as sbc:
        assert await sbc.ended() == b""
        assert edge.closed == {"untrusted": 1}


async def test_many_connections_leave_nothing_behind(eventually: Callable[..., Any]) -> None:
    async with listening() as edge:
        for _ in range(20):
            peers = [await asyncio.open_connection("127.0.0.1", edge.port) for _ in range(20)]
            for _, writer in peers:
                writer.write(call(1)[: os.urandom(1)[0]])
                writer.transport.abort()
        await eventually(lambda: edge.streams.counts.opened + len(edge.closed) >= 1)
        await eventually(lambda: not edge.streams.open and not edge.streams._hosts)


async def test_torture_messages_end_as_they_should_and_a_call_succeeds_after_each(
    torture: Path,
) -> None:
    expected = json.loads((torture / "expected.json").read_text())
    async with listening(limits=Limits(message_seconds=0.3)) as edge:
        for name, want in expected.items():
            async with peer(edge.port) as stranger:
                stranger.writer.write((torture / f"{name}.dat").read_bytes())
                stranger.writer.write_eof()
                got = await stranger.ended()
            status = int(got[8:11]) if got.startswith(b"SIP/2.0 ") else 0
            if want["class"] == "drop" or name in ("noreason", "unreason"):
                assert status == 0, name
            elif want["class"] != "accept" and want["answer"] is not None and name != "invut":
                # A message whose length tells no end has none in a stream: it may also be cut off.
                assert status in (*want["answer"], 0, 400), name
            async with peer(edge.port) as sbc:
                assert (await sbc.ask(call(1))).status == 302, name


async def test_sipp_calls_over_tcp(sipp: str, tmp_path: Path) -> None:
    scenario = Path(__file__).parent / "sipp" / "redirected.xml"
    async with listening() as edge:
        process = await asyncio.create_subprocess_exec(
            *(sipp, f"127.0.0.1:{edge.port}", "-t", "t1", "-sf", str(scenario), "-s", CALLED),
            *("-key", "calling", FRIEND, "-i", "127.0.0.1", "-m", "50", "-r", "100"),
            *("-timeout", "10s", "-timeout_error", "-nostdin", "-recv_timeout", "3000"),
            cwd=tmp_path,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(), 15)
        assert process.returncode == 0, output.decode(errors="replace")[-2000:]
        assert len(edge.records) == 50
