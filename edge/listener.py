"""The UDP socket of the edge: datagrams in, answers out, nothing decided here.

Invariants
1. A datagram never raises out of here and never writes a log line of its own: what is dropped is
   counted by kind, and a summary is logged at most every `SUMMARY_SECONDS`.
2. One datagram in gives at most one datagram out.
3. Answers that the kernel does not take are kept up to the event loop's limit, then dropped.
"""

import asyncio
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from .metrics import Metrics
from .uas import Uas

__all__ = ["RECEIVE_BUFFER", "UdpListener", "format_address", "open_udp", "parse_address"]

log = logging.getLogger("callscreen.edge")

RECEIVE_BUFFER = 8 * 1024 * 1024  # octets asked of the kernel, which may give less
SUMMARY_SECONDS = 10.0

Record = TypeVar("Record")


class UdpListener(asyncio.DatagramProtocol, Generic[Record]):
    """Feeds the UAS and sends what it answers. `record` takes each call record."""

    def __init__(
        self,
        uas: Uas[Record],
        metrics: Metrics,
        record: Callable[[Record], None],
        clock: Callable[[], float],
        ticks: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`clock` gives Unix seconds, `ticks` seconds that never go back."""
        self._uas = uas
        self._metrics = metrics
        self._record = record
        self._clock = clock
        self._ticks = ticks
        self._transport: asyncio.DatagramTransport | None = None
        self._told: Counter[str] = Counter()  # drops already in a summary
        self._summary: asyncio.TimerHandle | None = None
        self._fault: Exception | None = None
        self._full = False  # no more may be handed to the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._summary is not None:
            self._summary.cancel()
            self._summary = None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        begun = self._ticks()
        metrics = self._metrics
        metrics.received += 1
        try:
            result = self._uas.receive_datagram(data, (addr[0], addr[1]), self._clock())
        except Exception as error:  # a fault of ours: the socket lives on, the summary shows it
            self._fault = error
            self._drop("fault")
            return
        for answer, destination in result.sends:
            self._send(answer, destination)
        if result.record is not None:
            metrics.seconds.observe(self._ticks() - begun)
            self._record(result.record)
        if result.dropped is not None:
            self._drop(result.dropped)

    def error_received(self, exc: Exception) -> None:
        """An ICMP error of an earlier answer: its receiver is gone."""
        self._drop("unreachable")

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False

    def _send(self, answer: bytes, destination: tuple[str, int]) -> None:
        if self._transport is None:
            return
        if self._full:
            self._drop("send_buffer")
            return
        try:
            self._transport.sendto(answer, destination)
        except (OSError, ValueError):  # an address that the Via made up
            self._drop("unsendable")

    def _drop(self, kind: str) -> None:
        self._metrics.dropped[kind] += 1
        if self._summary is None:
            loop = asyncio.get_running_loop()
            self._summary = loop.call_later(SUMMARY_SECONDS, self._summarise)

    def _summarise(self) -> None:
        self._summary = None
        news = self._metrics.dropped - self._told
        self._told = self._metrics.dropped.copy()
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(news.items()))
        log.warning("dropped in %d s: %s", SUMMARY_SECONDS, kinds, exc_info=self._fault)
        self._fault = None


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of HOST:PORT or [HOST]:PORT. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"not HOST:PORT: {text!r}")
    return host, int(port)


def format_address(address: tuple[str, int]) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def open_udp(host: str, port: int) -> socket.socket:
    """A bound UDP socket of the family of `host`. Raises OSError where it cannot be bound."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.setblocking(False)
        sock.bind(address)
    except OSError as error:
        sock.close()
        where = format_address((host, port))
        raise OSError(f"The address {where} cannot be bound: {error.strerror}") from error
    return sock
