"""Pages that a part offers on its admin endpoint."""

import asyncio
import logging
from collections.abc import AsyncGenerator

import pytest

from callscreen.ops.offers import Answer, Pieces

from .conftest import Endpoint, ask


async def test_a_part_answers_more(endpoint: Endpoint) -> None:
    endpoint.instruments.offer(
        "/more", lambda asked: Answer(200, f"{dict(asked.query)} {asked.authorization}".encode())
    )
    head = "GET /more?a=1&b=%2B2&a=3 HTTP/1.1\r\nAUTHORIZATION:  Bearer x \r\n\r\n"
    answer = await ask(endpoint.address, head.encode())
    assert (answer.status, answer.body) == (200, "{'a': '3', 'b': '+2'} Bearer x")
    assert (await endpoint.get("/more")).body == "{} "
    for method in ("HEAD", "POST"):
        assert (await endpoint.get("/more", method)).status == 405


async def test_a_page_comes_piece_by_piece_and_ends(endpoint: Endpoint) -> None:
    async def pieces() -> AsyncGenerator[bytes]:
        for number in range(3):
            yield b"%d\n" % number
            await asyncio.sleep(0)

    endpoint.instruments.offer("/pieces", lambda _: Pieces(pieces(), "text/x"))
    answer = await endpoint.get("/pieces")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (
        200,
        "0\n1\n2\n",
        "text/x",
    )
    assert "content-length" not in answer.headers


async def test_a_page_ends_with_its_reader(endpoint: Endpoint) -> None:
    ended = asyncio.Event()

    async def forever() -> AsyncGenerator[bytes]:
        try:
            yield b"first\n"
            await asyncio.Event().wait()
        finally:
            ended.set()

    endpoint.instruments.offer("/forever", lambda _: Pieces(forever()))
    host, _, port = endpoint.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /forever HTTP/1.1\r\n\r\n")
    assert (await asyncio.wait_for(reader.readuntil(b"first\n"), 20)).startswith(b"HTTP/1.1 200")
    assert not ended.is_set()
    writer.close()
    await asyncio.wait_for(ended.wait(), 20)


async def test_a_fault_of_a_page_ends_it_and_is_logged(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> AsyncGenerator[bytes]:
        yield b"first\n"
        raise KeyError("a fault")

    endpoint.instruments.offer("/broken", lambda _: Pieces(broken()))
    with caplog.at_level(logging.ERROR, "callscreen"):
        assert (await endpoint.get("/broken")).body == "first\n"
    assert "a page was broken off" in caplog.text
    assert (await endpoint.get("/healthz")).status == 200
