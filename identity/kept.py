"""What is kept of an x5u URL, in memory and in a folder.

Invariants
1. A file holds one entry, its URL and times in its first line, then its path and the lists of
   numbers that this names; what cannot be read is removed,
   and what cannot be removed is passed over.
2. A file is no more trusted than a fetch: its path is judged again after a restart.
"""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import orjson
from cryptography import x509

from .certificates import PATH_OCTETS, read_path
from .chains import judge_chain
from .listing import LIST_OCTETS, LISTS_MOST, NOTHING, Lists, urls_of
from .model import FAILED, Chain, Fault
from .refreshing import words_of
from .storing import read_whole, written_whole
from .trust import Trust

__all__ = ["Entry", "Judged", "Shelf", "judged_of"]

log = logging.getLogger("callscreen.identity")

FAULT_SECONDS = 60.0  # that a bad judgement stands, unless a certificate begins meanwhile
LINE_MOST = 16_384  # octets of a file's first line
FILE_MOST = LINE_MOST + PATH_OCTETS + LISTS_MOST * LIST_OCTETS


class Judged(NamedTuple):
    """What was found of a path under one trust, from `since` until `until`."""

    trust: object
    since: float
    until: float
    chain: Chain | None
    fault: tuple[int, str, str, str, bool] = (0, "", "", "", False)  # code ... of a Fault


@dataclass(slots=True, eq=False)
class Entry:
    """A path as it was fetched. Seconds since 1970."""

    url: str
    octets: bytes
    path: tuple[x509.Certificate, ...]
    fetched: float
    until: float
    lists: Lists = NOTHING  # that the path names
    used: float = 0.0
    renewed: float = 0.0  # when it was last asked for because a token was refused; 0: never
    stale: bool = False  # and did not come
    judged: dict[str, Judged] = field(default_factory=dict)  # by the name of a trust

    def __post_init__(self) -> None:
        self.used = self.used or self.fetched

    @property
    def size(self) -> int:
        """Octets that it takes."""
        return len(self.octets) + sum(map(len, self.lists.octets.values()))

    def is_as(self, other: "Entry") -> bool:
        """Whether the other has the same octets."""
        return self.octets == other.octets and self.lists.octets == other.lists.octets

    @property
    def half(self) -> float:
        return (self.fetched + self.until) / 2


class Shelf:
    """The folder of entries; None: nothing outlives the process."""

    def __init__(self, cache: Path | None) -> None:
        self._folder = cache / "x5u" if cache is not None else None
        self._told = False

    def read(self, most: int, now: float) -> Iterator[Entry]:
        """Entries that still hold, at most so many; files of others are removed."""
        if self._folder is None or not self._folder.is_dir():
            return
        for place, path in enumerate(sorted(self._folder.iterdir())):
            entry = _read(path) if place < most else None
            if entry is not None and entry.fetched <= now < entry.until:
                yield entry
            else:
                self._unlink(path)

    def write(self, entry: Entry) -> None:
        """A disk that fails is told once: the entry is then in memory alone."""
        if self._folder is None:
            return
        lists = entry.lists.octets
        sizes = [[url, len(octets)] for url, octets in lists.items()]
        told = {"url": entry.url, "fetched": entry.fetched, "until": entry.until, "lists": sizes}
        octets = b"".join((entry.octets, *lists.values()))
        try:
            written_whole(self._path(entry.url), orjson.dumps(told) + b"\n" + octets)
            self._told = False
        except OSError as error:
            self._tell(error)

    def remove(self, url: str) -> None:
        if self._folder is not None:
            self._unlink(self._path(url))

    def _unlink(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            self._tell(error)

    def _path(self, url: str) -> Path:
        assert self._folder is not None
        return self._folder / hashlib.sha256(url.encode()).hexdigest()

    def _tell(self, error: OSError) -> None:
        if not self._told:
            self._told = True
            log.error("certificates are not kept on disk: %s", error)


def _read(path: Path) -> Entry | None:
    try:
        line, _, octets = read_whole(path, FILE_MOST)[0].partition(b"\n")
        told = orjson.loads(line)
        url, fetched, until = str(told["url"]), float(told["fetched"]), float(told["until"])
        if hashlib.sha256(url.encode()).hexdigest() != path.name:
            return None
        found: dict[str, bytes] = {}
        for place, size in reversed(told.get("lists", [])):
            cut = len(octets) - int(size)
            octets, found[str(place)] = octets[:cut], octets[cut:]
        certificates = tuple(read_path(octets))
        if not found.keys() >= set(urls_of(certificates)):
            return None
        return Entry(url, octets, certificates, fetched, until, Lists.of(found))
    except (Fault, OSError, ValueError, KeyError, TypeError):
        return None


def judged_of(entry: Entry, trust: Trust, now: float) -> Judged:
    """A stranger's path may cost a hundred times what its token does: no fault is found twice."""
    try:
        chain = judge_chain(entry.path, trust, now, entry.lists.authorities)
    except Fault as fault:
        why = (fault.code, fault.verstat, fault.check, fault.detail, fault.unknown)
        return Judged(trust, now, _again(entry, now), None, why)
    except Exception as error:  # as above: a call is not lost by it
        why = (437, FAILED, "certificate", f"cannot be judged: {words_of(error)}", False)
        return Judged(trust, now, _again(entry, now), None, why)
    return Judged(trust, now, chain.until, chain)


def _again(entry: Entry, now: float) -> float:
    """When a path that does not do is judged again: it may by then."""
    until = now + FAULT_SECONDS
    for certificate in entry.path:
        try:
            begins = certificate.not_valid_before_utc.timestamp()
        except ValueError:  # it never will
            continue
        if now < begins:
            until = min(until, begins)
    return until
