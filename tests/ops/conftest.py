"""Requests to an admin endpoint, octet by octet."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from callscreen.ops import Instruments
from callscreen.ops.admin import admin


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


async def ask(address: str, request: bytes, seconds: float = 20) -> Answer:
    """What comes back for these octets, until the other side closes."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    try:
        writer.write(request)
        got = await asyncio.wait_for(reader.read(), seconds)
    finally:
        writer.close()
    head, _, body = got.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(first.split()[1]) if first else 0, headers, body)


class Endpoint(NamedTuple):
    """A running endpoint, and what it shows."""

    address: str
    instruments: Instruments

    async def get(self, path: str, method: str = "GET") -> Answer:
        return await ask(self.address, f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    instruments = Instruments("test", "1.2.3")
    async with admin(instruments, "127.0.0.1:0") as address:
        yield Endpoint(address, instruments)
