"""The gateway on a real socket."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from callscreen.gateway import GatewayConfig, serve
from callscreen.gateway.config import Limits

pytestmark = pytest.mark.asyncio(loop_scope="module")

GET = b"GET /pcs/api/servi HTTP/1.1\r\nHost: a\r\n\r\n"

CHUNKED = (
    b"PUT /pcs/api/settings HTTP/1.1\r\nHost: a\r\nAuthorization: Basic a\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


class Connection:
    """A caller that sends octets and reads answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self, request: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = (line.partition(": ") for line in head[1:-2])
        headers = {name.lower(): value for name, _, value in fields}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(head[0].split()[1]), headers, body

    async def closed(self) -> bool:
        with contextlib.suppress(ConnectionError):
            return await self.reader.read() == b""
        return True


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def address() -> AsyncIterator[tuple[str, int]]:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    config = GatewayConfig(http="127.0.0.1:0", grpc="127.0.0.1:1")
    task = asyncio.create_task(serve(config, ready.set_result, stop))
    host, _, port = (await ready).rpartition(":")
    yield host, int(port)
    stop.set()
    await asyncio.wait_for(task, 20)


@pytest_asyncio.fixture(loop_scope="module")
async def connection(address: tuple[str, int]) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection(*address)
    yield Connection(reader, writer)
    writer.close()


async def test_one_connection_carries_many_requests(connection: Connection) -> None:
    for _ in range(3):
        status, headers, body = await connection.answer(GET)
        assert status == 200
        assert headers["content-type"] == "application/json"
        assert "server" not in headers
        assert b"\"No object 'servi' exists.\"" in body


@pytest.mark.parametrize("method", [b"GE", b"PROPFIND", b"BREW", b"TRACE", b"CONNECT"])
async def test_a_method_of_any_name_is_answered_as_documented(
    connection: Connection, method: bytes
) -> None:
    await connection.answer(GET)
    request = method + b" /pcs/api/service_provider/service_test45 HTTP/1.1\r\nHost: a\r\n\r\n"
    status, headers, body = await connection.answer(request)
    assert (status, body) == (405, b"")
    assert headers["allow"] == "GET, POST, PUT, DELETE"
    assert headers["content-length"] == "0"
    assert headers["content-type"] == "text/html; charset=utf-8"
    status, _, _ = await connection.answer(GET)
    assert status == 200


async def test_the_beginning_of_a_request_may_come_with_the_end_of_another(
    connection: Connection,
) -> None:
    body = b"x" * 100_000
    put = (
        b"PUT /pcs/api/service_provider/a HTTP/1.1\r\nHost: a\r\nAuthorization: Basic a\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    _, _, answer = await connection.answer(put + body + GET[:20])
    assert b"not valid JSON" in answer
    status, _, answer = await connection.answer(GET[20:])
    assert (status, b"'servi'" in answer) == (200, True)


async def test_the_limits_hold_for_a_method_of_any_name(connection: Connection) -> None:
    status, _, _ = await connection.answer(
        b"GE /pcs/api/servi HTTP/1.1\r\n" + b"a: b\r\n" * 300 + b"\r\n"
    )
    assert status == 400
    assert await connection.closed()


async def test_the_page_needs_no_host_that_can_be_read(connection: Connection) -> None:
    status, _, body = await connection.answer(b"GET /x HTTP/1.1\r\nHost: [\r\n\r\n")
    assert status == 404
    assert b"The requested URL /x was not found" in body


async def test_curl_s_default_content_type_is_read_as_json(connection: Connection) -> None:
    status, _, body = await connection.answer(
        b"POST /pcs/api/authenticate HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/7.88.1\r\n"
        b"Accept: */*\r\nContent-Length: 32\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        b'{"username":"pcs_administrator"}'
    )
    assert status == 200
    assert b"The username and password provided were not correct." in body


async def test_a_body_beyond_the_limit_is_answered(connection: Connection) -> None:
    length = 2 * 1024 * 1024
    request = (
        b"PUT /pcs/api/service_provider/a HTTP/1.1\r\nHost: a\r\nAuthorization: Basic a\r\n"
        b"Content-Length: %d\r\n\r\n" % length
    )
    status, _, body = await connection.answer(request + b"x" * length)
    assert status == 200
    assert b'"code":413' in body
    status, _, _ = await connection.answer(GET)
    assert status == 200


async def test_a_body_beyond_the_limit_is_not_asked_for(connection: Connection) -> None:
    _, _, body = await connection.answer(
        b"PUT /pcs/api/service_provider/a HTTP/1.1\r\nHost: a\r\nAuthorization: Basic a\r\n"
        b"X-Strict-Status: 1\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n"
    )
    assert b'"code":413' in body


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 300 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n",
        CHUNKED + b"x\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_what_is_no_request_ends_the_connection(
    address: tuple[str, int], connection: Connection, request_: bytes
) -> None:
    status, headers, body = await connection.answer(request_)
    assert status == 400
    assert headers["content-type"] == "application/json"
    assert headers["x-request-id"]
    answer = json.loads(body)
    assert answer["meta"]["scope"] == "exception"
    assert (answer["meta"]["code"], answer["jsonapi"]["name"]) == (400, "Callscreen")
    assert answer["meta"]["message"].endswith(".")
    assert await connection.closed()
    reader, writer = await asyncio.open_connection(*address)
    assert (await Connection(reader, writer).answer(GET))[0] == 200
    writer.close()


async def test_it_stops_with_an_idle_connection_open() -> None:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    config = GatewayConfig(http="127.0.0.1:0", grpc="127.0.0.1:1")
    task = asyncio.create_task(serve(config, ready.set_result, stop))
    host, _, port = (await ready).rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    connection = Connection(reader, writer)
    await connection.answer(GET)
    stop.set()
    await asyncio.wait_for(task, 20)
    assert await connection.closed()
    writer.close()


