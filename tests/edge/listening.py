"""Streams over real sockets, what they recorded, and peers that connect to them."""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trustme

from callscreen.edge.sockets import open_tcp
from callscreen.edge.streams import Streams
from callscreen.edge.tls import TlsConfig
from callscreen.edge.view import ScreeningView
from callscreen.fastpath.recent import RecentTable
from callscreen.fastpath.respond import Responder
from callscreen.fastpath.respond_types import Responded

from .messages import Response, read, request
from .objects import CALLED, FRIEND, platform

SECRET = b"a secret"


class Listener:
    """Streams over real sockets, and what they recorded."""

    def __init__(self, streams: Streams, port: int, records: list[bytes]) -> None:
        self.streams = streams
        self.port = port
        self.records = records

    @property
    def closed(self) -> dict[str, int]:
        return dict(self.streams.counts.closed)


@asynccontextmanager
async def listening(**more: Any) -> AsyncIterator[Listener]:
    view = ScreeningView()
    view.load(platform())
    view.whole(1)
    responder = Responder(
        view.index, SECRET, seed=os.urandom(16), recent=RecentTable(1_000), edge="e1"
    )
    records: list[bytes] = []
    streams = Streams(
        responder.receive,
        lambda octets, count: records.append(octets),
        secret=SECRET,
        wall=time.time_ns,
        **{"now": time.monotonic, **more},
    )
    sock = await open_tcp("127.0.0.1", 0)
    port = sock.getsockname()[1]
    task = asyncio.create_task(streams.run(sock))
    try:
        yield Listener(streams, port, records)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Peer:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self) -> Response:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)
        return read(head)

    async def ask(self, message: bytes) -> Response:
        self.writer.write(message)
        return await self.answer()

    async def ended(self) -> bytes:
        """What still comes until the other side ends it."""
        return await asyncio.wait_for(self.reader.read(), 20)


@asynccontextmanager
async def peer(port: int, **more: Any) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **more)
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()


class Later:
    """Takes calls that await something, and answers them when it is told to."""

    def __init__(self) -> None:
        self.replies: list[Callable[[Responded], None]] = []

    def __call__(self, *more: Any) -> None:
        self.replies.append(more[-1])

    def answer(self) -> None:
        for number, reply in enumerate(self.replies):
            head = f"SIP/2.0 302 Found\r\nCall-ID: {number}\r\n\r\n"
            reply(Responded(answer=head.encode()))


def awaiting(edge: Listener, begun: bytes = b"INVITE") -> None:
    """From now on requests that begin so await something."""
    whole = edge.streams._respond

    def respond(message: bytes, *more: Any) -> Responded:
        return Responded(awaits="verify") if message.startswith(begun) else whole(message, *more)

    edge.streams._respond = respond


def call(number: int = 1, method: str = "INVITE", *more: str, body: bytes = b"") -> bytes:
    return request(
        method,
        *more,
        uri=f"sip:{CALLED}@edge.example",
        caller=f"<sip:{FRIEND}@carrier.example>;tag=abc",
        via=f"SIP/2.0/TCP sbc.example;branch=z9hG4bK-{number}",
        call_id=f"call-{number}",
        body=body,
    )


def issue(authority: trustme.CA, folder: Path) -> TlsConfig:
    made = authority.issue_cert("127.0.0.1", "edge.example")
    config = TlsConfig(folder / "edge.pem", folder / "edge.key")
    config.certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    config.key.write_bytes(made.private_key_pem.bytes())
    return config


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
