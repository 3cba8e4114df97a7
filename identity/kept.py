"""What is kept of an x5u URL, in memory and in a folder.

Invariants
1. A file holds one entry, its URL and times in its first line; what cannot be read is removed,
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
from .model import Chain, Fault
from .storing import read_whole, written_whole

__all__ = ["Entry", "Judged", "Shelf"]

log = logging.getLogger("callscreen.identity")

LINE_MOST = 4_096  # octets of a file's first line


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
    used: float = 0.0
    renewed: float = 0.0  # when it was last asked for because a token was refused; 0: never
    stale: bool = False  # and did not come
    judged: dict[str, Judged] = field(default_factory=dict)  # by the name of a trust

    def __post_init__(self) -> None:
        self.used = self.used or self.fetched

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
        told = {"url": entry.url, "fetched": entry.fetched, "until": entry.until}
        try:
            written_whole(self._path(entry.url), orjson.dumps(told) + b"\n" + entry.octets)
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
        line, _, octets = read_whole(path, LINE_MOST + PATH_OCTETS)[0].partition(b"\n")
        told = orjson.loads(line)
        url, fetched, until = str(told["url"]), float(told["fetched"]), float(told["until"])
        if hashlib.sha256(url.encode()).hexdigest() != path.name:
            return None
        return Entry(url, octets, tuple(read_path(octets)), fetched, until)
    except (Fault, OSError, ValueError, KeyError, TypeError):
        return None