async def test_it_stops_while_a_request_waits_for_a_silent_core() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        core = f"127.0.0.1:{silent.getsockname()[1]}"
        config = GatewayConfig(http="127.0.0.1:0", grpc=core)
        task = asyncio.create_task(serve(config, ready.set_result, stop))
        host, _, port = (await ready).rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"GET /pcs/api/service_provider HTTP/1.1\r\nHost: a\r\nAuthorization: Basic a\r\n\r\n"
        )
        await asyncio.sleep(0.1)
        stop.set()
        await asyncio.wait_for(task, 20)
        writer.close()


async def test_a_connection_that_sends_nothing_ends(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callscreen.gateway.protocol.LIMITS", Limits(receive_seconds=0.05))
    reader, writer = await asyncio.open_connection(*address)
    assert await asyncio.wait_for(Connection(reader, writer).closed(), 20)
    writer.close()


STIR = b"POST /stir/v1/signing HTTP/1.1\r\nAuthorization: Basic a\r\n"
STIR += b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        GET[:-2],
        b"PUT /pcs/api/settings HTTP/1.1\r\nAuthorization: Basic a\r\nContent-Length: 9\r\n\r\nx",
        CHUNKED,
        CHUNKED + b"5\r\n{",
        CHUNKED + b"1\r\n{\r\n0\r\n",
        STIR,
    ],
)
async def test_a_request_that_does_not_arrive_is_told_so(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr("callscreen.gateway.protocol.LIMITS", Limits(receive_seconds=0.05))
    reader, writer = await asyncio.open_connection(*address)
    connection = Connection(reader, writer)
    for first in (b"", GET):  # alone, and behind one that was answered
        if first:
            reader, writer = await asyncio.open_connection(*address)
            connection = Connection(reader, writer)
            assert (await connection.answer(first))[0] == 200
        status, headers, body = await asyncio.wait_for(connection.answer(sent), 20)
        assert (status, headers["connection"]) == (408, "close")
        assert json.loads(body)["meta"]["code"] == 408
        assert await asyncio.wait_for(connection.closed(), 20)
        writer.close()


async def test_what_was_answered_is_not_told_that_it_came_too_late(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callscreen.gateway.protocol.LIMITS", Limits(receive_seconds=0.05))
    request = b"PUT /pcs/api/settings HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"
    assert b'"code":401' in (await connection.answer(request))[2]
    assert await asyncio.wait_for(connection.closed(), 20)


BODY = (
    b"PUT /pcs/api/service_provider/a HTTP/1.1\r\nHost: a\r\nAuthorization: Basic a\r\n"
    b"Content-Length: 100000\r\n\r\n"
)


async def test_a_long_body_has_time_while_it_keeps_coming(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(receive_seconds=0.5, receive_bytes=1000)
    monkeypatch.setattr("callscreen.gateway.protocol.LIMITS", limits)
    connection.writer.write(BODY)
    for _ in range(10):
        connection.writer.write(b"x" * 10_000)
        await connection.writer.drain()
        await asyncio.sleep(0.1)
    assert (await connection.answer())[0] == 200


async def test_a_long_body_that_trickles_ends_its_connection(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(receive_seconds=0.1, receive_bytes=1000)
    monkeypatch.setattr("callscreen.gateway.protocol.LIMITS", limits)
    connection.writer.write(BODY)
    told = asyncio.ensure_future(connection.answer())
    while not told.done():
        connection.writer.write(b"x")
        await asyncio.wait([told], timeout=0.02)
    assert (await told)[0] == 408


async def test_a_file_of_two_gibibytes_is_refused_before_it_is_read(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callscreen.gateway.protocol.LIMITS", Limits(drain_bytes=1_000_000))
    _, _, body = await connection.answer(
        b"POST /pcs/api/import/number HTTP/1.1\r\nHost: a\r\nAuthorization: Basic a\r\n"
        b"Content-Type: text/csv\r\nContent-Length: 2147483648\r\n\r\n"
    )
    assert b'"code":413' in body
    with contextlib.suppress(ConnectionError):  # a little more is read, and then no more
        for _ in range(1000):
            connection.writer.write(b"x" * 100_000)
            await connection.writer.drain()
        raise AssertionError("all of it was taken")


async def test_an_answer_is_read_by_who_is_still_sending(connection: Connection) -> None:
    head = (
        b"POST /pcs/api/import/number HTTP/1.1\r\nHost: a\r\nAuthorization: Basic a\r\n"
        b"Content-Type: application/json\r\nContent-Length: 4000000\r\n\r\n"
    )
    connection.writer.write(head + b"x" * 4_000_000)
    await connection.writer.drain()
    _, _, body = await connection.answer()
    assert b'"code":415' in body
    assert (await connection.answer(GET))[0] == 200


async def test_a_method_of_any_name_must_arrive_as_well(
    address: tuple[str, int], connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callscreen.gateway.protocol.LIMITS", Limits(receive_seconds=0.05))
    await connection.answer(GET)
    answer = await asyncio.wait_for(connection.answer(b"GE / HTTP/1.1\r\n"), 20)
    assert answer[0] == 408


async def test_a_connection_between_requests_is_kept(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callscreen.gateway.protocol.LIMITS", Limits(receive_seconds=0.05))
    reader, writer = await asyncio.open_connection(*address)
    connection = Connection(reader, writer)
    assert (await connection.answer(GET))[0] == 200
    await asyncio.sleep(0.15)
    assert (await connection.answer(GET))[0] == 200
    writer.close()
