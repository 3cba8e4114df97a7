"""What was fetched of whom to trust, kept on disk: roots, the trust list and the CRL.

Invariants
1. A file holds one document; its first line says of which URL, and when it was fetched.
2. It is no more trusted than a fetch: it is read and checked in the same way.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import orjson

from .storing import read_whole, written_whole

__all__ = ["Document", "Documents"]

LINE_MOST = 4_096  # octets of a file's first line


class Document(NamedTuple):
    url: str
    octets: bytes
    fetched: float  # seconds since 1970; 0: not known


class Documents:
    """A folder of them; None: nothing outlives the process."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def read(self, kind: str, url: str, most: int) -> Document | None:
        """What is kept of a URL; None without. Raises OSError."""
        path = self._path(kind, url)
        if path is None or not path.exists():
            return None
        octets, _ = read_whole(path, LINE_MOST + most)
        return _taken_apart(octets) or Document(url, octets, 0.0)

    def all(self, kind: str, most: int) -> Iterator[Document]:
        """Of a kind, what can be read; in order of their URLs' sums."""
        if self._folder is None or not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob(f"{kind}-*")):
            try:
                found = _taken_apart(read_whole(path, LINE_MOST + most)[0])
            except OSError:
                continue  # as if it were not there: it is fetched
            if found is not None and self._path(kind, found.url) == path:
                yield found

    def write(self, kind: str, document: Document) -> None:
        """Raises OSError."""
        path = self._path(kind, document.url)
        if path is not None:
            told = {"url": document.url, "fetched": document.fetched}
            written_whole(path, orjson.dumps(told) + b"\n" + document.octets)

    def remove(self, kind: str, url: str) -> None:
        """Raises OSError."""
        path = self._path(kind, url)
        if path is not None:
            path.unlink(missing_ok=True)

    def _path(self, kind: str, url: str) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / f"{kind}-{hashlib.sha256(url.encode()).hexdigest()[:32]}"


def _taken_apart(octets: bytes) -> Document | None:
    line, _, rest = octets.partition(b"\n")
    try:
        told = orjson.loads(line)
        return Document(str(told["url"]), rest, float(told["fetched"]))
    except (ValueError, KeyError, TypeError):
        return None
