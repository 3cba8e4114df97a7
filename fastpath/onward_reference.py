"""What goes on and what follows it, in plain Python: what onward.pyx means (RFC 3261 16.11).

1. A call that cannot be sent on is answered as a redirect server answers it, and counted by why.
2. What belongs to a call that was sent on goes where it went, for `ONWARD_SECONDS`.
3. Nothing is forgotten for want of room.
"""

import ipaddress
from collections import Counter
from typing import NamedTuple

from .answer_types import DEFAULT_PORT
from .callers_reference import Received
from .forwarding_reference import Forwarding
from .forwarding_types import ONWARD_OCTETS
from .peers_reference import PeerTable
from .respond_types import Address
from .routes_reference import Answer
from .sip_types import Request

__all__ = ["Onward", "Sent"]

ONWARD_SECONDS = 300
PORT_MOST = 65535
TOO_MANY_HOPS = Answer(483, "Too Many Hops")
LOOP = Answer(482, "Loop Detected")


class Sent(NamedTuple):
    """A message on its way."""

    data: bytes
    to: Address


class Went(NamedTuple):
    """A call that was sent on; `told` with header lines that were found out about it."""

    second: int
    told: bool
    uri: bytes
    to: Address


class Onward(Forwarding):
    """A forwarding that remembers and counts. Of `names` and `peers` None lets all be."""

    def __init__(self, via: str, secret: bytes) -> None:
        super().__init__(via, secret)
        self.names: dict[str, str] = {}
        self.peers: PeerTable | None = None
        self.sent = self.relayed = 0
        self.refused = Counter[str]()
        self.wanted = ""
        self._own_hop = read_hop(self._own.text)
        self._calls: dict[int, Went] = {}

    def send_call(
        self, request: Request, received: Received, key: int, uri: bytes, egress: str
    ) -> Sent | Answer | None:
        """A call on its way; or what it is answered; or None: it is redirected."""
        if request.max_forwards == 0:
            return TOO_MANY_HOPS
        if self.is_looping(request):
            self.refused["loop"] += 1
            return LOOP
        found = self._tried(request, received, key, uri, egress)
        if isinstance(found, str):
            self.refused[found] += 1
            return None
        self.sent += 1
        told = received.told is not None and bool(received.told.lines)
        self._calls[key] = Went(received.second, told, uri, found.to)
        return found

    def _tried(
        self, request: Request, received: Received, key: int, uri: bytes, egress: str
    ) -> Sent | str:
        hop = self.find_hop(egress)
        if isinstance(hop, str):
            return hop
        if request.all(b"proxy-require"):
            return "extension"
        if len(uri) > ONWARD_OCTETS:
            return "too_long"
        data = self._put(request, received, key, uri)
        return data if isinstance(data, str) else Sent(data, hop)

    def send_after(
        self, request: Request, received: Received, key: int, waits: bool
    ) -> Sent | None:
        """What belongs to a call that was sent on; `waits`: it is told again what that was."""
        went = self._calls.get(key)
        if request.max_forwards == 0 or went is None:
            return None
        if received.second - went.second > ONWARD_SECONDS or (went.told and waits):
            return None
        data = self._put(request, received, key, went.uri)
        if isinstance(data, str):
            return None
        self.sent += 1
        return Sent(data, went.to)

    def _put(self, request: Request, received: Received, key: int, uri: bytes) -> bytes | str:
        more = b"" if received.told is None else received.told.lines
        text, source = b"%016x" % key, received.source
        return self.rewritten(request, text, source, uri, more, received.via_trusted)

    def bring_back(self, data: bytes) -> Sent | None:
        """A response on its way to the caller; None: it is dropped."""
        found = self.relay(data)
        if isinstance(found, str):
            self.refused[found] += 1
            return None
        self.relayed += 1
        return Sent(*found)

    def find_hop(self, egress: str) -> Address | str:
        """Where an egress route leads, or why a call is not sent there."""
        if not egress:
            return "no_route"
        hop = read_hop(egress)
        if hop is None:
            if egress not in self.names:
                self.wanted = egress
            hop = read_hop(self.names.get(egress, ""))
        if hop is None:
            return "unresolved"
        if hop == self._own_hop:
            return "own_address"
        if self.peers is not None and self.peers.find(hop[0]) is None:
            return "not_a_peer"
        return hop


def read_hop(text: str) -> Address | None:
    """ADDRESS[:PORT], IPv6 in brackets; None where it is a name, or nothing."""
    host, _, port = text.partition(":")
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    number = int(port) if port.isascii() and port.isdigit() else 0 if port else DEFAULT_PORT
    mapped = getattr(address, "ipv4_mapped", None)
    return (str(mapped or address), number) if 1 <= number <= PORT_MOST else None
