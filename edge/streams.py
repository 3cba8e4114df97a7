"""SIP over TCP and TLS: connections in, answers on the same connection (RFC 3261 18.2.2).

Invariants
1. Connections are bounded in number, and by their peer's share. What goes beyond is closed and
   counted by kind. Who is no peer any more loses its connections.
2. Requests of a connection are answered in the order in which they came, but for calls that await
   caller identity: these keep no other waiting.
3. No line is logged for a message or a connection; nothing here raises into the event loop.
4. A handshake happens aside: it keeps nobody else from being accepted.
"""

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Any

from ..fastpath import answer as sip_answer
from ..fastpath import sip
from ..fastpath.respond_types import Address, Responded
from ..fastpath.sip_types import Malformed, Request
from .connection import Connection, Limits, StreamCounts
from .framing import Frame, Kind

__all__ = ["Record", "Streams", "host_of"]

log = logging.getLogger("callscreen.edge")

ACCEPT_PAUSE = 0.1  # seconds, where the process has no file left
SWEEP_SECONDS = 1.0
REFUSALS = {
    Kind.NO_LENGTH: (400, "Missing Content-Length"),
    Kind.BAD_LENGTH: (400, "Bad Content-Length"),
    Kind.TOO_LARGE: (513, "Message Too Large"),
}

Record = Callable[[bytes, int], None]
# A whole message, its source, "tcp" or "tls", Unix time in nanoseconds.
Respond = Callable[[bytes, Address, str, int], Responded]
# The same of a call that awaits, and what takes its answer, at once or later.
Await = Callable[[bytes, Address, str, int, Callable[[Responded], None]], None]


class Streams:
    """A listener and its connections. `context` gives the TLS context of the moment; None: TCP."""

    def __init__(
        self,
        respond: Respond,
        record: Record,
        *,
        secret: bytes,
        wall: Callable[[], int],
        now: Callable[[], float],
        context: Callable[[], ssl.SSLContext] | None = None,
        admits: Callable[[str], bool] = lambda host: True,
        limits: Limits | None = None,
        wait: Await | None = None,
    ) -> None:
        """`respond` says what becomes of a message, as `Responder.receive` does; `record` takes
        records as they go on the wire, and how many; `secret` keys To tags, as that of the
        responder; `wall` gives Unix time in nanoseconds, `now` seconds that never go back; `admits`
        whether a host may connect; `wait` takes calls that await caller identity, and sees to their
        records itself."""
        self._respond = respond
        self._wait = wait
        self._record = record
        self._secret = secret
        self._wall = wall
        self._context = context
        self.admits = admits
        self.now = now
        self.limits = limits or Limits()
        self.transport = "tls" if context else "tcp"
        self.counts = StreamCounts()
        self.open: set[Connection] = set()
        self._hosts: Counter[str] = Counter()
        self._shaking: set[asyncio.Task[None]] = set()

    async def run(self, listener: socket.socket) -> None:
        """Accepts on a listening socket, which does not block, until cancelled; closes all then."""
        sweeping = asyncio.create_task(self._sweep())
        try:
            await self._accept(listener)
        finally:
            sweeping.cancel()
            for task in list(self._shaking):
                task.cancel()
            for connection in list(self.open):
                connection.close("stopped")
            listener.close()

    def answer(self, message: bytes, source: Address, connection: Connection) -> None:
        """Writes the answer to a whole message, later where it awaits something; its record is put
        away."""
        now = self._wall()
        result = self._respond(message, source, self.transport, now)
        if result.awaits and self._wait is not None:
            connection.expect()
            reply = connection.reply
            self._wait(message, source, self.transport, now, lambda done: reply(done.answer or b""))
            return
        if result.record is not None:
            self._record(result.record, 1)
        connection.write(result.answer or b"")

    def refusal(self, frame: Frame, source: Address) -> bytes:
        """The answer to a head whose message has no end that can be told; none to an ACK."""
        message: Request
        if frame.kind not in REFUSALS:
            return b""
        try:
            message = sip.parse(frame.octets)
        except Malformed as fault:
            if fault.message is None:
                return b""
            message = fault.message
        if message.method == b"ACK":
            return b""
        tag = sip_answer.to_tag(self._secret, message)
        return sip_answer.response(message, *REFUSALS[frame.kind], (), tag, source)

    def left(self, connection: Connection, host: str) -> None:
        """A connection is over."""
        self.open.discard(connection)
        self._forget(host)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        failing = False
        while True:
            try:
                sock, address = await loop.sock_accept(listener)
            except OSError as error:
                if not failing:  # once, until it works again
                    log.warning("a connection could not be accepted: %s", error.strerror)
                failing = True
                self.counts.closed["accept"] += 1
                await asyncio.sleep(ACCEPT_PAUSE)
                continue
            failing = False
            host = host_of(address)
            why = self._refused(host)
            if why:
                self.counts.closed[why] += 1
                sock.close()
                continue
            self._hosts[host] += 1
            task = loop.create_task(self._connect(sock, host, address[1]))
            self._shaking.add(task)
            task.add_done_callback(self._shaking.discard)

    def _refused(self, host: str) -> str:
        """Why a host may not connect; empty where it may."""
        if not self.admits(host):
            return "untrusted"
        if self._hosts.total() >= self.limits.connections:
            return "too_many"
        return "too_many_of_host" if self._hosts[host] >= self.limits.connections_a_host else ""

    async def _connect(self, sock: socket.socket, host: str, port: int) -> None:
        """Makes a connection of an accepted socket, over TLS after its handshake."""
        made = Connection(self, host, port)
        loop = asyncio.get_running_loop()
        try:
            context = self._context() if self._context else None
            seconds = self.limits.handshake_seconds if context else None
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.connect_accepted_socket(
                lambda: made, sock, ssl=context, ssl_handshake_timeout=seconds
            )
        except (OSError, TimeoutError, ConnectionError):
            self.counts.closed["handshake"] += 1
        finally:
            if not made.made:
                sock.close()
                self._forget(host)

    def _forget(self, host: str) -> None:
        self._hosts[host] -= 1
        if self._hosts[host] <= 0:
            del self._hosts[host]

    async def _sweep(self) -> None:
        """Closes what is overdue."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = self.now()
            for connection in list(self.open):
                why = connection.overdue(now)
                if why:
                    connection.close(why)


def host_of(address: tuple[Any, ...]) -> str:
    """The address in a socket's: IPv4 out of IPv6, and without the interface of a link-local one,
    which no list of peers holds and no Via may show."""
    host: str = address[0].partition("%")[0]
    return host.removeprefix("::ffff:")
