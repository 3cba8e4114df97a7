from collections.abc import Sequence

from .counts_types import Counted
from .forwarding import Forwarding, NameTable
from .index import Index
from .peers import PeerTable
from .recent import RecentTable
from .ring import RingBuffer

__all__ = ["Worker"]

class Worker:
    """Answers the datagrams of one socket, in a thread whose body is `run`.

    All but `run` may be called from one other thread meanwhile.
    """

    def __init__(
        self,
        file: int,
        secret: bytes,
        *,
        seed: bytes,
        recent: RecentTable,
        records: RingBuffer,
        edge: str = "",
        product: int = 0,
        segmenting: bool = True,
        taps: RingBuffer | None = None,
        spin_us: int = 0,
        handed: RingBuffer | None = None,
        wake: int = -1,
        forwarding: Forwarding | None = None,
    ) -> None:
        """`file` is a bound UDP socket with a receive time-out, which outlives the worker.

        `segmenting`: answers of one size to one peer may leave together (UDP_SEGMENT).
        `spin_us`: microseconds that it looks for the next datagram before it sleeps, while they
        come as close together. Calls that await something go into `handed`, which
        handing.read_handed reads, and the eventfd `wake`, unless -1, gets 1 once a batch;
        where there is no ring or no room they are settled at once. The rest as
        `respond.Responder` has it. ValueError as there.
        """

    def run(self) -> None:
        """Answers until `stop`, without the GIL. RuntimeError where it runs already.

        The thread's slice is set to the shortest that the kernel has.
        """

    def stop(self) -> None:
        """Ends `run` after the batch at hand, within a tenth of a second."""

    def answer_from(self, index: Index) -> bool:
        """From the next batch on this index answers; False, and nothing done: not `settled` yet."""

    def admit(self, table: PeerTable) -> None:
        """From the next batch on only its peers are answered; before the first one everybody is."""

    def resolve(self, names: NameTable) -> None:
        """Where egress routes with names lead, from the next batch on, or the one after it."""

    @property
    def forwarding(self) -> Forwarding | None:
        """What sends calls on; None: they are redirected."""

    @property
    def stranger(self) -> str:
        """Where the last datagram from no peer came from; empty before any."""

    def settled(self) -> bool:
        """Whether the index before the last is out of use; it is held until this was seen."""

    def counts(self) -> Counted: ...
    def spans(self) -> tuple[list[int], float]:
        """Calls by the time from receipt to answer, for each of SPAN_BOUNDS and longer ones; and
        the sum of these times in seconds."""

    def tap(self, mode: int, watched: Sequence[int] = ()) -> None:
        """What is copied into `taps` from the next message on: a mode of tapping_types, and the
        packed numbers it watches. ValueError for too many, or without a ring for it."""

    @property
    def taps(self) -> RingBuffer | None: ...
    @property
    def taps_lost(self) -> int:
        """Messages that found no room in it."""
    @property
    def records(self) -> RingBuffer: ...
    @property
    def segmenting(self) -> bool:
        """Whether answers may leave together; a kernel that cannot has turned it off."""
    @property
    def messages(self) -> int:
        """Sent so far: each an answer, or several that left together."""
