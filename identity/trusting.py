"""Whom calls are believed from, by name: files, the STI-PA's trust list and its CRL, kept fresh.

Invariants
1. Readers take one whole Snapshot: roots and CRL that stand together, exchanged at once.
2. What is new and does not do changes nothing: the last good one stays until it ends, also over a
   restart; the log says so once for each reason.
3. A trust list's number and a CRL's date never go back. A list that has ended roots nothing; a CRL
   that was never had, or has ended, leaves every verdict unknown.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from .fetching import Fetcher
from .model import Fault
from .revocation import CRL_OCTETS, Revocations, read_crl
from .storing import written_whole
from .trust import ROOTS_OCTETS, Trust, TrustList, read_trust_list, roots_of

__all__ = ["ADDRESSES_MOST", "FETCH_SECONDS", "Snapshot", "Sources", "Trusts"]

log = logging.getLogger("callscreen.identity")

ADDRESSES_MOST = 64  # roots that a rule names by URL
FETCH_SECONDS = 3_600.0  # between two fetches of a list that came
RETRY_SECONDS = 60.0  # after one that did not
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


class Trusts:
    """`trust` and `known` may be called from any thread, the rest from one at a time."""

    def __init__(
        self, sources: Sources, fetcher: Fetcher, cache: Path | None, clock: Callable[[], float]
    ) -> None:
        self._sources = sources
        self._fetcher = fetcher
        self._cache = cache
        self._clock = clock
        self._snapshot = Snapshot()
        self._nobody = Trust(name="nobody")
        self._stamps: dict[str, Stamp] = {}
        self._files: dict[str, Roots] = {}
        self._anchors: Roots = ()
        self._list: TrustList | None = None
        self._crl: Revocations | None = None
        self._addresses: dict[str, Roots] = {}
        self._due: dict[str, float] = {}  # URL: when it is fetched next
        self._told: dict[str, str] = {}  # source: what was last amiss
        self.look()
        self._restore()

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

    @property
    def failing(self) -> int:
        """Sources whose last reading failed."""
        return len(self._told)

    def trust(self, name: str) -> Trust:
        """What a name stands for now: "" all roots; a file's stem; the URL of roots."""
        held = self._snapshot
        names = held.names if self._clock() < held.until else held.after
        return names.get(name, self._nobody)

    def known(self, name: str) -> bool:
        """False where roots of this URL were never fetched, and it is not too soon for it."""
        if not name.startswith("https://") or name in self._snapshot.names:
            return True
        return self._clock() < self._due.get(name, 0.0) or len(self._addresses) >= ADDRESSES_MOST

    def look(self) -> None:
        """Takes files that changed."""
        roots = Path(self._sources.roots) if self._sources.roots else None
        paths = sorted(roots.glob("*.pem")) if roots and roots.is_dir() else [roots]
        changed = self._changed("roots", [path for path in paths if path])
        if changed:
            self._take("roots", lambda: self._read_roots([path for path in paths if path]))
        anchors = self._sources.trust_list_ca
        if anchors and self._changed("trust_list_ca", [Path(anchors)]):
            self._take("trust_list_ca", lambda: self._read_anchors(Path(anchors)))
            changed = True
        for kind, place in (("trust_list", self._sources.trust_list), ("crl", self._sources.crl)):
            if place and not place.startswith("https://"):
                path = Path(place)
                if self._changed(kind, [path]) or (changed and kind in self._told):
                    self._take(kind, lambda k=kind, p=path: self._read(k, p.read_bytes()))  # type: ignore[misc]
                    changed = True
        if changed:
            self._build()

    async def refresh(self) -> None:
        """`look`, and fetches what is due."""
        await asyncio.to_thread(self.look)
        wanted = [self._sources.trust_list, self._sources.crl, *list(self._addresses)]
        for url in wanted:
            if url.startswith("https://") and self._clock() >= self._due.get(url, 0.0):
                await self.want(url)

    async def want(self, url: str) -> None:
        """Fetches a list, the CRL or roots of a URL; what fails is told in the log."""
        kind = self._kind(url)
        if kind == "roots" and url not in self._addresses:
            if len(self._addresses) >= ADDRESSES_MOST:
                return
            self._addresses[url] = ()
        self._due[url] = self._clock() + RETRY_SECONDS
        try:
            got = await self._fetcher.get(url, CRL_OCTETS if kind == "crl" else ROOTS_OCTETS)
            await asyncio.to_thread(self._read_of, kind, url, got.octets)
        except (Fault, ValueError) as error:
            self._tell(url, error)
            return
        self._told.pop(url, None)
        self._due[url] = self._clock() + self._period(kind)
        self._build()
        if kind == "trust_list":
            self._stamps.pop("crl", None)  # a CRL file may be signed by what is now known
        if self._cache is not None:
            try:
                await asyncio.to_thread(written_whole, self._kept(url), got.octets)
            except OSError as error:
                self._tell("disk", error)

    def _kind(self, url: str) -> str:
        if url == self._sources.crl:
            return "crl"
        return "trust_list" if url == self._sources.trust_list else "roots"

    def _period(self, kind: str) -> float:
        if kind == "crl" and self._crl is not None:
            half = (self._crl.until - self._crl.since) / 2
            return max(RETRY_SECONDS, min(half, FETCH_SECONDS))
        return FETCH_SECONDS

    def _read_of(self, kind: str, url: str, octets: bytes) -> None:
        if kind == "roots":
            self._addresses[url] = roots_of(octets)
        else:
            self._read(kind, octets)

    def _read(self, kind: str, octets: bytes) -> None:
        """Raises Fault; ValueError for one older than that in use."""
        now = self._clock()
        if kind == "trust_list":
            found = read_trust_list(octets, self._anchors or self._all_files(), now)
            if self._list is not None and found.sequence < self._list.sequence:
                raise ValueError(f"its number went back to {found.sequence}")
            self._list = found
            return
        listed = self._list.roots if self._list is not None else ()
        issuers = (*self._anchors, *self._all_files(), *listed)
        crl = read_crl(octets, issuers, now)
        if self._crl is not None and crl.since < self._crl.since:
            raise ValueError("the CRL is older than that in use")
        if crl.until <= now:
            raise ValueError("the CRL has ended")
        self._crl = crl

    def _read_roots(self, paths: list[Path]) -> None:
        files = {path.stem: roots_of(path.read_bytes()) for path in paths}
        self._files = files

    def _read_anchors(self, path: Path) -> None:
        self._anchors = roots_of(path.read_bytes())

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

    def _take(self, kind: str, read: Callable[[], None]) -> None:
        try:
            read()
        except (Fault, OSError, ValueError) as error:
            self._tell(kind, error)
        else:
            if self._told.pop(kind, None):
                log.info("%s: read again", kind)

    def _tell(self, source: str, error: Exception) -> None:
        text = str(error)[:300]
        if self._told.get(source) != text:
            self._told[source] = text
            log.error("%s: not taken, the last good one stays: %s", source, text)

    def _restore(self) -> None:
        """Takes what was fetched before a restart, where it still holds."""
        if self._cache is None:
            return
        for url in (self._sources.trust_list, self._sources.crl):
            path = self._kept(url)
            if url.startswith("https://") and path.is_file():
                self._take(url, lambda u=url, p=path: self._read(self._kind(u), p.read_bytes()))  # type: ignore[misc]
        self._build()

    def _kept(self, url: str) -> Path:
        assert self._cache is not None
        return self._cache / f"{self._kind(url)}-{hashlib.sha256(url.encode()).hexdigest()[:32]}"


def _stamp(path: Path) -> tuple[str, int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (path.name, 0, 0, 0)
    return (path.name, found.st_ino, found.st_size, found.st_mtime_ns)
