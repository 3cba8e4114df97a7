"""A token bucket a name: how often something may be tried.

Invariants:
1. A name starts with `burst` attempts and is given one back every `seconds / burst`.
2. At most `names` are remembered: the one longest untouched gives way.
3. Time is an argument (seconds of a clock that never goes back).
"""

from collections import OrderedDict
from collections.abc import Hashable


class Buckets:
    def __init__(self, burst: int, seconds: float, names: int) -> None:
        self._burst = float(burst)
        self._rate = burst / seconds
        self._names = names
        self._held: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, name: Hashable, now: float) -> bool:
        """Takes one attempt. False: none is left."""
        left, since = self._held.pop(name, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - since) * self._rate)
        allowed = left >= 1.0
        self._held[name] = (left - 1.0 if allowed else left, now)
        if len(self._held) > self._names:
            self._held.popitem(last=False)
        return allowed

    def give(self, name: Hashable) -> None:
        """Gives one attempt back: it did not count."""
        if name in self._held:
            left, since = self._held[name]
            self._held[name] = (min(self._burst, left + 1.0), since)


__all__ = ["Buckets"]
