"""What was told of calls not long ago: one that is sent again is told the same, and asked once.

Invariants
1. A call sent again is the same octets from the same place: nobody is told what another's call was.
2. At most `limit` calls are kept, each `seconds` long; what is being worked on is kept beside them.
3. Any thread may use it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

__all__ = ["REMEMBERED_MOST", "REMEMBERED_SECONDS", "Remembered"]

REMEMBERED_MOST = 16_384  # calls
REMEMBERED_SECONDS = 32.0  # as long as an INVITE is sent again: 64 times T1 (RFC 3261 17.1.1.2)
BEGUN, WORKING = (False, None), (True, None)

Told = TypeVar("Told")


class Remembered(Generic[Told]):
    """Calls by key. `clock` gives seconds that never go back."""

    def __init__(
        self,
        clock: Callable[[], float],
        limit: int = REMEMBERED_MOST,
        seconds: float = REMEMBERED_SECONDS,
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._seconds = seconds
        self._lock = threading.Lock()
        self._told: OrderedDict[bytes, tuple[float, Told]] = OrderedDict()
        self._working: set[bytes] = set()

    def begin(self, keys: Iterable[bytes]) -> list[tuple[bool, Told | None]]:
        """Whether each call is worked on already; and what it was told, where that is known.

        Where it is neither, it is worked on from here on: until `end`.
        """
        found: list[tuple[bool, Told | None]] = []
        with self._lock:
            for key in keys:
                if key in self._working:
                    found.append(WORKING)
                    continue
                told = self._told.get(key)
                if told is not None and self._clock() - told[0] <= self._seconds:
                    found.append((False, told[1]))
                    continue
                self._working.add(key)
                found.append(BEGUN)
        return found

    def end(self, calls: Iterable[tuple[bytes, Told | None]]) -> None:
        """Calls that were begun are answered; what they were told is kept, if anything was."""
        kept, now = self._told, self._clock()
        with self._lock:
            for key, told in calls:
                self._working.discard(key)
                if told is not None:
                    kept[key] = now, told
                    kept.move_to_end(key)  # it may be there, too old to be told again
            while kept and (
                len(kept) > self._limit or now - kept[next(iter(kept))][0] > self._seconds
            ):
                kept.popitem(last=False)

    def __len__(self) -> int:
        """Calls that are kept."""
        return len(self._told)
