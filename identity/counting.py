"""Counts of signatures and verdicts, by thread: nobody waits for another to count.

Invariants
1. A thread adds to its own numbers alone; a reader adds up copies.
2. Label values are bounded: a host has its own only where a certificate of it was believed, and
   only the first HOSTS_MOST of a thread; the others are "other".
"""

import threading
from collections import Counter

from .model import Verdict

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
        mine["verdict", verdict.state.name.lower(), str(verdict.code)] += 1
        if verdict.state.name == "VALID" and verdict.x5u:
            host = verdict.x5u[8:].partition("/")[0].lower()
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
        if (kind, label) not in mine:
            size = f"{kind} labels"
            if mine[size,] >= most:
                label = OTHER
            else:
                mine[size,] += 1
        mine[kind, label] += 1

    def _mine(self) -> Counter[Key]:
        found: Counter[Key] | None = getattr(self._own, "counts", None)
        if found is None:
            found = self._own.counts = Counter()
            self._all.append(found)
        return found
