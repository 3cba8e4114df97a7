"""Our own building and verifying of whole Identity values, and pyjwt's of bare tokens."""

import itertools
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from callscreen.identity.claims import check_claims
from callscreen.identity.header import read_identity
from callscreen.identity.model import Chain, SignRequest
from callscreen.identity.signing import Signer, SoftwareKey

__all__ = ["NOW", "URL", "ours", "pyjwts", "signed_octets"]

NOW = 1_700_000_000.0
URL = "https://certificates.example.com/path/to/0123456789abcdef0123456789.pem"  # 71, the median
CALLS = 256  # different ones, in turns

Pair = tuple[Callable[[], object], Callable[[], object]]


def requests() -> list[SignRequest]:
    return [
        SignRequest("one", "ABC"[n % 3], f"1215555{n:04}", (f"1646555{n:04}",))
        for n in range(CALLS)
    ]


def signer(key: ec.EllipticCurvePrivateKey) -> Signer:
    return Signer(SoftwareKey(key), Chain(key.public_key(), "one", spc=("1234",)), URL)


def ours(key: ec.EllipticCurvePrivateKey) -> Pair:
    """From a request to an Identity value; from a value to claims whose signature holds."""
    sign = signer(key).sign
    asked = itertools.cycle(requests())
    values = itertools.cycle([sign(each, NOW).value.encode() for each in requests()])
    verify, how = key.public_key().verify, ec.ECDSA(SHA256())

    def check() -> None:
        header = read_identity(next(values))
        check_claims(header)
        r, s = header.signature[:32], header.signature[32:]
        der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
        verify(der, header.signed, how)

    return (lambda: sign(next(asked), NOW)), check


def signed_octets(key: ec.EllipticCurvePrivateKey) -> bytes:
    """What the signature of one token is over."""
    return read_identity(signer(key).sign(requests()[0], NOW).value.encode()).signed


def pyjwts(key: ec.EllipticCurvePrivateKey) -> Pair:
    values = [signer(key).sign(each, NOW).value.encode() for each in requests()]
    read = [read_identity(each) for each in values]
    claims = itertools.cycle([each.claims for each in read])
    tokens = itertools.cycle([each.token.decode() for each in read])
    public, headers = key.public_key(), read[0].protected
    options: Any = {"verify_exp": False, "verify_iat": False}
    return (
        lambda: jwt.encode(next(claims), key, "ES256", headers=headers),
        lambda: jwt.decode(next(tokens), public, ["ES256"], options=options),
    )
