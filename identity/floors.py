"""How far the trust list and the CRLs have come, kept on disk: after a restart none goes back.

Invariants
1. What was noted of a source holds while one of the CAs that could sign then still can: whose
   CAs are others altogether begins anew.
2. A file that cannot be read is as none; who cannot write it is told.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509

from .certificates import fingerprint
from .names import NameKey
from .revocation import Revocations
from .storing import read_whole, written_whole
from .trust import TrustList

__all__ = ["Floors"]

OCTETS_MOST = 1024 * 1024


class Floor(NamedTuple):
    """What a source came to, and the fingerprints of who could sign it."""

    signers: frozenset[str]
    least: TrustList | Revocations


class Floors:
    """By the name of a source. `cache` is a folder; None: they end with the process."""

    def __init__(self, cache: Path | None) -> None:
        self._path = cache / "floors.json" if cache is not None else None
        self._held = _read(self._path) if self._path is not None else {}

    def is_below(
        self, source: str, signers: Iterable[x509.Certificate], found: TrustList | Revocations
    ) -> bool:
        """Whether a list is older than one that was taken before."""
        held = self._held.get(source)
        if held is None or held.signers.isdisjoint(map(fingerprint, signers)):
            return False
        before: Any = held.least
        given: Any = found
        return type(before) is type(given) and bool(given.is_older_than(before))

    def note(
        self, source: str, signers: Iterable[x509.Certificate], found: TrustList | Revocations
    ) -> None:
        """Takes note of a list that is taken. Raises OSError."""
        least = (
            TrustList((), found.sequence, found.expires)
            if isinstance(found, TrustList)
            else Revocations(since=found.since, issuer=found.issuer, number=found.number)
        )
        floor = Floor(frozenset(map(fingerprint, signers)), least)
        if self._held.get(source) == floor:
            return
        self._held[source] = floor
        if self._path is not None:
            said = {name: _written(each) for name, each in self._held.items()}
            written_whole(self._path, json.dumps(said).encode())


def _written(floor: Floor) -> dict[str, Any]:
    least, signers = floor.least, sorted(floor.signers)
    if isinstance(least, TrustList):
        return {"signers": signers, "sequence": least.sequence, "expires": least.expires}
    told = {"since": least.since, "issuer": least.issuer, "number": least.number}
    return {"signers": signers, **told}


def _read(path: Path) -> dict[str, Floor]:
    try:
        said = json.loads(read_whole(path, OCTETS_MOST)[0])
        return {str(name): _floor(each) for name, each in said.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _floor(said: dict[str, Any]) -> Floor:
    signers = frozenset(map(str, said["signers"]))
    if "sequence" in said:
        return Floor(signers, TrustList((), int(said["sequence"]), float(said["expires"])))
    number = None if said["number"] is None else int(said["number"])
    since, issuer = float(said["since"]), _name(said["issuer"])
    return Floor(signers, Revocations(since=since, issuer=issuer, number=number))


def _name(said: list[list[list[str]]]) -> NameKey:
    return tuple(tuple((str(kind), str(text)) for kind, text in part) for part in said)
