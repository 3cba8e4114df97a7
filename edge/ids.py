"""Identifiers of call records: UUID version 7 (RFC 9562 section 5.7).

Invariants
1. Identifiers made one after another by one maker sort in that order, also within a millisecond and
   when the clock steps back.
2. Time and randomness are arguments.
"""

from collections.abc import Callable

__all__ = ["RecordIds"]

FIRST_COUNT_BITS = (
    41  # the count of a millisecond has 42 bits and starts at random in the lower half
)
LOW_BITS = 30  # of the count stand after the variant, the rest before it
LOW_MASK = (1 << LOW_BITS) - 1
VARIANT = 0b10 << LOW_BITS


class RecordIds:
    """Makes record identifiers; `random` gives that many random bytes."""

    __slots__ = ("_count", "_millisecond", "_prefix", "_random", "_tail")

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._millisecond = 0
        self._count = 0
        self._prefix = self._tail = ""

    def __call__(self, now: float) -> str:
        """The next identifier at `now`, in seconds of Unix time."""
        millisecond = int(now * 1000)
        if millisecond > self._millisecond:
            self._millisecond = millisecond
            time = f"{millisecond:012x}"
            self._prefix = f"{time[:8]}-{time[8:]}-7"
            entropy = self._random(10)
            self._count = int.from_bytes(entropy[:6], "big") & ((1 << FIRST_COUNT_BITS) - 1)
            self._tail = entropy[6:].hex()
        else:
            self._count += 1
        count = self._count
        middle = f"{VARIANT | count & LOW_MASK:08x}"
        return f"{self._prefix}{count >> LOW_BITS:03x}-{middle[:4]}-{middle[4:]}{self._tail}"
