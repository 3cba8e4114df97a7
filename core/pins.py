"""PINs as they are stored: a keyed hash with a salt of its own.

Invariants:
1. A stored PIN reads `hmac-sha256$<salt>$<digest>`, both in hex, keyed with the core's pepper.
2. Whoever has the data without the pepper cannot try PINs.
"""

import hashlib
import hmac
from typing import Final

PREFIX: Final = "hmac-sha256$"
SALT_BYTES: Final = 16


def hash_pin(pepper: bytes, salt: bytes, pin: str) -> str:
    """The form in which a PIN of digits is stored."""
    digest = hmac.new(pepper, salt + pin.encode(), hashlib.sha256).hexdigest()
    return f"{PREFIX}{salt.hex()}${digest}"


def pin_matches(pepper: bytes, stored: str, pin: str) -> bool:
    """Whether a PIN is the one stored, in constant time."""
    salt = stored.removeprefix(PREFIX).partition("$")[0]
    return hmac.compare_digest(hash_pin(pepper, bytes.fromhex(salt), pin), stored)


def is_hashed(value: str) -> bool:
    return value.startswith(PREFIX)


__all__ = ["PREFIX", "SALT_BYTES", "hash_pin", "is_hashed", "pin_matches"]
