"""A channel to the core whose certificates are replaced while it is open.

Invariants
1. A call begins on a connection with what the files held at the last look.
2. A call that has begun stays where it is: its connection is closed once the last of them ended.
3. The end of the certificate that is shown is told like that of any other.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import grpc

from .ending import CertificateEnd
from .renewed import Renewed

__all__ = ["LOOK_SECONDS", "RenewingChannel"]

log = logging.getLogger("callscreen.tls")

LOOK_SECONDS = 5.0  # between two looks at the files

Open = Callable[[grpc.ChannelCredentials], grpc.aio.Channel]


class Line:
    """A channel of gRPC's, and how many calls are under way on it."""

    def __init__(self, made: grpc.ChannelCredentials, channel: grpc.aio.Channel) -> None:
        self.made = made
        self.channel = channel
        self.calls = 0


class Method:
    """One method of a service, on the line of the moment."""

    def __init__(self, owner: "RenewingChannel", kind: str, args: Any, named: Any) -> None:
        self._owner = owner
        self._make = kind, args, named
        self._line: Line | None = None
        self._method: Any = None

    def __call__(self, *args: Any, **named: Any) -> Any:
        line = self._owner.line
        if line is not self._line:
            kind, made_of, more = self._make
            self._line, self._method = line, getattr(line.channel, kind)(*made_of, **more)
        call = self._method(*args, **named)
        line.calls += 1
        call.add_done_callback(lambda _: self._owner.ended(line))
        return call


class RenewingChannel(grpc.aio.Channel):
    """Looks at the files from its making, in a running event loop, until it is closed."""

    def __init__(
        self, files: Renewed[grpc.ChannelCredentials], open_: Open, end: CertificateEnd
    ) -> None:
        self._files = files
        self._open = open_
        self._end = end
        made = files.look()
        self.line = Line(made, open_(made))
        self._older: list[Line] = []  # with calls under way, the newest first
        self._closing: set[asyncio.Task[None]] = set()
        self._looking = asyncio.create_task(self._run())

    async def look(self) -> None:
        """Takes files that changed, and tells of an end that comes close."""
        made = await asyncio.to_thread(self._files.look)
        self._end.tell()
        if made is not self.line.made:
            older, self.line = self.line, Line(made, self._open(made))
            self._older.insert(0, older)
            self._leave(older)

    def ended(self, line: Line) -> None:
        """A call has."""
        line.calls -= 1
        self._leave(line)

    def _leave(self, line: Line) -> None:
        """Closes a line that nobody needs any more."""
        if line.calls or line not in self._older:
            return
        self._older.remove(line)
        task = asyncio.get_running_loop().create_task(line.channel.close(None))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:  # a fault of ours: the line of the moment stays
                log.exception("the files of TLS could not be looked at")
            await asyncio.sleep(LOOK_SECONDS)

    async def __aenter__(self) -> "RenewingChannel":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)
        lines, self._older = [self.line, *self._older], []
        closing = [line.channel.close(grace) for line in lines]
        await asyncio.gather(*closing, *self._closing)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Of the newest line that was used: a call under way may be on one before it."""
        state = self.line.channel.get_state(try_to_connect)
        for line in self._older:
            if state is not grpc.ChannelConnectivity.IDLE:
                break
            state = line.channel.get_state()
        return state

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self.line.channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self.line.channel.channel_ready()

    def unary_unary(self, *args: Any, **named: Any) -> Any:
        return Method(self, "unary_unary", args, named)

    def unary_stream(self, *args: Any, **named: Any) -> Any:
        return Method(self, "unary_stream", args, named)

    def stream_unary(self, *args: Any, **named: Any) -> Any:
        return Method(self, "stream_unary", args, named)

    def stream_stream(self, *args: Any, **named: Any) -> Any:
        return Method(self, "stream_stream", args, named)
