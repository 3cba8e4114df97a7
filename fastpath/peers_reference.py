"""Whose SIP is answered, in plain Python: what peers.pyx means."""

from collections.abc import Sequence

from .peers_types import LOOPBACK, Peer, check_peers
from .plain import parse_address, parse_prefix

__all__ = ["PeerTable"]

SECOND = 1_000_000_000  # nanoseconds


class Bucket:
    """A rate as the time at which what was taken will have run off (GCRA)."""

    def __init__(self, rate: int, burst: int) -> None:
        self.interval = SECOND // rate if rate else 0
        self.tolerance = self.interval * (burst or rate)
        self.due = 0

    def take(self, now: int) -> bool:
        if not self.interval:
            return True
        start = self.due
        if start < now or start > now + self.tolerance + self.interval:
            start = now
        if start + self.interval > now + self.tolerance:
            return False
        self.due = start + self.interval
        return True


class PeerTable:
    def __init__(self, peers: Sequence[Peer] = (LOOPBACK,), ceiling: int = 0) -> None:
        self.given = tuple(peers)
        check_peers(self.given, ceiling)
        self.buckets = {
            peer: (Bucket(peer.rate, peer.burst), Bucket(peer.rate, peer.burst))
            for peer in self.given
        }
        self.every = Bucket(ceiling, 0), Bucket(ceiling, 0)

    def find(self, address: str) -> Peer | None:
        source = parse_address(address)
        if source is None:
            return None
        best: tuple[int, Peer] | None = None
        for peer in self.given:
            for text in peer.addresses:
                network = parse_prefix(text)
                if network is None or network.version != source.version:
                    continue
                if source in network and (best is None or network.prefixlen > best[0]):
                    best = network.prefixlen, peer
        return best[1] if best else None

    def take(self, address: str, now_ns: int) -> str:
        peer = self.find(address)
        if peer is None:
            return "untrusted"
        calls, refusals = self.buckets[peer]
        if calls.take(now_ns):
            if self.every[0].take(now_ns):
                return "admitted"
            return "limited" if self.every[1].take(now_ns) else "ignored"
        return "limited" if refusals.take(now_ns) else "ignored"
