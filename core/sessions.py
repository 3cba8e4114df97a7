"""Who a token stands for.

Invariants:
1. A token is looked up by its digest and compared in constant time; its text is held nowhere.
2. An expired token stands for nobody, cached or not.
3. A checked token is believed for TOKEN_CACHE_SECONDS at most, also where the clock goes back, and
   not beyond a call of forget(): whoever voids a token or writes an administrator calls it after
   the commit. One who is gone by then does not: the time bounds it alone.
4. What a token may do is what its administrator's groups are now, not what they were at log-in.
"""

import hmac
from collections.abc import Callable
from typing import Final

from ..schema import TYPES
from ..v1.object_pb2 import Object
from .access import Principal, principal, service
from .errors import Unauthenticated
from .limits import TOKEN_CACHE_SECONDS, TOKEN_CHARS, TOKENS_CACHED
from .private import Token, digest_of, token_key
from .store.contract import Key, Store

KIND: Final = TYPES["administrator"]
INTERNAL: Final = service()


class Sessions:
    """Checks tokens against the store. `clock` gives Unix seconds."""

    def __init__(self, store: Store, service_token: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._service = digest_of(service_token)
        self._clock = clock
        self._checked: dict[bytes, tuple[Principal, float, float]] = {}  # from and until when

    def check(self, token: str) -> Principal:
        """The caller that presents this token. Raises Unauthenticated."""
        if not token or len(token) > TOKEN_CHARS:
            raise Unauthenticated
        digest = digest_of(token)
        if hmac.compare_digest(digest, self._service):
            return INTERNAL
        now = self._clock()
        known = self._checked.get(digest)
        if known is not None and known[1] <= now < known[2]:
            return known[0]
        return self._look_up(digest, now)

    def forget(self) -> None:
        """Believes nothing unchecked any more."""
        self._checked.clear()

    def _look_up(self, digest: bytes, now: float) -> Principal:
        self._checked.pop(digest, None)
        with self._store.read() as reader:
            value = reader.private(token_key(digest))
            if value is None:
                raise Unauthenticated
            held = Token.decode(value)
            path = KIND.path_of((held.role_id, held.username))
            who = reader.get(Key(held.product, KIND.type, path))
        if now >= held.expiry:
            raise Unauthenticated
        if who is None:
            raise Unauthenticated
        groups = Object.FromString(who).administrator.permissions
        caller = principal(held.product, held.username, held.role_id, groups, digest)
        if len(self._checked) >= TOKENS_CACHED:
            self._checked.clear()
        self._checked[digest] = (caller, now, min(held.expiry, now + TOKEN_CACHE_SECONDS))
        return caller


__all__ = ["Sessions"]
