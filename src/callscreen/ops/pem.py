"""Certificates and keys in files of PEM, held against each other before anybody is shown them.

Invariants
1. A key's file is its owner's alone, and has no pass phrase.
2. A certificate and a key that were given together fit: the very octets were compared.
"""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

__all__ = ["Pair", "read_authorities", "read_pair"]


class Pair(NamedTuple):
    """What is shown, and its key; `until` is when the certificate ends, in Unix time."""

    key: bytes
    chain: bytes
    until: float


def read_pair(certificate: Path, key: Path) -> Pair:
    """Raises OSError, and ValueError for files that are amiss or do not fit."""
    secret, chain = _read_key(key), certificate.read_bytes()
    shown = _certificates(certificate, chain)[0]
    try:
        public = load_pem_private_key(secret, None).public_key()
    except TypeError:
        raise ValueError(f"the key of {key} has a pass phrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(f"{key} holds no key in PEM") from None
    if not isinstance(public, RSAPublicKey | EllipticCurvePublicKey):
        raise ValueError(f"{key} holds a key that is neither RSA nor EC")
    if public != shown.public_key():
        raise ValueError(f"{key} holds no key of the first certificate of {certificate}")
    return Pair(secret, chain, shown.not_valid_after_utc.timestamp())


def read_authorities(path: Path) -> bytes:
    """Raises OSError, and ValueError where no certificate is in the file, or not that alone."""
    found = path.read_bytes()
    _certificates(path, found)
    return found


def _certificates(path: Path, octets: bytes) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(octets)
        for each in found:
            each.public_key()
        return found
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise ValueError(f"{path} holds no certificate in PEM, or a damaged one") from error


def _read_key(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise ValueError(f"{path} can be read by others (mode {mode:o}): 600 is right")
        return file.read()
