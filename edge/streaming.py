"""The TCP and TLS listeners of an edge, over one responder.

Invariants
1. What stands on the UDP socket's address over TCP answers as that does (RFC 3261 18.2.1).
2. All is answered by the event loop, from the index of the moment; what awaits caller identity is
   handed over, and its answer written here.
"""

import socket
import ssl
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..fastpath.counts_types import Counted
from ..fastpath.index import Index
from ..fastpath.peers import PeerTable
from ..fastpath.respond import Responder
from ..fastpath.respond_types import SEED_OCTETS, Address, Responded
from ..ops import Add, Family
from .clerk import could_not_tell
from .identifying import Identifying, Reply
from .sockets import format_address, open_tcp, parse_address
from .streams import Record, Streams
from .taps import Taps
from .telling import tell
from .tls import TlsConfig, TlsContext
from .workers import WorkerConfig

__all__ = ["STREAM_FAMILIES", "StreamConfig", "Streaming"]

STREAM_FAMILIES = (
    Family(
        "callscreen_edge_connections",
        "gauge",
        "Connections that are open, by transport.",
        ("transport",),
    ),
    Family(
        "callscreen_edge_connections_opened_total",
        "counter",
        "Connections opened, those over TLS after their handshake.",
        ("transport",),
    ),
    Family(
        "callscreen_edge_connections_closed_total",
        "counter",
        "Connections that the edge closed or refused, by why.",
        ("transport", "why"),
    ),
    Family(
        "callscreen_edge_stream_messages_total",
        "counter",
        "Messages received over TCP and TLS.",
        ("transport",),
    ),
    Family(
        "callscreen_edge_tls_reloads_failed_total",
        "counter",
        "New TLS files that could not be taken.",
    ),
    Family(
        "callscreen_edge_tls_certificate_end_timestamp_seconds",
        "gauge",
        "When the edge's own certificate in use ends, in Unix time, by its file.",
        ("file",),
    ),
)


@dataclass(frozen=True)
class StreamConfig:
    """`tcp` says whether TCP is served on the UDP socket's address; `sips` is HOST:PORT for TLS, ""
    for none, and needs a certificate and its key."""

    tcp: bool = True
    sips: str = ""
    certificate: str = ""
    key: str = ""
    client_authorities: str = ""


class Streaming:
    """Opened before the edge is ready, run beside it."""

    def __init__(
        self,
        config: StreamConfig,
        worker: WorkerConfig,
        index: Callable[[], Index | None],
        record: Record,
        random: Callable[[int], bytes],
        peers: Callable[[], PeerTable],
        taps: Taps | None = None,
        identifying: Identifying | None = None,
    ) -> None:
        """Raises ValueError where TLS lacks a file, OSError where one cannot be used."""
        self._responder = Responder(
            None,
            worker.secret,
            seed=random(SEED_OCTETS),
            recent=worker.recent,
            edge=worker.edge,
            product=worker.product,
        )
        self._index = index
        self._peers = peers
        self._taps = taps
        self._identifying = identifying
        self._record = record
        self._again = 0  # messages that were received here once more
        self._config = config
        self._context = tls_context(config)
        contexts: list[Callable[[], ssl.SSLContext] | None] = [None] if config.tcp else []
        if self._context is not None:
            contexts.append(self._context)
        self.streams = [
            Streams(
                self.respond,
                record,
                secret=worker.secret,
                wall=time.time_ns,
                now=time.monotonic,
                context=context,
                admits=lambda host: peers().find(host) is not None,
                wait=self.wait,
            )
            for context in contexts
        ]
        self._sockets: list[socket.socket] = []

    async def open(self, host: str, port: int) -> list[str]:
        """Binds; the addresses, TCP's first. `port` is that of the UDP socket. Raises OSError."""
        for streams in self.streams:
            where = (host, port) if streams.transport == "tcp" else parse_address(self._config.sips)
            try:
                self._sockets.append(await open_tcp(*where))
            except OSError:
                self.close()
                raise
        return [format_address(sock.getsockname()) for sock in self._sockets]

    def close(self) -> None:
        """Gives up what was opened and does not run."""
        for sock in self._sockets:
            sock.close()
        self._sockets.clear()

    def coroutines(self) -> list[Coroutine[Any, Any, None]]:
        """What has to run until it is cancelled."""
        pairs = zip(self.streams, self._sockets, strict=True)
        running: list[Coroutine[Any, Any, None]] = [streams.run(sock) for streams, sock in pairs]
        if self._context is not None:
            running.append(self._context.run())
        return running

    def respond(self, message: bytes, source: Address, transport: str, now_ns: int) -> Responded:
        """What becomes of a message, by the index of the moment."""
        self._responder.index = self._index()
        peer = self._peers().find(source[0])
        over = False
        if message.startswith(
            b"INVITE "
        ):  # what floods beyond its refusals is refused all the same
            over = self._peers().take(source[0], now_ns) != "admitted"
        done = self._responder.receive(
            message,
            source,
            transport,
            now_ns,
            via_trusted=peer is not None and peer.proxy,
            over_rate=over,
        )
        if self._taps is not None and self._taps.on and not done.awaits:
            self._taps.stream(message, source, transport, now_ns, done)
        return done

    def wait(
        self, message: bytes, source: Address, transport: str, now_ns: int, reply: Reply
    ) -> None:
        """Hands over a call that awaits caller identity; without room it is answered at once."""
        peer = self._peers().find(source[0])
        proxy = peer is not None and peer.proxy
        who = self._identifying
        if who is not None and who.hand_over(message, source, transport, now_ns, proxy, reply):
            return
        told = tell(could_not_tell("too many calls wait"))
        self._again += 1
        done = self._responder.receive(
            message, source, transport, now_ns, via_trusted=proxy, told=told
        )
        if done.record is not None:
            self._record(done.record, 1)
        if self._taps is not None and self._taps.on:
            self._taps.stream(message, source, transport, now_ns, done)
        reply(done)

    def counts(self) -> Counted:
        counted = self._responder.counts()
        return counted._replace(received=counted.received - self._again)

    def show(self, add: Add) -> None:
        """Gives the metrics of the moment."""
        for streams in self.streams:
            counts, transport = streams.counts, streams.transport
            add("callscreen_edge_connections", len(streams.open), transport)
            add("callscreen_edge_connections_opened_total", counts.opened, transport)
            for why, count in counts.closed.copy().items():
                add("callscreen_edge_connections_closed_total", count, transport, why)
            add("callscreen_edge_stream_messages_total", counts.messages, transport)
        tls = self._context
        add("callscreen_edge_tls_reloads_failed_total", 0 if tls is None else tls.failures)
        until = None if tls is None else tls.end.until
        if tls is not None and until is not None:
            name = "callscreen_edge_tls_certificate_end_timestamp_seconds"
            add(name, until, str(tls.config.certificate))


def tls_context(config: StreamConfig) -> TlsContext | None:
    """The TLS context that a configuration asks for. Raises ValueError, OSError."""
    if not config.sips:
        return None
    if not (config.certificate and config.key):
        raise ValueError("TLS needs a certificate and its key")
    authorities = Path(config.client_authorities) if config.client_authorities else None
    try:
        return TlsContext(TlsConfig(Path(config.certificate), Path(config.key), authorities))
    except ssl.SSLError as error:
        raise OSError(f"the TLS files cannot be used: {error}") from error
