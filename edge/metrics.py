"""What an edge has counted since it started. Plain numbers: no lock, one thread writes.

Invariants
1. Every datagram received is counted once: `answered`, `dropped`, or `acknowledged` (an ACK). An
   answer that could not be sent is counted under `dropped` besides.
2. Every record made is queued, and then sent, or counted as lost or refused.
3. Every call decided is counted once, by words of the code: none is a caller's.
"""

from collections import Counter
from dataclasses import dataclass, field

from ..ops.metrics import FAST, Histogram

__all__ = ["Metrics"]


@dataclass(slots=True)
class Metrics:
    """Counters of one edge process."""

    received: int = 0  # datagrams
    answered: Counter[int] = field(default_factory=Counter)  # by SIP status
    dropped: Counter[str] = field(default_factory=Counter)  # by kind
    acknowledged: int = 0  # ACKs swallowed
    retransmitted: int = 0  # answers sent again, of those in `answered`
    # by product, treatment and reason
    calls: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    seconds: Histogram = field(default_factory=lambda: Histogram(FAST))  # of an INVITE decided
    records_made: int = 0
    records_sent: int = 0  # acknowledged by the core
    records_lost: int = 0  # the queue was full, or the edge stopped before the core came back
    records_refused: int = 0  # the core would never take them
    changes: int = 0  # transactions applied to the index
    snapshots: int = 0  # taken and swapped in
