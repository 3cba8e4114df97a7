"""Workers on sockets of one address: data handed over, records taken, all of them stopped."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from callscreen.edge import sockets as sockets_module
from callscreen.edge import workers as workers_module
from callscreen.edge.peers import PeerList
from callscreen.edge.sockets import (
    RECEIVE_BUFFER,
    can_segment,
    check_buffer,
    format_address,
    open_udp,
    overflows,
    parse_address,
)
from callscreen.edge.view import ScreeningView
from callscreen.edge.workers import WorkerConfig, Workers
from callscreen.fastpath.index import Index
from callscreen.fastpath.recent import RecentTable
from callscreen.v1 import records_pb2

from .objects import FRIEND, number, platform
from .running import Phone, phone

Eventually = Callable[..., Any]


def view(*more: Any, revision: int = 1) -> ScreeningView:
    view = ScreeningView()
    view.load([*platform(), *more])
    view.whole(revision)
    return view


class Running:
    """Workers, and what they gave."""

    def __init__(self, sockets: list[socket.socket], index: Index | None) -> None:
        config = WorkerConfig(b"secret", RecentTable(10_000), "e1", ring_octets=1 << 20)
        self.address = format_address(sockets[0].getsockname())
        self.workers = Workers(sockets, config, os.urandom)
        self.index = index
        self.records: list[Any] = []

    def put(self, octets: bytes, count: int) -> None:
        found = records_pb2.AppendRequest.FromString(octets).records
        assert len(found) == count
        self.records += found


@asynccontextmanager
async def running(
    index: Index | None, count: int = 1, host: str = "127.0.0.1"
) -> AsyncIterator[Running]:
    run = Running(await open_udp(host, 0, count), index)
    run.workers.start()
    run.workers.answer_from(index)
    loopback = PeerList().table
    task = asyncio.create_task(run.workers.run(lambda: run.index, lambda: loopback, run.put))
    try:
        yield run
    finally:
        await run.workers.stop(run.put)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_peer_with_one_port_is_answered_by_all_workers(eventually: Eventually) -> None:
    async with running(view().index, 2) as run, phone(run.address) as sbc:
        for _ in range(100):
            assert (await sbc.call(FRIEND)).status == 302
        await eventually(lambda: len(run.records) == 100)
        each = [counted.received for counted in run.workers.each()]
        assert sum(each) == 100
        assert min(each) > 10
        assert run.workers.counts().answered == {302: 100}
        assert run.workers.seconds().count == 100
        assert run.workers.overflows() == [0, 0]
    assert len({record.cdr_id for record in run.records}) == 100


async def test_a_call_sent_again_to_another_worker_is_known() -> None:
    async with running(view().index, 2) as run, phone(run.address) as sbc:
        await sbc.call(FRIEND)
        for _ in range(20):
            sbc.calls = 0
            assert (await sbc.call(FRIEND)).status == 302
        assert run.workers.counts().retransmitted == 20
    assert len(run.records) == 1


async def test_an_index_that_is_replaced_is_let_go(eventually: Eventually) -> None:
    first, second = view(), view(number(whitelist=[]), revision=2)
    alone = sys.getrefcount(first.index)
    async with running(None, 2) as run, phone(run.address) as sbc:
        assert (await sbc.call(FRIEND)).status == 503
        run.index = first.index
        await reached(sbc, 302)
        assert sys.getrefcount(first.index) > alone
        run.index = second.index
        await reached(sbc, 603)
        await eventually(lambda: sys.getrefcount(first.index) == alone)
        assert sys.getrefcount(second.index) >= alone + 2, "each worker has it"


async def reached(sbc: Phone, status: int) -> None:
    """Returns once twenty calls in a row are answered so: by every worker."""
    row = 0
    async with asyncio.timeout(20):
        while row < 20:
            row = row + 1 if (await sbc.call(FRIEND)).status == status else 0


async def test_a_stop_takes_the_last_records() -> None:
    async with running(view().index, 2) as run, phone(run.address) as sbc:
        for _ in range(50):
            await sbc.call(FRIEND)
    assert len(run.records) == 50
    assert run.workers.overflows() == [0, 0], "also after the sockets were closed"


async def test_an_answer_leaves_from_the_address_that_was_asked() -> None:
    async with running(view().index, 2, "0.0.0.0") as run:
        _, port = parse_address(run.address)
        for host in ("127.0.0.1", "127.0.0.2", "127.1.2.3"):
            async with phone(f"{host}:{port}") as sbc:  # hears nobody else
                assert (await sbc.call(FRIEND)).status == 302


async def test_both_families_on_one_socket() -> None:
    async with running(view().index, 2, "::") as run:
        _, port = parse_address(run.address)
        for host in ("[::1]", "127.0.0.1", "127.0.0.2"):
            async with phone(f"{host}:{port}") as sbc:
                assert (await sbc.call(FRIEND)).status == 302
    assert {record.source_ip for record in run.records} == {"::1", "127.0.0.1"}


@pytest.mark.parametrize("count", [1, 2])
async def test_a_taken_address_is_named_and_never_shared(count: int) -> None:
    taken = await open_udp("127.0.0.1", 0, count)
    host, port = taken[0].getsockname()
    for wanted in (1, 2):
        with pytest.raises(OSError, match=f"The address {host}:{port} cannot be bound: "):
            await open_udp(host, port, wanted)
    assert {sock.getsockname() for sock in taken} == {(host, port)}
    for sock in taken:
        sock.close()


async def test_what_a_socket_can_do_is_told() -> None:
    (sock,) = await open_udp("127.0.0.1", 0)
    assert can_segment(sock)
    assert overflows(sock) == 0
    sock.close()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        assert not can_segment(other)


async def test_drops_are_summed_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, eventually: Eventually
) -> None:
    monkeypatch.setattr(workers_module, "SUMMARY_SECONDS", 0.1)
    async with running(view().index) as run, phone(run.address) as sbc:
        for _ in range(30):
            sbc.transport.sendto(b"SIP/2.0 200 OK\r\n\r\n")
        await sbc.call(FRIEND)
        await eventually(lambda: "30 response" in caplog.text)
        await asyncio.sleep(0.3)
    assert len([line for line in caplog.messages if line.startswith("dropped")]) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:5060", ("127.0.0.1", 5060)),
        ("[::1]:0", ("::1", 0)),
        ("edge.example:65535", ("edge.example", 65535)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert parse_address(text) == expected
    assert format_address(expected) == text


@pytest.mark.parametrize("text", ["", "5060", ":5060", "host:", "host:x", "host:65536", "host:-1"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        parse_address(text)


@pytest.mark.parametrize(("octets", "told"), [(64 * 1024, True), (RECEIVE_BUFFER, False)])
async def test_a_small_receive_buffer_is_told(
    octets: int, told: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (sock,) = await open_udp("127.0.0.1", 0)
    with sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, octets)
        given = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
        monkeypatch.setattr(sockets_module, "RECEIVE_BUFFER", given + told)
        check_buffer(sock)
    assert [record.levelname for record in caplog.records] == ["WARNING"] * told
    assert all(f"{given // 1024} KiB" in record.message for record in caplog.records)
