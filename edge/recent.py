"""The INVITEs answered lately, so that a retransmission gets the same answer and makes no record.

Invariants
1. An entry is forgotten after `TRANSACTION_SECONDS`, or earlier where `TRANSACTION_LIMIT` newer
   ones came; no more is ever held. At the limit a late retransmission is decided anew, with the
   same To tag: at worst it makes a second record.
2. Entries leave in the order in which they came, so that forgetting costs no search.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

__all__ = ["TRANSACTION_LIMIT", "TRANSACTION_SECONDS", "Recent"]

# Seconds, 64 × T1: after that no client sends an INVITE again (RFC 3261 section 17.1.1.2).
TRANSACTION_SECONDS = 32.0
TRANSACTION_LIMIT = 65_536  # entries

T = TypeVar("T")


class Recent(Generic[T]):
    """A memory bounded by age and by count; `now` is in seconds and comes with every call."""

    __slots__ = ("_entries", "_first", "_limit", "_seconds")

    def __init__(
        self, seconds: float = TRANSACTION_SECONDS, limit: int = TRANSACTION_LIMIT
    ) -> None:
        self._entries: OrderedDict[bytes, tuple[float, T]] = OrderedDict()
        self._first = 0.0  # when the oldest entry came
        self._seconds = seconds
        self._limit = limit

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes, now: float) -> T | None:
        if not now - self._seconds < self._first <= now:
            self._forget(now)
        entry = self._entries.get(key)
        return None if entry is None else entry[1]

    def put(self, key: bytes, value: T, now: float) -> None:
        """Remembers `value`; a key that is there keeps its place in time."""
        if not self._entries:
            self._first = now
        self._entries[key] = (now, value)
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)
            self._first = next(iter(self._entries.values()))[0]

    def _forget(self, now: float) -> None:
        """Takes off what is too old, and what a clock set back made younger than now."""
        while self._entries:
            self._first = next(iter(self._entries.values()))[0]
            if now - self._seconds < self._first <= now:
                return
            self._entries.popitem(last=False)
