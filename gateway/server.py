"""Serves the gateway over HTTP until it is told to stop.

1. A stop takes no longer than its limit, and the tenths of a second in which uvicorn notices.
2. A request that the stop cuts off loses its connection, and leaves no line in the log.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import uvicorn

from .address import listen, shown
from .app import Gateway, create_app
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

    def cut_off(self) -> None:
        """Ends whatever is under way: first the connections, which then want no answer."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(config: GatewayConfig, ready: Callable[[str], None], stop: asyncio.Event) -> None:
    """Listens at config.http (port 0: any), says where once it answers, ends after `stop` is set.

    Requests under way have limits.stop_seconds to end. The core need not be there: until it is,
    every request is answered with code 503.

    Raises:
        ValueError: config.http is not HOST:PORT, or config.tls does not go together.
        OSError: the address cannot be listened at, or a file of config.tls not be read.
    """
    limits = config.limits
    listener = listen(config.http)
    try:
        channel = open_channel(config.grpc, limits, config.tls)
    except (OSError, ValueError):
        listener.close()
        raise
    try:
        app = create_app(channel, config)
        server = _Server(
            uvicorn.Config(
                _ended_quietly(app),
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
                timeout_graceful_shutdown=limits.stop_seconds + 1,  # all was cut off before
            )
        )
        app.requests.connections = server.server_state.connections
        running = asyncio.create_task(server.serve(sockets=[listener]))
        if await _first(server.answering, running):
            address = shown(listener)
            config.instruments.health.serving()
            ready(address)
            log.info("listening at http://%s, core at %s", address, config.grpc)
            await _first(stop, running)
            config.instruments.health.stopping()
            server.should_exit = True
            loop = asyncio.get_running_loop()
            cut = loop.call_later(limits.stop_seconds, server.cut_off)
            running.add_done_callback(lambda _: cut.cancel())
        await running
    finally:
        listener.close()
        await channel.close(None)


def _ended_quietly(app: Gateway) -> Callable[..., Awaitable[None]]:
    """The application for uvicorn, which would log the end of a task that was cut off."""

    async def run(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return run


async def _first(event: asyncio.Event, running: asyncio.Task[None]) -> bool:
    """Waits for the event or the end of the task, and says whether the event came."""
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    return event.is_set()
