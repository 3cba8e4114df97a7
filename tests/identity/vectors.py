"""Where the vectors of others are: beside the repository, not in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

REPOSITORY = Path(__file__).resolve().parents[2]
VECTORS = REPOSITORY.parent / "shared" / "vectors" / "stir"
ABSENT = pytest.mark.skipif(
    not VECTORS.is_dir(), reason="the vectors of STIR are not beside the repository"
)


def read(name: str) -> Any:
    """A JSON file; nothing where there are no vectors, so that tests of it can be skipped."""
    path = VECTORS / name
    return json.loads(path.read_text()) if path.exists() else {}


def public_key(name: str) -> EllipticCurvePublicKey:
    octets = (VECTORS / name).read_bytes()
    if b"BEGIN CERTIFICATE" in octets:
        key = x509.load_pem_x509_certificate(octets).public_key()
    else:
        key = load_pem_public_key(octets)
    assert isinstance(key, EllipticCurvePublicKey)
    return key


def verifies(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    """Whether r and s, 32 octets each, sign the octets."""
    if len(signature) != 64:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    try:
        key.verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
