"""What an edge has counted since it started, beside what its workers count. One thread writes.

Invariants
1. What becomes of datagrams and calls is counted where that is decided, in fastpath.counts.
2. Every record that a worker handed over is waiting, sent, or counted as lost or refused.
"""

from dataclasses import dataclass

__all__ = ["Metrics"]


@dataclass(slots=True)
class Metrics:
    """Counters of one edge process."""

    records_sent: int = 0  # acknowledged by the core
    records_lost: int = 0  # there was no room, or the edge stopped before the core came back
    records_refused: int = 0  # the core would never take them
    changes: int = 0  # transactions applied to the index
    snapshots: int = 0  # taken
