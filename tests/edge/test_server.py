"""An edge as a whole: real sockets, a core that comes and goes, calls answered all along."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from callscreen.edge import workers as workers_module
from callscreen.edge.server import EdgeConfig, serve
from callscreen.edge.sockets import format_address

from .messages import Response, read, request
from .objects import CALLED, FRIEND, NUISANCE, number
from .running import Phone, edge, phone, provision

Eventually = Callable[..., Any]


async def answered(sbc: Phone, status: int) -> None:
    """Returns once calls of the friend are answered so."""
    async with asyncio.timeout(20):
        while (await sbc.call(FRIEND)).status != status:
            pass


def free_address() -> str:
    """Where nobody listens, neither for datagrams nor for streams."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            suppress(OSError),
        ):
            udp.bind(("127.0.0.1", 0))
            tcp.bind(udp.getsockname())
            return format_address(udp.getsockname())


async def first_answer(sbc: Phone, running: asyncio.Task[None]) -> Response:
    """The answer to the first call that finds a socket, while the edge runs."""
    async with asyncio.timeout(20):
        while True:
            if running.done():
                running.result()
            with suppress(TimeoutError):
                return await asyncio.wait_for(sbc.call(FRIEND), 0.1)


async def test_calls_are_answered_and_recorded(core: Any, eventually: Eventually) -> None:
    provision(core)
    async with edge(core) as address, phone(address) as sbc:
        port = sbc.transport.get_extra_info("sockname")[1]
        answer = await sbc.call(FRIEND)
        assert answer.one("Contact") == f"<sip:{CALLED}@127.0.0.1:{port}>"
        assert (await sbc.call("+15550000000")).status == 603
        assert (await sbc.call(FRIEND, "OPTIONS")).status == 200
        await eventually(lambda: len(core.records) == 2)
    assert list(core.records.values()) == [f"{port}-1", f"{port}-2"]
    assert list(core.records) == sorted(core.records)


async def test_a_change_is_in_the_next_answer(core: Any, eventually: Eventually) -> None:
    provision(core)
    async with edge(core) as address, phone(address) as sbc:
        assert (await sbc.call(FRIEND)).status == 302
        changed = number(whitelist=[NUISANCE])
        await core.commit(changed.name, body=changed)
        await answered(sbc, 603)
        assert (await sbc.call(NUISANCE)).status == 302


async def test_calls_go_on_while_the_core_is_gone_and_no_record_is_lost(
    core: Any, eventually: Eventually
) -> None:
    provision(core)
    async with edge(core) as address, phone(address) as sbc:
        assert (await sbc.call(FRIEND)).status == 302
        await eventually(lambda: len(core.records) == 1)
        await core.stop()
        for _ in range(50):
            assert (await sbc.call(FRIEND)).status == 302
        core.note(number().name, body=number())
        await core.start()
        await eventually(lambda: len(core.records) == 51)
        await answered(sbc, 603)


async def test_before_the_core_is_there_calls_are_asked_to_come_again(core: Any) -> None:
    await core.stop()
    address = free_address()
    ready: list[str] = []
    stop = asyncio.Event()
    config = EdgeConfig(sip=address, grpc=f"127.0.0.1:{core.port}")
    task = asyncio.create_task(serve(config, ready.append, stop))
    async with phone(address) as sbc:
        answer = await first_answer(sbc, task)
        assert (answer.status, answer.one("Retry-After")) == (503, "2")
        assert ready == []
        provision(core)
        await core.start()
        await answered(sbc, 302)
        assert ready == [address]
    stop.set()
    await asyncio.wait_for(task, 20)


async def test_a_stop_flushes_the_records(core: Any) -> None:
    provision(core)
    async with edge(core) as address, phone(address) as sbc:
        for _ in range(20):
            await sbc.call(FRIEND)
    assert len(core.records) == 20


async def test_ipv6(core: Any, eventually: Eventually) -> None:
    provision(core)
    async with edge(core, sip="[::1]:0") as address, phone(address) as sbc:
        assert address.startswith("[::1]:")
        port = sbc.transport.get_extra_info("sockname")[1]
        answer = await sbc.call(FRIEND)
        assert answer.one("Contact") == f"<sip:{CALLED}@[::1]:{port}>"


async def test_rubbish_stops_nothing_and_is_summed_up_in_one_line(
    core: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers_module, "SUMMARY_SECONDS", 0.2)
    provision(core)
    async with edge(core) as address, phone(address) as sbc:
        caplog.clear()
        for size in range(100):
            sbc.transport.sendto(b"\x00" * size)
            sbc.transport.sendto(b"SIP/2.0 200 OK\r\n\r\n")
            sbc.transport.sendto(b"\r\n\r\n")
        via = "SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK-large"
        sbc.transport.sendto(request(via=via, body=b"x" * 60_000))
        assert read(await asyncio.wait_for(sbc.got.get(), 20)).status in (302, 603)
        assert (await sbc.call(FRIEND)).status == 302
        await asyncio.sleep(0.3)
        assert (await sbc.call(FRIEND)).status == 302
    lines = [line for line in caplog.messages if line.startswith("dropped")]
    assert len(lines) == 1
    assert "100 response" in lines[0]


async def test_an_address_in_use_is_an_error_at_once(core: Any) -> None:
    provision(core)
    async with edge(core) as address:
        with pytest.raises(OSError, match="in use"):
            await serve(EdgeConfig(sip=address), print, asyncio.Event())


@pytest.mark.parametrize(
    "config",
    [
        EdgeConfig(product="all"),
        EdgeConfig(workers=0),
        EdgeConfig(workers=65),
        EdgeConfig(sip="5060"),
        EdgeConfig(sip=":5060"),
        EdgeConfig(sip="127.0.0.1:65536"),
        EdgeConfig(sip="127.0.0.1:x"),
    ],
)
async def test_a_bad_configuration_is_refused(config: EdgeConfig) -> None:
    with pytest.raises(ValueError, match=r"product|workers|HOST:PORT"):
        await serve(config, print, asyncio.Event())


async def test_records_outlast_an_edge_that_stops_while_the_core_is_gone(
    core: Any, eventually: Eventually, tmp_path: Path
) -> None:
    provision(core)
    state = str(tmp_path / "edge")
    async with edge(core, state=state, workers=2) as address, phone(address) as sbc:
        await sbc.call(FRIEND)
        await eventually(lambda: len(core.records) == 1)
        await core.stop()
        for _ in range(30):
            assert (await sbc.call(FRIEND)).status == 302
    async with edge(core, state=state, sip=address) as again, phone(again) as sbc:
        assert (await sbc.call(FRIEND)).status == 302, "from the replica on disk"
        await core.start()
        await eventually(lambda: len(core.records) == 32)


async def test_one_edge_uses_a_folder(core: Any, tmp_path: Path) -> None:
    provision(core)
    async with edge(core, state=str(tmp_path)):
        config = EdgeConfig(sip="127.0.0.1:0", state=str(tmp_path))
        with pytest.raises(OSError, match="another edge uses"):
            await serve(config, print, asyncio.Event())


async def test_answers_sent_one_by_one(core: Any) -> None:
    provision(core)
    async with edge(core, segmentation=False) as address, phone(address) as sbc:
        assert (await sbc.call(FRIEND)).status == 302
