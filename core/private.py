"""What the private table holds: credentials, tokens, mail that waits. Never published or listed.

Invariants:
1. A password is held as an argon2 hash, a token as its SHA-256; neither can be read back.
2. A credential names every live token of its administrator, so that all can be voided at once.
3. An administrator has one token at most that sets its password, whether it has one yet or not.
4. Keys carry the product first: no look-up crosses products.
5. Mail that waits holds no token, but a seed: without the key, which is in a file of its own and
   in no backup, no token comes of it.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any, Final

import orjson

Held = tuple[tuple[str, float], ...]  # (digest in hex, expiry in Unix seconds), oldest first

CREDENTIALS: Final = b"credential\x00"  # how the keys of each kind begin
TOKENS: Final = b"token\x00"
STOWED: Final = b"stowed\x00"
SETUPS: Final = b"setup\x00"
REDEEMABLE: Final = b"redeemable\x00"
LETTERS: Final = b"letter\x00"
ASKED: Final = b"asked\x00"


@dataclass(frozen=True, slots=True)
class Credential:
    """How one administrator logs in. `sessions` are the tokens of web sessions."""

    password: str
    tokens: Held = ()
    sessions: Held = ()

    def encode(self) -> bytes:
        fields = {"password": self.password, "tokens": self.tokens, "sessions": self.sessions}
        return orjson.dumps(fields)

    @classmethod
    def decode(cls, value: bytes) -> "Credential":
        data: dict[str, Any] = orjson.loads(value)
        return cls(data["password"], _held(data["tokens"]), _held(data.get("sessions", ())))


def _held(pairs: Any) -> Held:
    return tuple((digest, expiry) for digest, expiry in pairs)


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


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail that waits to be sent, since when (Unix seconds): why, and the seed of its token."""

    since: float
    why: str
    seed: bytes

    def encode(self) -> bytes:
        return orjson.dumps([self.since, self.why, self.seed.hex()])

    @classmethod
    def decode(cls, value: bytes) -> "Waiting":
        since, why, seed = orjson.loads(value)
        return cls(since, why, bytes.fromhex(seed))


@dataclass(frozen=True, slots=True)
class Asked:
    """A reset that a stranger asked for, not looked up yet: when, of which name, from where."""

    since: float
    name: str
    request_id: str
    source_ip: str
    method: str

    def encode(self) -> bytes:
        return orjson.dumps([self.since, self.name, self.request_id, self.source_ip, self.method])

    @classmethod
    def decode(cls, value: bytes) -> "Asked":
        return cls(*orjson.loads(value))


def token_of(key: bytes, seed: bytes) -> str:
    """The token that a seed stands for, in characters that need no quoting anywhere."""
    octets = hmac.digest(key, seed, hashlib.sha256)
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def digest_of(token: str) -> bytes:
    """What is kept of a token: its SHA-256, 32 bytes."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def credential_key(product: str, username: str) -> bytes:
    return CREDENTIALS + product.encode() + b"\x00" + username.encode()


def stowed_key(product: str, batch: str, username: str) -> bytes:
    """Where the credential of an administrator in the archive waits: apart for each batch."""
    return STOWED + b"\x00".join((product.encode(), batch.encode(), username.encode()))


def token_key(digest: bytes) -> bytes:
    return TOKENS + digest


def setup_key(product: str, username: str) -> bytes:
    """Where the digest of the one token that sets an administrator's password stands."""
    return SETUPS + product.encode() + b"\x00" + username.encode()


def redeemable_key(digest: bytes) -> bytes:
    """Where such a token, as a Token, is looked up."""
    return REDEEMABLE + digest


def letter_key(product: str, username: str) -> bytes:
    """Where the mail that carries that token waits."""
    return LETTERS + product.encode() + b"\x00" + username.encode()


def asked_key(name: str) -> bytes:
    """Where a reset of that resource name waits, whoever it is."""
    return ASKED + digest_of(name)


__all__ = [
    "ASKED",
    "LETTERS",
    "REDEEMABLE",
    "TOKENS",
    "Asked",
    "Credential",
    "Held",
    "Token",
    "Waiting",
    "asked_key",
    "credential_key",
    "digest_of",
    "letter_key",
    "redeemable_key",
    "setup_key",
    "stowed_key",
    "token_key",
    "token_of",
]
