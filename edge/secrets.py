"""The secrets of an edge: what keys its To tags and its branches.

Invariants
1. Two edges with one file give a request the same tag and the same branch, also after a restart.
2. A file that anybody may read, or that is short enough to be guessed, is refused.
"""

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

__all__ = ["Secrets"]

SECRET_OCTETS = 32
LEAST, MOST = 32, 4096  # octets of a file, without white space around
OTHERS = stat.S_IRWXO


class Secrets(NamedTuple):
    """Of each 32 octets."""

    tags: bytes
    branches: bytes

    @classmethod
    def read(cls, file: str) -> "Secrets":
        """Those of a file, or of this process alone where none is named.

        Raises OSError where it cannot be read, ValueError where it is no secret.
        """
        if not file:
            return cls(os.urandom(SECRET_OCTETS), os.urandom(SECRET_OCTETS))
        with Path(file).open("rb") as source:
            if os.fstat(source.fileno()).st_mode & OTHERS:
                raise ValueError(f"{file} is open to everybody: chmod o= {file}")
            text = source.read(MOST + 1).strip()
        if not LEAST <= len(text) <= MOST:
            raise ValueError(f"a secret has {LEAST} to {MOST} octets, not {len(text)}: {file}")
        return cls(made(text, b"tags"), made(text, b"branches"))


def made(text: bytes, use: bytes) -> bytes:
    """A secret for one use, which tells nothing of that for another."""
    return hashlib.blake2b(text, digest_size=SECRET_OCTETS, person=use).digest()
