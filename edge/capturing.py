"""Messages sent to a capture server as HEP over UDP, for who asks for it.

Invariants
1. Nothing waits for the server, nor is anything sent again: what cannot be sent is counted.
2. The edge's own address is that of its UDP socket, also where it listens on all.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from ..fastpath.tapping_types import Tapped
from ..ops import Add, Family
from .hep import Endpoint, call_id, encode
from .sockets import parse_address

__all__ = ["CAPTURE_FAMILIES", "CaptureConfig", "Capturing"]

CAPTURE_FAMILIES = (
    Family(
        "callscreen_edge_hep_packets_sent_total",
        "counter",
        "SIP messages sent to the capture server.",
    ),
    Family(
        "callscreen_edge_hep_packets_lost_total",
        "counter",
        "SIP messages that could not be sent to it.",
    ),
)


@dataclass(frozen=True)
class CaptureConfig:
    """`server` is HOST:PORT, "" for none; `number` names this edge there, `key` is shown to it."""

    server: str = ""
    number: int = 0
    key: str = ""


class Capturing:
    """A socket towards the server; `own` gives where the edge answers SIP over UDP."""

    def __init__(self, config: CaptureConfig, own: Callable[[], tuple[str, int]]) -> None:
        """Raises OSError, ValueError where the server's address cannot be used."""
        self._config = config
        self._own = own
        host, port = parse_address(config.server)
        family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        self._socket = socket.socket(family, kind)
        self._socket.setblocking(False)
        self._socket.connect(where)
        self._sent = 0
        self._lost = 0

    def __call__(self, tapped: Tapped) -> None:
        """Sends a message, and where there is one its answer, or itself as it went on."""
        peer, own = Endpoint(tapped.host, tapped.port), Endpoint(*self._own())
        correlation = call_id(tapped.request)
        self._send(tapped, tapped.request, peer, own, correlation)
        if tapped.answer:
            target = Endpoint(tapped.target or peer.host, tapped.answer_port)
            self._send(tapped, tapped.answer, own, target, correlation)

    def show(self, add: Add) -> None:
        """Gives the metrics of the moment."""
        add("callscreen_edge_hep_packets_sent_total", self._sent)
        add("callscreen_edge_hep_packets_lost_total", self._lost)

    def close(self) -> None:
        self._socket.close()

    def _send(
        self, tapped: Tapped, message: bytes, source: Endpoint, target: Endpoint, call: bytes
    ) -> None:
        try:
            packet = encode(
                message,
                source,
                target,
                now_ns=tapped.now_ns,
                transport=tapped.transport,
                capture=self._config.number,
                key=self._config.key,
                correlation=call,
            )
            self._socket.send(packet)
        except (OSError, ValueError):  # no room, nobody there, or a peer without an address
            self._lost += 1
        else:
            self._sent += 1
