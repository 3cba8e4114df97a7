"""Tokens that were seen, so that one that comes with another call is known for a replay.

Invariants
1. A token is known by what was signed and by r of its signature: s has a second value that is good
   as well, so that it tells nothing.
2. What is remembered has a limit, and an end: what is older than it may be is refused as stale.
3. Any thread may ask.
"""

import hashlib
import threading
from collections import OrderedDict

from .model import IdentityHeader

__all__ = ["Replays"]

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
        digest = hashlib.blake2b(header.signature[:R_OCTETS], digest_size=16)
        digest.update(header.signed)
        key, call = digest.digest(), hashlib.blake2b(call, digest_size=16).digest()
        with self._lock:
            known = self._seen.get(key)
            if known is not None and known[1] > now:
                return known[0] != call
            self._seen[key] = call, now + seconds
            self._seen.move_to_end(key)
            while len(self._seen) > self._limit:
                self._seen.popitem(last=False)
            key, (_, until) = next(iter(self._seen.items()))
            if until <= now:
                del self._seen[key]
        return False
