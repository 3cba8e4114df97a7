"""The admin endpoint: what it answers, and what it does not put up with."""

import asyncio
import threading
from typing import Any

import pytest

from callscreen.ops import Family, Instruments
from callscreen.ops import admin as module
from callscreen.ops.admin import admin
from callscreen.ops.limits import CONNECTIONS, REQUEST_BYTES

from .conftest import Endpoint, ask

GAUGE = Family("test_depth", "gauge", "How deep.")


async def test_metrics_are_those_declared_and_those_of_the_process(endpoint: Endpoint) -> None:
    endpoint.instruments.declare((GAUGE,), lambda add: add("test_depth", 7))
    answer = await endpoint.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# HELP test_depth How deep.\n# TYPE test_depth gauge\ntest_depth 7.0\n" in answer.body
    assert 'callscreen_build_info{part="test",version="1.2.3"} 1.0\n' in answer.body
    for name in ("process_cpu_seconds_total", "process_open_fds", "python_gc_collections_total"):
        assert f"# TYPE {name.removesuffix('_total')}" in answer.body


async def test_head_has_no_body(endpoint: Endpoint) -> None:
    whole, head = await endpoint.get("/healthz"), await endpoint.get("/healthz", "HEAD")
    assert (whole.status, whole.body) == (200, "ok\n")
    assert (head.status, head.body) == (200, "")
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert head.headers["connection"] == "close"


async def test_readiness_follows_the_part_and_its_checks(endpoint: Endpoint) -> None:
    health = endpoint.instruments.health
    why = ""

    async def check() -> str:
        return why

    health.check(check)
    assert (await endpoint.get("/readyz"))[::2] == (503, "starting\n")
    health.serving()
    assert (await endpoint.get("/readyz"))[::2] == (200, "ready\n")
    health.stopping()
    assert (await endpoint.get("/readyz"))[::2] == (503, "stopping\n")
    why = "no room"
    health._since = -10.0  # what was found is old
    health.serving()
    assert (await endpoint.get("/readyz"))[::2] == (503, "no room\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get"])
async def test_nothing_but_get_and_head_is_answered(endpoint: Endpoint, method: str) -> None:
    answer = await endpoint.get("/metrics", method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 404),
        (b"GET /metrics/ HTTP/1.1\r\n\r\n", 404),
        (b"GET /healthz?verbose=1 HTTP/1.0\r\n\r\n", 200),
        (b"GET /healthz\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nX: " + b"x" * REQUEST_BYTES + b"\r\n\r\n", 431),
        (b"", 0),
        (b"GET /healthz HTTP/1.1\r\n", 0),
    ],
)
async def test_odd_requests(endpoint: Endpoint, request_: bytes, status: int) -> None:
    host, _, port = endpoint.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request_)
    writer.write_eof()
    got = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert int(got.split()[1] if got else 0) == status


async def test_who_says_nothing_is_cut_off(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REQUEST_SECONDS", 0.05)
    assert (await ask(endpoint.address, b"GET /heal")).status == 0


async def test_connections_are_bounded_and_given_back(endpoint: Endpoint) -> None:
    host, _, port = endpoint.address.rpartition(":")
    idle = [await asyncio.open_connection(host, int(port)) for _ in range(CONNECTIONS)]
    for _, writer in idle:
        writer.write(b"GET ")
    await asyncio.sleep(0.05)
    with pytest.raises((ConnectionError, AssertionError)):
        assert (await endpoint.get("/healthz")).status == 200
    for _, writer in idle:
        writer.close()
    for _ in range(100):
        try:
            if (await endpoint.get("/healthz")).status == 200:
                return
        except ConnectionError:
            pass
        await asyncio.sleep(0.02)
    raise AssertionError("no connection was given back")


async def test_a_scrape_leaves_the_loop_free_and_is_shared(endpoint: Endpoint) -> None:
    begun, let_go, scrapes = threading.Event(), threading.Event(), []

    def slow(add: Any) -> None:
        scrapes.append(threading.current_thread().name)
        begun.set()
        assert let_go.wait(5)
        add("test_depth", 1)

    endpoint.instruments.declare((GAUGE,), slow)
    asked = [asyncio.create_task(endpoint.get("/metrics")) for _ in range(5)]
    assert await asyncio.to_thread(begun.wait, 5)
    assert (await endpoint.get("/healthz")).status == 200
    let_go.set()
    assert {answer.status for answer in await asyncio.gather(*asked)} == {200}
    assert len(scrapes) < 5
    assert threading.current_thread().name not in scrapes


async def test_a_source_that_fails_is_told_and_logged(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(add: Any) -> None:
        raise OSError("the disk is gone")

    endpoint.instruments.declare((GAUGE,), broken)
    answer = await endpoint.get("/metrics")
    assert (answer.status, answer.body) == (500, "the metrics cannot be read\n")
    assert "the disk is gone" in caplog.text
    caplog.clear()
    endpoint.instruments.health.stopping()
    assert (await endpoint.get("/metrics")).status == 503
    assert caplog.records == []


async def test_an_address_that_is_taken_is_refused(endpoint: Endpoint) -> None:
    with pytest.raises(OSError, match="cannot be bound"):
        async with admin(Instruments(), endpoint.address):
            raise AssertionError("bound twice")


async def test_it_listens_on_ipv6_too() -> None:
    async with admin(Instruments(), "[::1]:0") as address:
        assert address.startswith("[::1]:")
        assert (await ask(address, b"GET /healthz HTTP/1.1\r\n\r\n")).status == 200
