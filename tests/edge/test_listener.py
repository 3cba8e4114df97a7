"""The socket answers on either event loop, wherever an answer may have to go."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from callscreen.edge.calls import Screener
from callscreen.edge.ids import RecordIds
from callscreen.edge.listener import UdpListener, format_address, open_udp, parse_address
from callscreen.edge.metrics import Metrics
from callscreen.edge.uas import Uas
from callscreen.edge.view import BOTH, ScreeningView

from .messages import request
from .objects import FRIEND, NUISANCE, platform
from .running import phone


class Broken(Uas[Any]):
    """A UAS with a fault of our own in it."""

    def receive_datagram(self, *arguments: Any) -> Any:
        raise RuntimeError("a fault of ours")


async def listening(
    metrics: Metrics, kind: type[Uas] = Uas[Any]
) -> tuple[asyncio.BaseTransport, str]:
    view = ScreeningView()
    view.load(platform())
    view.whole(1)
    screener = Screener(lambda: view, BOTH, "edge", RecordIds(os.urandom))
    uas = kind(screener, lambda: True, b"secret", metrics)

    def made(record: Any) -> None:
        metrics.records_made += 1

    sock = await open_udp("127.0.0.1", 0)
    address = format_address(sock.getsockname())
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: UdpListener(uas, metrics, made, time.time), sock=sock
    )
    return transport, address


async def test_a_taken_address_is_named() -> None:
    with await open_udp("127.0.0.1", 0) as taken:
        host, port = taken.getsockname()
        with pytest.raises(OSError, match=f"The address {host}:{port} cannot be bound: "):
            await open_udp(host, port)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_answers_to_nowhere_harm_nothing(run: Callable[[Any], None]) -> None:
    async def scenario() -> None:
        metrics = Metrics()
        transport, address = await listening(metrics)
        async with phone(address) as sbc:
            for port in (1, 9, 65535):
                via = f"SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK-{port}"
                sbc.transport.sendto(request(via=via))
            assert (await sbc.call(FRIEND)).status == 302
            assert (await sbc.call(NUISANCE)).status == 302
        transport.close()
        assert (metrics.received, metrics.answered.total(), metrics.records_made) == (5, 5, 5)

    run(scenario())


async def test_a_fault_of_ours_costs_one_datagram() -> None:
    metrics = Metrics()
    transport, address = await listening(metrics, Broken)
    async with phone(address) as sbc:
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(sbc.call(FRIEND), 0.1)
    transport.close()
    assert metrics.dropped == {"fault": 2}


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


async def test_answers_that_the_kernel_does_not_take_are_not_heaped_up() -> None:
    metrics = Metrics()
    listener = UdpListener(
        Uas(lambda *_: None, lambda: True, b"k", metrics), metrics, print, time.time
    )
    sent: list[bytes] = []

    class Full(asyncio.DatagramTransport):
        def sendto(self, data: Any, addr: Any = None) -> None:
            sent.append(data)
            listener.pause_writing()

    listener.connection_made(Full())
    for _ in range(3):
        listener.datagram_received(request("OPTIONS"), ("192.0.2.9", 5070))
    assert (len(sent), metrics.dropped["send_buffer"]) == (1, 2)
    listener.resume_writing()
    listener.datagram_received(request("OPTIONS"), ("192.0.2.9", 5070))
    assert len(sent) == 2
    listener.connection_lost(None)
