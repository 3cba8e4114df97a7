"""The admin endpoint of a part: /metrics, /healthz and /readyz over HTTP/1.1.

Invariants:
1. Only GET and HEAD are answered, one a connection; a body is never read.
2. Connections, their octets and their time are bounded: whoever holds one open loses it.
3. The event loop makes no metrics: a thread does, one scrape at a time, shared by all who wait.
4. /healthz says that the event loop turns; /readyz says 503 and why where work cannot be done.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import NamedTuple

from .health import Health
from .instruments import Instruments
from .limits import CONNECTIONS, REQUEST_BYTES, REQUEST_SECONDS

__all__ = ["Answer", "admin", "healthz", "readyz"]

PLAIN = "text/plain; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
METHODS = ("GET", "HEAD")

log = logging.getLogger("callscreen")


class Answer(NamedTuple):
    """A page: its status, its text and the type of that."""

    status: int
    body: bytes
    type: str = PLAIN


def healthz() -> Answer:
    """The process lives, and its event loop turns."""
    return Answer(200, b"ok\n")


async def readyz(health: Health) -> Answer:
    """Whether the part can do its work; else why not."""
    why = await health.why_not()
    return Answer(503, f"{why}\n".encode()) if why else Answer(200, b"ready\n")


@contextlib.asynccontextmanager
async def admin(instruments: Instruments, address: str) -> AsyncIterator[str]:
    """Serves the endpoint at HOST:PORT (port 0: any that is free); gives the address bound.

    Raises:
        OSError: the address cannot be bound.
        ValueError: it is not HOST:PORT.
    """
    host, _, port = address.rpartition(":")
    endpoint = _Endpoint(instruments)
    try:
        server = await asyncio.start_server(
            endpoint.connected, host.strip("[]"), int(port), limit=REQUEST_BYTES
        )
    except OSError as error:
        raise OSError(f"The address {address} cannot be bound: {error.strerror}") from error
    try:
        yield f"{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await endpoint.close()


class _Endpoint:
    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._open: set[asyncio.Task[None]] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="metrics")
        self._scrape: asyncio.Future[bytes] | None = None

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        task = asyncio.current_task()
        assert task is not None
        if len(self._open) >= CONNECTIONS:
            writer.transport.abort()
            return
        self._open.add(task)
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await self._talk(reader, writer)
                writer.close()
                await writer.wait_closed()
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            writer.transport.abort()  # it says nothing, takes nothing, or has gone
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._open.discard(task)

    async def close(self) -> None:
        """Ends every connection."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method = "GET"
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            answer = Answer(431, b"the request is too long\n")
        else:
            method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
            path, _, version = rest.partition(" ")
            if not version.startswith("HTTP/1."):
                answer = Answer(400, b"not an HTTP/1.1 request\n")
            else:
                answer = await self._answer(method, path.partition("?")[0])
        writer.write(_head(answer))
        if method != "HEAD":
            writer.write(answer.body)
        await writer.drain()

    async def _answer(self, method: str, path: str) -> Answer:
        if path not in ("/healthz", "/readyz", "/metrics"):
            return Answer(404, b"there are /metrics, /healthz and /readyz\n")
        if method not in METHODS:
            return Answer(405, b"GET or HEAD\n")
        if path == "/healthz":
            return healthz()
        if path == "/readyz":
            return await readyz(self._instruments.health)
        try:
            return Answer(200, await self._metrics(), PROMETHEUS)
        except Exception:
            if self._instruments.health.ends:  # what is counted may be closed already
                return Answer(503, b"stopping\n")
            log.exception("the metrics cannot be read")
            return Answer(500, b"the metrics cannot be read\n")

    async def _metrics(self) -> bytes:
        if self._scrape is None or self._scrape.done():
            loop = asyncio.get_running_loop()
            self._scrape = loop.run_in_executor(self._thread, self._instruments.text)
        return await asyncio.shield(self._scrape)


def _head(answer: Answer) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        f"Content-Type: {answer.type}",
        f"Content-Length: {len(answer.body)}",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    if answer.status == 405:
        lines.append(f"Allow: {', '.join(METHODS)}")
    return "\r\n".join((*lines, "", "")).encode()
