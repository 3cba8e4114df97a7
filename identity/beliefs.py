"""Whom calls are believed from, by name: files, and what was fetched; one snapshot of all.

Invariants
1. Readers take one whole Snapshot: roots and CRL that stand together, exchanged at once.
2. Who changes what is believed holds the lock until the snapshot with it stands: none is lost, and
   no older one follows.
3. What is new and does not do changes nothing: the last good one stays until it ends; the log says
   so once for each reason.
4. A trust list's number and a CRL's date never go back, over a restart neither. A list that has
   ended roots nothing; a CRL that was never had, or has ended, leaves every verdict unknown.
5. Who may sign is asked anew when that changes: what none of them has signed is let go.
6. A file of roots with a CRL beside it is a domain of its own: no list is asked of the other's.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cryptography import x509

from .floors import Floors
from .refreshing import words_of
from .revocation import CRL_OCTETS, Revocations, read_crl
from .storing import read_whole
from .trust import ROOTS_OCTETS, Trust, TrustList, read_trust_list, roots_of, signers_of

__all__ = ["MOST", "Beliefs", "Snapshot", "Sources"]

log = logging.getLogger("callscreen.identity")

MOST = {"crl": CRL_OCTETS, "trust_list": ROOTS_OCTETS, "roots": ROOTS_OCTETS}  # octets
NEVER = Revocations(until=0.0)
OWN = "crl of "  # a file of roots, by its stem

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

    def __init__(
        self, sources: Sources, clock: Callable[[], float], cache: Path | None = None
    ) -> None:
        self._sources = sources
        self._clock = clock
        self._lock = threading.Lock()  # of all that follows
        self._snapshot = Snapshot()
        self._stamps: dict[str, Stamp] = {}
        self._files: dict[str, Roots] = {}
        self._anchors: Roots = ()
        self._list: TrustList | None = None
        self._crls: dict[str, Revocations] = {}  # by kind, see _kinds
        self._octets: dict[str, bytes] = {}  # of the list and the CRLs in use
        self.signers_changed = 0  # how often
        self._floors = Floors(cache)
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
        return self._crls.get("crl")

    def look(self) -> None:
        """Takes files that changed."""
        with self._lock:
            changed = self._look_at_roots()
            anchors = self._sources.trust_list_ca
            if anchors and self._changed("trust_list_ca", [Path(anchors)]):
                self.take("trust_list_ca", lambda: self._read_anchors(Path(anchors)))
                changed = True
            if changed:
                self.signers_changed += 1
                self._judge_anew()
            for kind, place in self._kinds().items():
                if place and not place.startswith("https://"):
                    path = Path(place)
                    if kind.startswith(OWN):  # there is to be one
                        self._crls.setdefault(kind, NEVER)
                    if self._changed(kind, [path]) or (changed and kind in self.told):
                        self.take(kind, partial(self._read_file, kind, path))
                        changed = True
            if changed:
                self._build()

    def _kinds(self) -> dict[str, str]:
        """Where the list and the CRLs stand: "trust_list", "crl", and "crl of " a file of roots.
        One that is taken away counts until it ends."""
        kinds = {"trust_list": self._sources.trust_list, "crl": self._sources.crl}
        for name in self._files:
            path = Path(self._sources.roots) / f"{name}.crl"
            if path.exists() or OWN + name in self._crls:
                kinds[OWN + name] = str(path)
        return kinds

    def _judge_anew(self) -> None:
        """What is in use is let go where nobody has signed it who may now."""
        now, kinds = self._clock(), self._kinds()
        for kind, octets in list(self._octets.items()):
            try:
                if kind != "trust_list":
                    self._crls[kind] = read_crl(octets, self._signers(kind), now)
                elif self._list is not None and now < self._list.expires:
                    read_trust_list(octets, self._signers(kind), now)
            except Exception as error:  # whatever a file brings about
                self._let_go(kind)
                self.tell(kinds[kind] if kinds[kind].startswith("https://") else kind, error)

    def _let_go(self, kind: str) -> None:
        del self._octets[kind]
        if kind == "trust_list":
            self._list = None
        elif kind == "crl":
            del self._crls[kind]
        else:
            self._crls[kind] = NEVER

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
        self._read(kind, read_whole(path, MOST.get(kind, CRL_OCTETS))[0])

    def _read(self, kind: str, octets: bytes) -> None:
        """Raises Fault; ValueError for one older than that in use."""
        now, signers = self._clock(), self._signers(kind)
        found: TrustList | Revocations
        if kind == "trust_list":
            found = read_trust_list(octets, signers, now)
            if self._floors.is_below(kind, signers, found):
                raise ValueError(f"its number or end went back, to {found.sequence}")
            self._list = found
        else:
            found = read_crl(octets, signers, now)
            if self._floors.is_below(kind, signers, found):
                raise ValueError("the CRL is older than that in use")
            if found.until <= now:
                raise ValueError("the CRL has ended")
            self._crls[kind] = found
        self._octets[kind] = octets
        try:
            self._floors.note(kind, signers, found)
        except OSError as error:
            self.tell("floors", error)
        else:
            self.told.pop("floors", None)

    def _read_roots(self, paths: list[Path]) -> None:
        files = {path.stem: roots_of(read_whole(path, ROOTS_OCTETS)[0]) for path in paths}
        for kind in {OWN + name for name in self._files.keys() - files.keys()}:
            for held in (self._crls, self._octets, self.told, self._stamps):
                held.pop(kind, None)
        self._files = files

    def _read_anchors(self, path: Path) -> None:
        self._anchors = signers_of(read_whole(path, ROOTS_OCTETS)[0])

    def _signers(self, kind: str) -> Roots:
        """Who signs the list and the CRL; where that is said, nobody else, also if it is amiss. The
        CRL beside a file of roots is signed by those."""
        if kind.startswith(OWN):
            return self._files.get(kind.removeprefix(OWN), ())
        return self._anchors if self._sources.trust_list_ca else self._all_files()

    def _all_files(self) -> Roots:
        return tuple(each for roots in self._files.values() for each in roots)

    def _build(self) -> None:
        revoked = self._crls.get("crl", NEVER) if self._sources.crl else Revocations()
        apart = self._apart(revoked)

        def named(roots: Mapping[str, Roots]) -> dict[str, Trust]:
            return {name: Trust(each, revoked, name, apart) for name, each in roots.items()}

        fixed = {**self._files, **{url: each for url, each in self._addresses.items() if each}}
        after = named({"": self._all_files(), **fixed})
        if self._list is None:
            self._snapshot = Snapshot(after, after=after)
            return
        both = tuple(dict.fromkeys((*self._all_files(), *self._list.roots)))
        names = named({"": both, **fixed, self._sources.trust_list: self._list.roots})
        self._snapshot = Snapshot(names, self._list.expires, after)

    def _apart(self, revoked: Revocations) -> dict[x509.Certificate, tuple[Revocations, ...]]:
        """The CRLs of roots that have their own: all that count for one in several domains. What a
        URL of a rule serves takes none away from others, and adds none."""
        domains = [
            (self._crls.get(OWN + name, revoked), each) for name, each in self._files.items()
        ]
        if self._list is not None:
            domains.append((revoked, self._list.roots))
        found: dict[x509.Certificate, dict[int, Revocations]] = {}
        for crl, roots in domains:
            for root in roots:
                found.setdefault(root, {})[id(crl)] = crl
        return {
            root: tuple(each.values()) for root, each in found.items() if [*each] != [id(revoked)]
        }

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
