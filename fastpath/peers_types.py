"""Whose SIP is answered, and what the tables of it share.

1. Everything here is immutable.
"""

from typing import NamedTuple

__all__ = ["LOOPBACK", "PEERS_MOST", "RATE_MOST", "Peer", "check_peers"]

PEERS_MOST = 10_000
RATE_MOST = 10_000_000  # calls a second


class Peer(NamedTuple):
    """Who may send SIP from some addresses, and how much of it."""

    name: str
    addresses: tuple[str, ...]  # addresses and CIDR blocks; the longest that holds a source counts
    rate: int = 0  # calls a second; 0: any number
    burst: int = 0  # calls at once beyond the rate; 0: as many as a second's
    proxy: bool = False  # what it writes in its Via fields is believed


LOOPBACK = Peer("loopback", ("127.0.0.0/8", "::1"))


def check_peers(peers: tuple[Peer, ...], ceiling: int) -> None:
    """Raises ValueError for what no table can be made of."""
    if len(peers) > PEERS_MOST:
        raise ValueError(f"there are at most {PEERS_MOST} peers")
    if not 0 <= ceiling <= RATE_MOST:
        raise ValueError(f"a ceiling is 0 to {RATE_MOST} calls a second: {ceiling}")
    for peer in peers:
        if not (0 <= peer.rate <= RATE_MOST and 0 <= peer.burst <= RATE_MOST):
            raise ValueError(f"peer {peer.name}: rate and burst are 0 to {RATE_MOST}")
