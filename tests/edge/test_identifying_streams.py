"""Calls over TCP that await caller identity keep no other of their connection waiting."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from callscreen.edge import handed_over
from callscreen.edge.identifying import Identifying
from callscreen.edge.peers import PeerList
from callscreen.edge.sockets import parse_address
from callscreen.edge.streaming import StreamConfig, Streaming
from callscreen.edge.view import ScreeningView
from callscreen.edge.workers import WorkerConfig
from callscreen.fastpath.recent import RecentTable
from callscreen.v1 import records_pb2

from .identity_double import BAD, TOKEN, Double, provisioned
from .listening import Peer, call, peer

Eventually = Callable[..., Any]


class Running:
    def __init__(self, identity: Double) -> None:
        view = ScreeningView()
        view.load(provisioned())
        view.whole(1)
        config = WorkerConfig(b"secret", RecentTable(10_000), "e1")
        self.index = view.index
        self.identity = identity
        self.records: list[Any] = []
        self.identifying = Identifying(identity, lambda: self.index, config, os.urandom)
        loopback = PeerList().table
        self.streaming = Streaming(
            StreamConfig(),
            config,
            lambda: self.index,
            self.put,
            os.urandom,
            lambda: loopback,
            identifying=self.identifying,
        )

    def put(self, octets: bytes, count: int) -> None:
        self.records += records_pb2.AppendRequest.FromString(octets).records


@asynccontextmanager
async def running(identity: Double) -> AsyncIterator[tuple[Running, Peer]]:
    run = Running(identity)
    (address,) = await run.streaming.open("127.0.0.1", 0)
    run.identifying.start()
    every = (*run.streaming.coroutines(), run.identifying.run(run.put))
    tasks = [asyncio.create_task(each) for each in every]
    try:
        async with peer(parse_address(address)[1]) as sbc:
            yield run, sbc
    finally:
        await run.identifying.stop(run.put)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def signed(number: int) -> bytes:
    return call(number, "INVITE", f"Identity: {TOKEN}")


async def test_a_call_is_verified_and_answered_on_its_connection(eventually: Eventually) -> None:
    async with running(Double()) as (run, sbc):
        answer = await sbc.ask(signed(1))
        assert answer.status == 302
        assert "verstat=TN-Validation-Passed" in answer.one("P-Asserted-Identity")
        await eventually(lambda: run.records)
        assert run.records[0].identity.state == "valid"
        counted = run.streaming.counts().received, run.identifying.counts().received
        assert counted == (1, 0)


async def test_a_forged_one_is_turned_away() -> None:
    double = Double()
    double.now = BAD
    async with running(double) as (_, sbc):
        assert (await sbc.ask(signed(1))).status == 438


async def test_others_are_answered_while_one_waits(eventually: Eventually) -> None:
    double = Double()
    double.now = None
    async with running(double) as (run, sbc):
        sbc.writer.write(signed(1) + call(2) + call(3, "OPTIONS"))
        assert (await sbc.answer()).one("Call-ID") == "call-2"
        assert (await sbc.answer()).one("Call-ID") == "call-3"
        double.later.set()
        assert (await sbc.answer()).one("Call-ID") == "call-1"
        await eventually(lambda: len(run.records) == 2)


@pytest.mark.parametrize("reset", [True, False])
async def test_a_peer_that_is_gone_meanwhile_is_no_fault(
    eventually: Eventually, caplog: pytest.LogCaptureFixture, reset: bool
) -> None:
    double = Double()
    double.now = None
    async with running(double) as (run, sbc):
        sbc.writer.write(signed(1))
        await eventually(lambda: double.budgets)
        (connection,) = run.streaming.streams[0].open
        if reset:
            sock = sbc.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sbc.writer.close()
        await eventually(lambda: connection._transport is None if reset else connection._ended)
        double.later.set()
        await eventually(lambda: run.records)
        await eventually(lambda: not run.streaming.streams[0].open)
    assert run.records[0].identity.state == "valid"
    assert caplog.text == ""


async def test_what_finds_no_room_is_answered_at_once(
    monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(handed_over, "CALLS_MOST", 0)
    async with running(Double()) as (run, sbc):
        assert (await sbc.ask(signed(1))).status == 302
        await eventually(lambda: run.records)
        assert run.records[0].identity.state == "unknown"
        assert run.streaming.counts().received == 1
        assert run.identity.asked == []


async def test_a_stop_answers_what_waits(eventually: Eventually) -> None:
    double = Double()
    double.now = None
    async with running(double) as (run, sbc):
        sbc.writer.write(signed(1))
        await eventually(lambda: double.budgets)
        await run.identifying.stop(run.put)
        run.identifying = Identifying(
            double, lambda: run.index, WorkerConfig(b"s", RecentTable(10)), os.urandom
        )
        assert (await sbc.answer()).status == 302
    assert run.records[0].identity.state == "unknown"
