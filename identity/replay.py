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
    """At most `limit` tokens, each for `seconds`."""

    def __init__(self, limit: int, seconds: float = 120.0) -> None:
        self._limit = limit
        self._seconds = seconds
        self._seen: OrderedDict[bytes, tuple[bytes, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._seen)

    def again(self, header: IdentityHeader, call: bytes, now: float) -> bool:
        """Whether a token came with another call before; it is remembered with this one if not.

        `call` names the call: its Call-ID and From tag. A fork and a retransmission have the same.
        """
        digest = hashlib.blake2b(header.signature[:R_OCTETS], digest_size=16)
        digest.update(header.signed)
        key, call = digest.digest(), hashlib.blake2b(call, digest_size=16).digest()
        with self._lock:
            known = self._seen.get(key)
            if known is not None and known[1] > now:
                return known[0] != call
            self._seen[key] = call, now + self._seconds
            self._seen.move_to_end(key)
            self._forget(now)
        return False

    def _forget(self, now: float) -> None:
        while self._seen:
            key, (_, until) = next(iter(self._seen.items()))
            if until > now and len(self._seen) <= self._limit:
                return
            del self._seen[key]
