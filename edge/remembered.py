"""What was told of calls not long ago: one that is sent again is told the same, and asked once.

Invariants
1. A call sent again is the same octets from the same place: nobody is told what another's call was.
2. At most `limit` calls are kept, each `seconds` long; what is being worked on is kept beside them.
3. Any thread may use it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Generic, TypeVar

__all__ = ["REMEMBERED_MOST", "REMEMBERED_SECONDS", "Remembered", "key_of"]

REMEMBERED_MOST = 16_384  # calls
REMEMBERED_SECONDS = 32.0  # as long as an INVITE is sent again: 64 times T1 (RFC 3261 17.1.1.2)
KEY_OCTETS = 16
BEGUN = False, None

Told = TypeVar("Told")


def key_of(host: str, port: int, request: bytes) -> bytes:
    """What a call and its repetitions have in common."""
    return blake2b(b"%b %d %b" % (host.encode(), port, request), digest_size=KEY_OCTETS).digest()


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

    def begin(self, key: bytes) -> tuple[bool, Told | None]:
        """Whether this call is worked on already; and what it was told, where that is known.

        Where it is neither, it is worked on from here on: until `end`.
        """
        with self._lock:
            if key in self._working:
                return True, None
            found = self._told.get(key)
            if found is not None and self._clock() - found[0] <= self._seconds:
                return False, found[1]
            self._working.add(key)
        return BEGUN

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
