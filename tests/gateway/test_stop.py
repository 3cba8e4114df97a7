"""How the gateway ends: soon, and without a word about the requests that it cuts off."""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator

import pytest
import uvloop

from callscreen.gateway import GatewayConfig, serve

SOON = 1.8  # seconds: the limit, what uvicorn needs to notice, and a busy host
HALF_SENT = (
    b"POST /pcs/api/authenticate HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
    b'{"username": "pcs_admin'
)
WAITING = b"GET /pcs/api/service_provider HTTP/1.1\r\nHost: a\r\nAuthorization: Basic a\r\n\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def stopped_with(requests: list[bytes], core: str = "127.0.0.1:1") -> AsyncIterator[None]:
    """A gateway that has these requests open; it is told to stop at the end of the block."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    config = GatewayConfig(http="127.0.0.1:0", grpc=core)
    task = asyncio.create_task(serve(config, ready.set_result, stop))
    host, _, port = (await ready).rpartition(":")
    opened: list[Streams] = []
    for request in requests:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        opened.append((reader, writer))
    await asyncio.sleep(0.1)
    yield
    stop.set()
    await asyncio.wait_for(task, 20)
    for reader, writer in opened:
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()


def assert_quiet(caplog: pytest.LogCaptureFixture) -> None:
    loud = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert loud == []


async def stop_with_half_sent_requests() -> float:
    async with stopped_with([HALF_SENT] * 20):
        began = time.monotonic()
    return time.monotonic() - began


async def test_half_sent_requests_do_not_hold_up_a_stop(caplog: pytest.LogCaptureFixture) -> None:
    assert await stop_with_half_sent_requests() < SOON
    assert_quiet(caplog)


def test_nor_do_they_on_the_loop_that_the_command_runs_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert uvloop.run(stop_with_half_sent_requests()) < SOON
    assert_quiet(caplog)


async def test_a_request_that_waits_for_the_core_is_cut_off(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        async with stopped_with([WAITING] * 3, f"127.0.0.1:{silent.getsockname()[1]}"):
            began = time.monotonic()
        assert time.monotonic() - began < SOON
    assert_quiet(caplog)


async def test_a_request_that_arrives_while_it_stops_is_answered() -> None:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    config = GatewayConfig(http="127.0.0.1:0", grpc="127.0.0.1:1")
    task = asyncio.create_task(serve(config, ready.set_result, stop))
    host, _, port = (await ready).rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(HALF_SENT)
    await asyncio.sleep(0.1)
    stop.set()
    await asyncio.sleep(0.3)
    writer.write(b"x" * 77)
    answer = await asyncio.wait_for(reader.read(), 20)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"not valid JSON" in answer
    await asyncio.wait_for(task, 20)
    writer.close()
