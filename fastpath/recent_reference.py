"""The transactions answered lately, in plain Python: what recent.pyx means, without its bound.

1. A key is forgotten `TRANSACTION_SECONDS` whole seconds after it came, and with a clock set back.
"""

__all__ = ["TRANSACTION_SECONDS", "RecentTable"]

# Seconds, 64 × T1: after that no client sends an INVITE again (RFC 3261 section 17.1.1.2).
TRANSACTION_SECONDS = 32


class RecentTable:
    """Remembers whatever it is given; `limit` is of the compiled one's interest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seconds: dict[int, int] = {}

    def note(self, key: int, second: int) -> bool:
        """Whether the key came lately; from now on it did. `second` of Unix time."""
        held = self.holds(key, second)
        if not held:
            self._seconds[key] = second
        return held

    def holds(self, key: int, second: int) -> bool:
        noted = self._seconds.get(key)
        return noted is not None and 0 <= second - noted <= TRANSACTION_SECONDS
