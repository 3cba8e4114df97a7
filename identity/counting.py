"""Counts of signatures and verdicts, by thread: nobody waits for another to count.

Invariants
1. A thread adds to its own numbers alone; a reader adds up copies.
2. Label values are bounded: a host has its own only where a certificate of it was believed, and
   only the first HOSTS_MOST of a thread; the others are "other".
"""

import threading
from collections import Counter
from functools import lru_cache

from .model import State, Verdict

__all__ = ["HOSTS_MOST", "Counts"]

HOSTS_MOST = 50
NAMES_MOST = 1_000  # certificates that sign
OTHER = "other"

Key = tuple[str, ...]  # kind of count, label values


class Counts:
    """Adds from any thread."""

    def __init__(self) -> None:
        self._own = threading.local()
        self._all: list[Counter[Key]] = []

    def verdict(self, verdict: Verdict) -> None:
        """Counts a verdict, and the host of its certificate where it was valid."""
        mine = self._mine()
        key, host = labels_of(int(verdict.state), verdict.code, verdict.x5u)
        mine[key] += 1
        if host:
            self._add(mine, "host", host, HOSTS_MOST)

    def signature(self, cert_name: str) -> None:
        self._add(self._mine(), "signature", cert_name, NAMES_MOST)

    def refusal(self) -> None:
        """A call that got no signature."""
        self._mine()["refusal",] += 1

    def sums(self) -> Counter[Key]:
        """All counts of all threads."""
        total: Counter[Key] = Counter()
        for each in list(self._all):
            for key, number in dict.copy(each).items():
                total[key] += number
        return total

    def _add(self, mine: Counter[Key], kind: str, label: str, most: int) -> None:
        key = kind, label
        if key not in mine:
            size = f"{kind} labels"
            if mine[size,] >= most:
                key = kind, OTHER
            else:
                mine[size,] += 1
        mine[key] += 1

    def _mine(self) -> Counter[Key]:
        found: Counter[Key] | None = getattr(self._own, "counts", None)
        if found is None:
            found = self._own.counts = Counter()
            self._all.append(found)
        return found


@lru_cache(maxsize=256)
def labels_of(state: int, code: int, x5u: str) -> tuple[Key, str]:
    """What a verdict is counted by, and the host of a certificate that made one valid, else ""."""
    host = x5u[8:].partition("/")[0].lower() if state == State.VALID else ""
    return ("verdict", State(state).name.lower(), str(code)), host
