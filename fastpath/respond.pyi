from .counts_types import Counted
from .forwarding import Forwarding, NameTable
from .index import Index
from .peers import PeerTable
from .recent import RecentTable
from .respond_types import Address, Responded, Told

__all__ = ["Responded", "Responder"]

class Responder:
    """Answers messages one by one: those of streams, and of tests. Not for two threads at once."""

    index: Index | None
    forwarding: Forwarding | None
    names: NameTable | None
    peers: PeerTable | None

    def __init__(
        self,
        index: Index | None,
        secret: bytes,
        *,
        seed: bytes,
        recent: RecentTable,
        edge: str = "",
        product: int = 0,
        forwarding: Forwarding | None = None,
    ) -> None:
        """Without an index calls and OPTIONS get 503.

        `secret`, 1 to 64 octets, keys the To tags: the same at every worker of an edge. `seed`, 16
        random octets, is another at each: record identifiers come of it. `recent` is shared.
        `product` of the listener: 0 both, 1 PCS, 2 CIN. ValueError: one of these is none.
        With `forwarding`, its own, datagrams are sent on, to where `names` say that egress routes
        lead and `peers` has somebody; of both None lets all be.
        """

    def receive(
        self,
        data: bytes,
        source: Address,
        transport: str = "udp",
        now_ns: int = 0,
        *,
        via_trusted: bool = False,
        over_rate: bool = False,
        told: Told | None = None,
    ) -> Responded:
        """What to do about a message from `source` at Unix time `now_ns`, in nanoseconds.

        A message of a stream (`transport` other than udp) is whole: its body ends with the octets.
        `via_trusted`: from a proxy of ours, whose second Via names the call's source. `over_rate`:
        answered 503 whatever it asks. Without `told` a call may await something, and is then
        neither answered, counted nor remembered. ValueError: a Told that check_told refuses.
        """

    def counts(self) -> Counted: ...
