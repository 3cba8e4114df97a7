from collections.abc import Sequence

from .peers_types import Peer

__all__ = ["PeerTable"]

class PeerTable:
    """Peers by their addresses, with their buckets. Immutable but for these and the counters."""

    given: tuple[Peer, ...]
    ceiling: int

    def __init__(
        self, peers: Sequence[Peer] = ..., ceiling: int = 0, before: PeerTable | None = None
    ) -> None:
        """Loopback alone, unless peers are given. `ceiling`: calls a second of all, 0 for any.

        Peers of `before` with the same name go on where they were. An address that is none holds
        nobody. ValueError: too many, or a rate that is none.
        """

    def find(self, address: str) -> Peer | None:
        """Whose address it is."""

    def take(self, address: str, now_ns: int) -> str:
        """What becomes of a call from there at this time: admitted, limited, ignored, untrusted."""

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Calls admitted, limited and ignored so far, by the names of peers."""
