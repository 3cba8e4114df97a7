"""Reads what a signing certificate is kept in: its path, its key, and the URL it is fetched at.

Invariants
1. A private key or a PIN is taken only from a file that nobody but its owner may read, which is
   who runs this, or root.
2. A certificate is taken only where it may sign calls: a key of P-256 that fits, service provider
   codes, nothing in its constraints that no call could keep to.
3. No name leads out of the folder.
"""

import os
import re
import stat
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate

from .certificates import authority_of, constraints_of, fingerprint, p256_key, read_path
from .claims import ATTESTATIONS
from .model import Chain, Constraints, Fault
from .paths import is_path
from .signing import SoftwareKey
from .storing import read_whole

__all__ = ["FILE_MOST", "Refused", "is_name", "read_certificate", "read_key", "read_secret"]

FILE_MOST = 65_536  # octets
NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?")
SHAKEN = frozenset({"attest", "dest", "iat", "orig", "origid"})  # what a call always says
READABLE = stat.S_IRWXG | stat.S_IRWXO  # by others than the owner


class Refused(ValueError):
    """A certificate or key that is not signed with, and why."""


def is_name(text: str) -> bool:
    """Whether a certificate may be called so: letters, digits, `_`, `-` and inner dots; 100."""
    return NAME.fullmatch(text) is not None


def read_file(path: Path) -> tuple[bytes, os.stat_result]:
    try:
        return read_whole(path, FILE_MOST)
    except FileNotFoundError:
        raise Refused(f"{path.name} is missing") from None
    except OSError as error:
        raise Refused(f"{path.name}: {error.strerror}") from error


def read_secret(path: Path) -> bytes:
    """What stands in a file that nobody else may read. Raises Refused."""
    octets, found = read_file(path)
    if found.st_mode & READABLE:
        raise Refused(f"{path.name} may be read by others than its owner: chmod 600")
    if found.st_uid not in (0, os.geteuid()):
        raise Refused(f"{path.name} belongs to another user ({found.st_uid})")
    return octets


def read_key(path: Path, public: EllipticCurvePublicKey) -> SoftwareKey:
    """The private key of a PEM file, without a passphrase. Raises Refused unless it fits."""
    try:
        key = load_pem_private_key(read_secret(path), None)
    except Refused:
        raise
    except Exception as error:  # those of `cryptography` have no common class
        raise Refused(f"{path.name} is no private key in PEM without a passphrase") from error
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise Refused(f"{path.name} is no key of P-256")
    if key.public_key() != public:
        raise Refused("the key does not fit the certificate")
    return SoftwareKey(key)


def read_certificate(folder: Path, name: str) -> tuple[Chain, str, float]:
    """The path of `<name>.pem`, leaf first, the URL of `<name>.url`, and when it begins to hold,
    in seconds. Dates are not looked at. Raises Refused."""
    octets, _ = read_file(folder / f"{name}.pem")
    url, _ = read_file(folder / f"{name}.url")
    try:
        path = read_path(octets)
        chain = own_chain(path)
    except Fault as fault:
        raise Refused(f"{name}.pem: {fault.detail}") from fault
    since = max(seconds(each.not_valid_before_utc) for each in path)
    return chain, url.decode("ascii", "replace").strip(), since


def own_chain(path: list[Certificate]) -> Chain:
    """What the certificates say of their owner. Raises Refused, Fault."""
    leaf = path[0]
    key = p256_key(leaf)
    if not is_path(path):
        raise Refused("the certificates are no path, leaf first")
    authority = authority_of(leaf)
    if authority is None or not authority.spc:
        raise Refused("the certificate has no service provider code (TNAuthList)")
    limits = tuple(each for one in path if (each := constraints_of(one)) is not None)
    for each in limits:
        check_usable(each)
    return Chain(
        key,
        leaf.subject.rfc4514_string(),
        spc=authority.spc,
        numbers=authority.numbers,
        constraints=limits,
        until=min(seconds(each.not_valid_after_utc) for each in path),
        fingerprint=fingerprint(leaf),
    )


def check_usable(limits: Constraints) -> None:
    """Raises Refused where no call could keep to the limits."""
    if forbidden := SHAKEN.intersection(limits.must_exclude):
        raise Refused(f"the certificate forbids {', '.join(sorted(forbidden))}")
    for claim, values in limits.permitted:
        if claim == "attest" and not ATTESTATIONS.intersection(values):
            raise Refused("the certificate permits no attestation")


def seconds(time: datetime) -> float:
    return time.timestamp()
