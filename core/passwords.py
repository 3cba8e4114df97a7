"""Password hashes, computed off the loop and never too many at once.

Invariants:
1. An unknown user costs what a wrong password costs: both verify one hash.
2. At most HASHES_AT_ONCE logins are checked at a time, at most HASHES_WAITING are let in; the rest
   get TooMuch. New passwords have a thread of their own: strangers' logins cannot hold them up.
"""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from .limits import HASHES_AT_ONCE, HASHES_WAITING
from .threads import Threads


class Passwords:
    """Hashes and checks passwords with argon2id (RFC 9106)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._checks = Threads("argon2-check", HASHES_AT_ONCE, HASHES_WAITING)
        self._makes = Threads("argon2-make", 1, HASHES_WAITING)
        self._dummy = self._hasher.hash("no password")

    async def hash(self, password: str) -> str:
        """The encoded hash of a password. Raises TooMuch."""
        return await self._makes.run(lambda _: self._hasher.hash(_octets(password)))

    @property
    def busy(self) -> bool:
        """Whether the next verify would be turned away."""
        return self._checks.full

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password is the one hashed; None: an unknown user. Raises TooMuch."""
        matches = await self._checks.run(lambda _: self._verify(encoded or self._dummy, password))
        return matches and encoded is not None

    def hash_now(self, password: str) -> str:
        """The same as hash, on the calling thread: for the start, before anything is served."""
        return self._hasher.hash(_octets(password))

    def __len__(self) -> int:
        """How many hashes are being computed or wait for it."""
        return len(self._checks) + len(self._makes)

    def close(self) -> None:
        self._checks.close()
        self._makes.close()

    def _verify(self, encoded: str, password: str) -> bool:
        try:
            return self._hasher.verify(encoded, _octets(password))
        except (VerificationError, InvalidHashError):
            return False


def _octets(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


__all__ = ["Passwords"]
