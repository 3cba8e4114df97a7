"""Tokens that were seen, so that one that comes with another call is known for a replay.

Invariants
1. A token is known by what was signed and by r of its signature: s has a second value that is good
   as well, so that it tells nothing.
2. What is remembered has a limit, and an end: what is older than it may be is refused as stale.
3. Any thread may ask.
"""

import threading
from collections import OrderedDict
from hashlib import blake2b

from .model import IdentityHeader

__all__ = ["Replays"]

DIGEST_OCTETS = 64
R_OCTETS = 32  # of a signature: r


class Replays:
    """At most `limit` tokens."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen: OrderedDict[bytes, tuple[bytes, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._seen)

    def again(self, header: IdentityHeader, call: bytes, now: float, seconds: float) -> bool:
        """Whether a token came with another call before; it is remembered with this one if not.

        `call` names the call: its Call-ID and From tag. A fork and a retransmission have the same.
        `seconds` is how long it must be known: as long as it may be taken for fresh.
        """
        key = blake2b(header.signature[:R_OCTETS] + header.signed, digest_size=16).digest()
        if len(call) >= DIGEST_OCTETS:
            call = blake2b(call).digest()  # longer than any that is kept as it is
        with self._lock:
            known = self._seen.get(key)
            if known is not None and known[1] > now:
                return known[0] != call
            if known is not None:
                self._seen.move_to_end(key)
            self._seen[key] = call, now + seconds
            while len(self._seen) > self._limit:
                self._seen.popitem(last=False)
            eldest = next(iter(self._seen))
            if self._seen[eldest][1] <= now:
                del self._seen[eldest]
        return False
