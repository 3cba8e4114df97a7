"""Whom calls are believed from, by name: files, and what was fetched; one snapshot of all.

Invariants
1. Readers take one whole Snapshot: roots and CRL that stand together, exchanged at once.
2. Who changes what is believed holds the lock until the snapshot with it stands: none is lost, and
   no older one follows.
3. What is new and does not do changes nothing: the last good one stays until it ends; the log says
   so once for each reason.
4. A trust list's number and a CRL's date never go back. A list that has ended roots nothing; a CRL
   that was never had, or has ended, leaves every verdict unknown.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cryptography import x509

from .refreshing import words_of
from .revocation import CRL_OCTETS, Revocations, read_crl
from .storing import read_whole
from .trust import ROOTS_OCTETS, Trust, TrustList, read_trust_list, roots_of, signers_of

__all__ = ["MOST", "Beliefs", "Snapshot", "Sources"]

log = logging.getLogger("callscreen.identity")

MOST = {"crl": CRL_OCTETS, "trust_list": ROOTS_OCTETS, "roots": ROOTS_OCTETS}  # octets
NEVER = Revocations(until=0.0)

Roots = tuple[x509.Certificate, ...]
Stamp = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where trust comes from; each "" for none. A list or CRL is a file or an https URL."""

    roots: str = ""  # a folder of PEM files, or one file
    trust_list: str = ""
    trust_list_ca: str = ""  # PEM of who signs the list and the CRL; "" for the roots
    crl: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Trust by name; from `until` on, when the trust list ends, that of `after` holds."""

    names: Mapping[str, Trust] = field(default_factory=dict)
    until: float = float("inf")  # seconds since 1970
    after: Mapping[str, Trust] = field(default_factory=dict)


class Beliefs:
    """Its properties may be read from any thread and never wait; all else may wait for the lock,
    and so is for threads that may wait."""

    def __init__(self, sources: Sources, clock: Callable[[], float]) -> None:
        self._sources = sources
        self._clock = clock
        self._lock = threading.Lock()  # of all that follows
        self._snapshot = Snapshot()
        self._stamps: dict[str, Stamp] = {}
        self._files: dict[str, Roots] = {}
        self._anchors: Roots = ()
        self._list: TrustList | None = None
        self._crl: Revocations | None = None
        self._addresses: dict[str, Roots] = {}  # roots by their URL
        self.told: dict[str, str] = {}  # source: what was last amiss

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    @property
    def trust_list(self) -> TrustList | None:
        """The trust list in use, ended or not."""
        return self._list

    @property
    def revocations(self) -> Revocations | None:
        """The CRL in use, ended or not."""
        return self._crl

    def look(self) -> None:
        """Takes files that changed."""
        with self._lock:
            changed = self._look_at_roots()
            anchors = self._sources.trust_list_ca
            if anchors and self._changed("trust_list_ca", [Path(anchors)]):
                self.take("trust_list_ca", lambda: self._read_anchors(Path(anchors)))
                changed = True
            lists = (("trust_list", self._sources.trust_list), ("crl", self._sources.crl))
            for kind, place in lists:
                if place and not place.startswith("https://"):
                    path = Path(place)
                    if self._changed(kind, [path]) or (changed and kind in self.told):
                        self.take(kind, partial(self._read_file, kind, path))
                        changed = True
            if changed:
                self._build()

    def _look_at_roots(self) -> bool:
        if not self._sources.roots:
            return False
        roots = Path(self._sources.roots)
        try:
            paths = sorted(each for each in roots.iterdir() if each.match("*.pem"))
        except NotADirectoryError:
            paths = [roots]
        except OSError as error:
            self.tell("roots", error)
            self._stamps.pop("roots", None)  # what comes back is read again
            return False
        changed = self._changed("roots", paths)
        if changed:
            self.take("roots", lambda: self._read_roots(paths))
        return changed

    def put(self, kind: str, url: str, octets: bytes) -> None:
        """Takes what stood at a URL. Raises Fault; ValueError for one older than that in use."""
        with self._lock:
            if kind == "roots":
                self._addresses[url] = roots_of(octets)
            else:
                self._read(kind, octets)
            self._build()

    def forget(self, url: str) -> None:
        """Lets roots of a URL go."""
        with self._lock:
            if self._addresses.pop(url, None):
                self._build()

    def take(self, source: str, read: Callable[[], None]) -> None:
        """Reads a source; what is amiss with it is told."""
        try:
            read()
        except Exception as error:  # whatever a file brings about
            self.tell(source, error)
        else:
            if self.told.pop(source, None):
                log.info("%s: read again", source)

    def tell(self, source: str, error: Exception) -> None:
        text = words_of(error)
        if self.told.get(source) != text:
            self.told[source] = text
            log.error("%s: not taken, the last good one stays: %s", source, text)

    def _read_file(self, kind: str, path: Path) -> None:
        self._read(kind, read_whole(path, MOST[kind])[0])

    def _read(self, kind: str, octets: bytes) -> None:
        """Raises Fault; ValueError for one older than that in use."""
        now = self._clock()
        if kind == "trust_list":
            found = read_trust_list(octets, self._signers(), now)
            if self._list is not None and found.is_older_than(self._list):
                raise ValueError(f"its number or end went back, to {found.sequence}")
            self._list = found
            return
        crl = read_crl(octets, self._signers(), now)
        if self._crl is not None and crl.is_older_than(self._crl):
            raise ValueError("the CRL is older than that in use")
        if crl.until <= now:
            raise ValueError("the CRL has ended")
        self._crl = crl

    def _read_roots(self, paths: list[Path]) -> None:
        files = {path.stem: roots_of(read_whole(path, ROOTS_OCTETS)[0]) for path in paths}
        self._files = files

    def _read_anchors(self, path: Path) -> None:
        self._anchors = signers_of(read_whole(path, ROOTS_OCTETS)[0])

    def _signers(self) -> Roots:
        """Who signs the list and the CRL; where that is said, nobody else, also if it is amiss."""
        return self._anchors if self._sources.trust_list_ca else self._all_files()

    def _all_files(self) -> Roots:
        return tuple(each for roots in self._files.values() for each in roots)

    def _build(self) -> None:
        revoked = self._crl if self._crl is not None else Revocations()
        if self._sources.crl and self._crl is None:
            revoked = NEVER

        def named(roots: Mapping[str, Roots]) -> dict[str, Trust]:
            return {name: Trust(each, revoked, name) for name, each in roots.items()}

        fixed = {**self._files, **{url: each for url, each in self._addresses.items() if each}}
        after = named({"": self._all_files(), **fixed})
        if self._list is None:
            self._snapshot = Snapshot(after, after=after)
            return
        both = tuple(dict.fromkeys((*self._all_files(), *self._list.roots)))
        names = named({"": both, **fixed, self._sources.trust_list: self._list.roots})
        self._snapshot = Snapshot(names, self._list.expires, after)

    def _changed(self, kind: str, paths: list[Path]) -> bool:
        """Notes the state of files; whether it is another than at the last look."""
        stamp = tuple(_stamp(path) for path in paths)
        same = self._stamps.get(kind) == stamp
        self._stamps[kind] = stamp
        return not same


def _stamp(path: Path) -> tuple[str, int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (path.name, 0, 0, 0)
    return (path.name, found.st_ino, found.st_size, found.st_mtime_ns)
