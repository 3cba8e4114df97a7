"""Calls sent on, as who looks sees them: `callscreen trace`, `callscreen edge top`, HEP."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from callscreen.edge.capturing import CaptureConfig
from callscreen.edge.sockets import parse_address
from callscreen.fastpath.numbers import pack
from callscreen.fastpath.ring import RingBuffer
from callscreen.fastpath.tapping_types import ALL, WATCHED
from callscreen.ops import Instruments
from callscreen.ops.admin import admin
from callscreen.trace import told

from ..fastpath.looping import Peer, close_peers
from ..fastpath.test_tapping import taken
from .objects import CALLED, FRIEND
from .proxying import Called, Proxy, also, objects_to, proxying
from .running import edge
from .test_hep import Server
from .test_top import command
from .test_trace import watch


class Run(NamedTuple):
    admin: str
    caller: Peer
    called: Called
    own: int  # port of the edge


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    close_peers()


@asynccontextmanager
async def proxy_edge(core: Any, **more: Any) -> AsyncIterator[Run]:
    called, instruments = Called(), Instruments("edge", "1")
    for each in objects_to(called.address):
        core.note(each.name, body=each)
    async with (
        admin(instruments, "127.0.0.1:0") as shown,
        edge(core, mode="proxy", instruments=instruments, **more) as address,
    ):
        where = parse_address(address)
        yield Run(shown, Peer(where), called, where[1])


async def through(run: Run, *statuses: bytes) -> bytes:
    """A call that is sent on and answered; its octets."""
    data = run.caller.invite()
    run.caller.socket.send(data)
    await asyncio.to_thread(run.called.take)
    for status in statuses:
        run.called.answer(status)
        await asyncio.to_thread(run.caller.socket.recv, 70_000)
    return data


async def test_a_trace_shows_where_a_call_went_and_how_it_ended(core: Any) -> None:
    async with (
        proxy_edge(core) as run,
        watch(run.admin, number=CALLED, count="1") as one,
        watch(run.admin, number="+15550001111", count="1") as other,
    ):
        assert "watching" in await one.line()
        assert "watching" in await other.line()
        await through(run, b"180 Ringing", b"486 Busy Here")
        call, end = await one.line(), await one.line()
        assert await one.line() == {}
        assert (call["called"]["number"], call["verdict"]["treatment"]) == (CALLED, "continue")
        assert call["sent_on"].startswith(f"INVITE sip:{CALLED}@{run.called.address} ")
        assert call["next_hop"] == run.called.address.replace(":", " port ")
        assert call["answer"] == ""
        assert end["response"] == "SIP/2.0 486 Busy Here"
        assert end["call_id"] == call["call_id"]
        assert end["to"] == f"127.0.0.1 port {run.caller.port}"
        assert f"  sent on  INVITE sip:{CALLED}@" in told(call)
        assert "  answer" not in told(call)
        assert told(end).startswith("SIP/2.0 486 Busy Here\n  from     127.0.0.1 port ")
        # A response is none of a watcher's whose number was not in the call.
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(other.line(), 0.2)


async def test_top_shows_what_is_sent_on(core: Any) -> None:
    async with proxy_edge(core) as run:
        top = await command("edge", "top", "--edge", run.admin, "--seconds", "1")
        block = asyncio.create_task(top.communicate())
        while not block.done():
            await through(run, b"486 Busy Here")
            await asyncio.sleep(0.02)
        out, err = block.result()
        assert (top.returncode, err) == (0, b"")
        (line,) = [each for each in out.decode().splitlines() if each.startswith("sent/s")]
        words = line.split()
        assert float(words[1]) > 0
        assert float(words[words.index("responses") + 1]) > 0


async def test_a_capture_server_gets_each_message_before_and_behind_the_proxy(core: Any) -> None:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    async with proxy_edge(core, capture=CaptureConfig(f"127.0.0.1:{port}", 9, "")) as run:
        data = await through(run, b"486 Busy Here")
        theirs, hop = run.caller.port, int(run.called.address.rpartition(":")[2])
        ways = ((theirs, run.own), (run.own, hop), (hop, run.own), (run.own, theirs))
        got = [await server.next() for _ in ways]
        for found, way in zip(got, ways, strict=True):
            assert tuple(int.from_bytes(found[each], "big") for each in (7, 8)) == way
            assert found[17] == got[0][17]
        assert (got[0][15], got[1][15]) == (data, run.called.data)
        assert got[2][15].startswith(b"SIP/2.0 486")
        assert got[2][15].count(b"\r\nVia:") == got[3][15].count(b"\r\nVia:") + 1
    transport.close()


def test_a_worker_copies_what_it_sends_on_and_brings_back() -> None:
    with proxying(taps=RingBuffer(1 << 20)) as proxy:
        proxy.worker.tap(ALL)
        invite = went(proxy)
        call, ringing, ended, ack = taken(proxy.worker)
        assert (call.request, call.call, call.relayed) == (invite, True, False)
        assert (call.target, call.answer_port) == (
            "127.0.0.1",
            proxy.called.socket.getsockname()[1],
        )
        assert call.answer.startswith(b"INVITE sip:+15551230001@egress.example")
        assert (ringing.status, ringing.relayed) == (180, True)
        assert (ended.status, ended.relayed, ended.call) == (486, True, False)
        assert (ended.target, ended.answer_port) == ("127.0.0.1", proxy.caller.port)
        assert ack.request.startswith(b"ACK ")
        assert (ack.target, ack.relayed, ack.status) == ("127.0.0.1", False, 0)
        proxy.worker.tap(WATCHED, [pack(FRIEND)])
        went(proxy)
        assert [each.status for each in taken(proxy.worker)] == [0, 486]


def went(proxy: Proxy) -> bytes:
    """A call that rings, is refused, and acknowledged; its octets."""
    invite = proxy.caller.invite()
    proxy.send(invite)
    for status in (b"180 Ringing", b"486 Busy Here"):
        proxy.called.answer(status)
        proxy.relayed()
    proxy.send(also(invite, b"ACK"))
    return invite
