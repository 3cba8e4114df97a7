"""Tokens for tests: written by hand here, so that nothing under test has a say in them."""

import json
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from callscreen.identity.model import Chain
from callscreen.identity.signing import Signer, SoftwareKey

URL = "https://cert.example.org/passport.cer"
NOW = 1_700_000_000
ORIGID = "123e4567-e89b-12d3-a456-426655440000"
KEY = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())  # the same in every run
PROTECTED = {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": URL}
CLAIMS = {
    "attest": "A",
    "dest": {"tn": ["12155550131"]},
    "iat": NOW,
    "orig": {"tn": "12155550121"},
    "origid": ORIGID,
}


def part(value: Any) -> str:
    """base64url of octets, of text, or of the JSON of a value."""
    if not isinstance(value, bytes | str):
        value = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    octets = value.encode() if isinstance(value, str) else value
    return urlsafe_b64encode(octets).decode().rstrip("=")


def token(protected: Any = PROTECTED, claims: Any = CLAIMS, key: Any = KEY) -> str:
    text = f"{part(protected)}.{part(claims)}"
    return f"{text}.{part(SoftwareKey(key).sign(text.encode()))}"


def value(protected: Any = PROTECTED, claims: Any = CLAIMS, behind: str | None = None) -> bytes:
    """An Identity value; `behind` is what follows its token."""
    if behind is None:
        behind = f";info=<{URL}>;alg=ES256;ppt=shaken"
    return (token(protected, claims) + behind).encode()


def signer(**more: Any) -> Signer:
    chain = Chain(KEY.public_key(), "SHAKEN 1234", spc=("1234",), fingerprint="ab" * 32, **more)
    return Signer(SoftwareKey(KEY), chain, URL)
