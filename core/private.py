"""What the private table holds: credentials and tokens. Never published, never listed.

Invariants:
1. A password is held as an argon2 hash, a token as its SHA-256; neither can be read back.
2. A credential names every live token of its administrator, so that all can be voided at once.
3. Keys carry the product first: no look-up crosses products.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Credential:
    """How one administrator logs in.

    `tokens`: (digest in hex, expiry in Unix seconds), oldest first.
    """

    password: str
    tokens: tuple[tuple[str, float], ...] = ()

    def encode(self) -> bytes:
        return orjson.dumps({"password": self.password, "tokens": self.tokens})

    @classmethod
    def decode(cls, value: bytes) -> "Credential":
        data: dict[str, Any] = orjson.loads(value)
        return cls(data["password"], tuple((digest, expiry) for digest, expiry in data["tokens"]))


@dataclass(frozen=True, slots=True)
class Token:
    """Whom a token stands for, and until when (Unix seconds)."""

    product: str
    username: str
    role_id: str
    expiry: float

    def encode(self) -> bytes:
        return orjson.dumps([self.product, self.username, self.role_id, self.expiry])

    @classmethod
    def decode(cls, value: bytes) -> "Token":
        return cls(*orjson.loads(value))


def digest_of(token: str) -> bytes:
    """What is kept of a token: its SHA-256, 32 bytes."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def credential_key(product: str, username: str) -> bytes:
    return b"credential\x00" + product.encode() + b"\x00" + username.encode()


def token_key(digest: bytes) -> bytes:
    return b"token\x00" + digest


__all__ = ["Credential", "Token", "credential_key", "digest_of", "token_key"]
