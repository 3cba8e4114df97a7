"""How much memory indexes may hold, and what becomes of what would take more.

Invariants
1. Nothing is stopped or dropped for want of memory: what would grow an index is not taken up, and
   the edge says so in its log, its metrics and its readiness.
2. Changes that are small may go beyond the limit once: the next ones are refused.
"""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

__all__ = ["FULL_SECONDS", "FULL_SNAPSHOT", "SMALL", "Budget", "FullError", "resident"]

log = logging.getLogger("callscreen.edge")

SMALL = 64 * 1024  # octets of changes that are not weighed beforehand
FULL_SECONDS = 30.0  # between two attempts of an edge at its limit
FULL_SNAPSHOT = 600.0  # after so long at the limit a snapshot is tried: it may be smaller by now
PAGE = os.sysconf("SC_PAGE_SIZE")


class FullError(Exception):
    """What the core sends would take more memory than there is to be taken."""


class Budget:
    """The limit, and whether it was met."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        """`limit` in octets of indexes, 0 for none."""
        self.limit = limit
        self._clock = clock
        self._since: float | None = None
        self.refused = 0  # changes and snapshots that were not taken up

    @property
    def full(self) -> bool:
        """Whether the core has what is not taken up here."""
        return self._since is not None

    def afford(self, held: int, size: int) -> None:
        """Raises FullError where changes of that size do not go with what is held, in octets."""
        if self.limit and held + (size if size > SMALL else 0) > self.limit:
            raise FullError(f"{held} octets are held, the limit is {self.limit}")

    def refuse(self, error: FullError) -> bool:
        """Notes it; true where a snapshot is to be tried the next time."""
        now = self._clock()
        self.refused += 1
        if self._since is None:
            self._since = now
            log.error("the index is full, what the core sends is not taken up: %s", error)
        elif now - self._since >= FULL_SNAPSHOT:
            self._since = now
            return True
        return False

    def relieve(self) -> None:
        """All that the core sent is in force."""
        if self.full:
            self._since = None
            log.info("the index has room again")


def resident() -> int:
    """Octets of this process in memory; 0 where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
    return 0
