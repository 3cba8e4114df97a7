"""SIP over TCP and TLS: connections in, answers on the same connection (RFC 3261 18.2.2).

Invariants
1. Every connection is bounded: in number, by its peer's share, in what it may leave unfinished and
   for how long, in what it does not read. What goes beyond is closed and counted by kind.
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
from dataclasses import dataclass, field

from ..fastpath import answer as sip_answer
from ..fastpath import sip
from ..fastpath.respond_types import Address, Responded
from ..fastpath.sip_types import Malformed, Request
from .framing import Frame, Framer, Kind

__all__ = ["Limits", "StreamCounts", "Streams", "open_tcp"]

log = logging.getLogger("callscreen.edge")

BACKLOG = 1_024
ACCEPT_PAUSE = 0.1  # seconds, where the process has no file left
SWEEP_SECONDS = 1.0
PONG = b"\r\n"
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


@dataclass(frozen=True)
class Limits:
    """Of the connections of one listener."""

    connections: int = 4_096
    connections_a_host: int = 256
    message_seconds: float = 10.0  # from a message's first octet to its last
    idle_seconds: float = 3_600.0
    handshake_seconds: float = 10.0
    unread_octets: int = (
        256 * 1024
    )  # answers that the peer has not read; then it is not read either
    unread_seconds: float = 10.0


@dataclass(slots=True)
class StreamCounts:
    """Of one listener. Plain numbers, written by the event loop alone."""

    opened: int = 0
    messages: int = 0
    closed: Counter[str] = field(default_factory=Counter)  # by us, and why


class Connection(asyncio.Protocol):
    """One peer."""

    def __init__(self, streams: "Streams", host: str, port: int) -> None:
        self._streams = streams
        self._source = host, port
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self.made = False
        self._begun: float | None = None  # when the message that is not whole began
        self._heard = streams.now()
        self._unread: float | None = None  # since when the peer has not read
        self._closed: float | None = None  # when it was closed by us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.made = True
        transport.set_write_buffer_limits(high=self._streams.limits.unread_octets)
        self._streams.open.add(self)
        self._streams.counts.opened += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._streams.left(self, self._source[0])

    def pause_writing(self) -> None:
        self._unread = self._streams.now()
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._unread = None
        if self._transport is not None:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._heard = self._streams.now()
        try:
            for frame in self._framer.receive(data):
                self._begun = None
                self._frame(frame)
                if self._transport is None or self._transport.is_closing():
                    return
        except Exception:  # a fault of ours: this peer is let go, the others stay
            log.exception("a stream of SIP is closed")
            self.close("fault")
            return
        if not self._framer.partial:
            self._begun = None
        elif self._begun is None:
            self._begun = self._heard

    def overdue(self, now: float) -> str:
        """Why it should be closed by now; empty where it should not."""
        limits = self._streams.limits
        if self._closed is not None:
            return "unread" if now - self._closed > limits.unread_seconds else ""
        if self._unread is not None and now - self._unread > limits.unread_seconds:
            return "unread"
        if self._begun is not None and now - self._begun > limits.message_seconds:
            return "slow"
        return "idle" if now - self._heard > limits.idle_seconds else ""

    def close(self, why: str) -> None:
        """Closes it for a reason of ours; what the peer has not read by then is lost."""
        transport = self._transport
        if transport is None:
            return
        if transport.is_closing():  # and the peer has not read what was left for it
            transport.abort()
            return
        self._streams.counts.closed[why] += 1
        self._closed = self._streams.now()
        if why in ("unread", "fault"):
            transport.abort()
        else:
            transport.close()

    def _frame(self, frame: Frame) -> None:
        if frame.kind is Kind.PING:
            self._write(PONG)
            return
        self._streams.counts.messages += 1
        if frame.kind is Kind.MESSAGE:
            self._streams.answer(frame.octets, self._source, self._write)
            return
        if frame.kind in REFUSALS:
            self._write(self._streams.refusal(frame, self._source))
        self.close(frame.kind.value)

    def _write(self, octets: bytes) -> None:
        if octets and self._transport is not None:
            self._transport.write(octets)


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
        self._admits = admits
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

    def answer(
        self, message: bytes, source: tuple[str, int], write: Callable[[bytes], None]
    ) -> None:
        """Writes the answer to a whole message, later where it awaits something; its record is put
        away."""
        now = self._wall()
        result = self._respond(message, source, self.transport, now)
        if result.awaits and self._wait is not None:
            self._wait(message, source, self.transport, now, lambda done: write(done.answer or b""))
            return
        if result.record is not None:
            self._record(result.record, 1)
        write(result.answer or b"")

    def refusal(self, frame: Frame, source: tuple[str, int]) -> bytes:
        """The answer to a head whose message has no end that can be told; none to an ACK."""
        message: Request
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
            host = address[0].removeprefix("::ffff:")
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
        if not self._admits(host):
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


async def open_tcp(host: str, port: int) -> socket.socket:
    """A listening TCP socket that does not block. Raises OSError where it cannot be bound."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise OSError(
            f"The address {host}:{port} cannot be bound for TCP: {error.strerror}"
        ) from error
    return sock
