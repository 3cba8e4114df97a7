"""What a signature costs by itself: OpenSSL's own measurement, and `cryptography` with a key."""

import re
import subprocess
from collections.abc import Callable
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

__all__ = ["Rates", "bare", "openssl", "openssl_version"]

# 256 bits ecdsa (nistp256)   0.0000s   0.0000s  61234.5  20617.3
RATES = re.compile(r"\(nistp256\)\s+\S+\s+\S+\s+([0-9.]+)\s+([0-9.]+)")


class Rates(NamedTuple):
    """A second of processor time of one core."""

    build: float
    verify: float


def openssl(seconds: int) -> Rates:
    """`openssl speed ecdsap256`, on the cores of this process. RuntimeError where it fails."""
    command = ["openssl", "speed", "-seconds", str(seconds), "ecdsap256"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = RATES.search(done.stdout)
    if done.returncode or not found:
        raise RuntimeError(f"openssl speed failed: {done.stderr[-300:]}")
    return Rates(float(found[1]), float(found[2]))


def openssl_version() -> str:
    return subprocess.run(
        ["openssl", "version"], capture_output=True, text=True, check=True
    ).stdout.strip()


def bare(
    key: ec.EllipticCurvePrivateKey, octets: bytes
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Signing and verifying the octets of one token, and nothing else."""
    how = ec.ECDSA(SHA256())
    public, signature = key.public_key(), key.sign(octets, how)
    return (lambda: key.sign(octets, how)), (lambda: public.verify(signature, octets, how))
