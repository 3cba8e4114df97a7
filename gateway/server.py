"""Serves the gateway over HTTP until it is told to stop."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator

import uvicorn

from .app import create_app
from .client import open_channel
from .config import GatewayConfig
from .protocol import HttpProtocol

__all__ = ["GatewayConfig", "serve"]

log = logging.getLogger("callscreen.gateway")


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process that runs it has its own."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(config: GatewayConfig, ready: Callable[[str], None], stop: asyncio.Event) -> None:
    """Listens at config.http (port 0: any), says where once it answers, ends after `stop` is set.

    Requests under way have limits.stop_seconds to end. The core need not be there: until it is,
    every request is answered with code 503.

    Raises:
        OSError: the address cannot be listened at.
    """
    limits = config.limits
    listener = _listen(config.http)
    host, port = listener.getsockname()[:2]
    channel = open_channel(config.grpc, limits)
    try:
        server = _Server(
            uvicorn.Config(
                create_app(channel, config),
                http=HttpProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # what callers send amiss is no line in the log
                access_log=False,
                server_header=False,
                date_header=False,  # the application's, which its other times agree with
                proxy_headers=False,
                limit_concurrency=limits.connections,
                timeout_keep_alive=limits.keep_alive_seconds,
                timeout_graceful_shutdown=limits.stop_seconds,
            )
        )
        running = asyncio.create_task(server.serve(sockets=[listener]))
        if await _first(server.answering, running):
            ready(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
            log.info("listening at http://%s:%s, core at %s", host, port, config.grpc)
            await _first(stop, running)
            server.should_exit = True
        await running
    finally:
        listener.close()
        await channel.close(None)


async def _first(event: asyncio.Event, running: asyncio.Task[None]) -> bool:
    """Waits for the event or the end of the task, and says whether the event came."""
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    return event.is_set()


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    family, kind, protocol, _, where = socket.getaddrinfo(
        host.strip("[]") or "0.0.0.0",  # noqa: S104 -- ":8080" asks for every address
        int(port),
        type=socket.SOCK_STREAM,
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
    except OSError:
        listener.close()
        raise
    return listener
