"""The admin endpoint of a part: /metrics, /healthz and /readyz over HTTP/1.1.

Invariants:
1. Only GET and HEAD are answered, one a connection; a body is never read.
2. Connections, their octets and their time are bounded: whoever holds one open loses it. A page
   that a part offers piece by piece may take STREAM_SECONDS, and ends with its reader.
3. The event loop makes no metrics: a thread does, one scrape at a time, shared by all who wait.
4. /healthz says that the event loop turns; /readyz says 503 and why where work cannot be done.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from urllib.parse import parse_qsl

from .health import Health
from .instruments import Instruments
from .limits import CONNECTIONS, REQUEST_BYTES, REQUEST_SECONDS, STREAM_SECONDS
from .offers import Answer, Asked, Pieces

__all__ = ["Answer", "admin", "healthz", "readyz"]

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
METHODS = ("GET", "HEAD")

log = logging.getLogger("callscreen")


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
                more = await self._talk(reader, writer)
            if more is not None:
                async with asyncio.timeout(STREAM_SECONDS):
                    await _stream(more, reader, writer)
            async with asyncio.timeout(REQUEST_SECONDS):
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

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Pieces | None:
        """Answers one request; what is still to come of the answer, if anything."""
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
                found = await self._answer(method, path, head)
                if isinstance(found, Pieces):
                    writer.write(_head(Answer(200, b"", found.type), whole=False))
                    return found
                answer = found
        writer.write(_head(answer))
        if method != "HEAD":
            writer.write(answer.body)
        await writer.drain()
        return None

    async def _answer(self, method: str, target: str, head: bytes) -> Answer | Pieces:
        path, _, query = target.partition("?")
        offer = self._instruments.offers.get(path)
        if offer is not None and method == "GET":
            return offer(Asked(dict(parse_qsl(query)), _authorization(head)))
        if offer is not None:
            return Answer(405, b"GET\n")
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


async def _stream(more: Pieces, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends what comes, until nothing does or the other side has gone."""

    async def send() -> None:
        async for piece in more.pieces:
            writer.write(piece)
            await writer.drain()

    sending = asyncio.create_task(send())
    going = asyncio.create_task(reader.read(1))
    try:
        await asyncio.wait((sending, going), return_when=asyncio.FIRST_COMPLETED)
    finally:
        sending.cancel()
        going.cancel()
        failed, _ = await asyncio.gather(sending, going, return_exceptions=True)
        if isinstance(failed, Exception) and not isinstance(failed, OSError):
            log.error("a page was broken off", exc_info=failed)
        await more.pieces.aclose()


def _authorization(head: bytes) -> str:
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "authorization":
            return value.strip()
    return ""


def _head(answer: Answer, whole: bool = True) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        f"Content-Type: {answer.type}",
        *([f"Content-Length: {len(answer.body)}"] if whole else []),
        "Cache-Control: no-store",
        "Connection: close",
    ]
    if answer.status == 405:
        lines.append(f"Allow: {', '.join(METHODS)}")
    return "\r\n".join((*lines, "", "")).encode()
