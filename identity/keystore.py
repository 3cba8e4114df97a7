"""The certificates and keys that calls are signed with, by name; kept fresh without a restart.

A folder holds three files a name: `<name>.pem`, the path, leaf first; `<name>.url`, the https URL
that verifiers fetch that path at; `<name>.key`, the private key in PEM, of mode 0600. With keys
behind PKCS#11 the third is the private key of that label in the token.

Invariants
1. What is handed out was checked as a whole; a name that fails has no part in the others' fate.
2. Files that changed are taken all together or not at all: while what is new does not do, the last
   good one signs on, and the log says so once. One whose files are gone is gone.
3. A certificate that has not begun, or has ended, signs nothing; its end is told 30, 7 and 1 days
   before, once each.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .chains import check_authority
from .composing import Unusable
from .hardware import SCHEME, Token, read_place
from .keyfiles import is_name, read_certificate, read_key
from .refreshing import words_of
from .signing import Key, NoSignature, Signer

__all__ = ["ALARM_DAYS", "NAMES_MOST", "KeyState", "KeyStore"]

log = logging.getLogger("callscreen.identity")

ALARM_DAYS = (30, 7, 1)  # before the end
NAMES_MOST = 10_000  # certificates
DAY = 86_400
SUFFIXES = (".pem", ".url", ".key")

Stamp = tuple[tuple[int, int, int, int], ...]  # of each file: inode, size, mode, time


@dataclass(frozen=True, slots=True)
class KeyState:
    """What is known of one name. `problem` "": nothing; `until` 0: there is no certificate."""

    name: str
    problem: str = ""
    fingerprint: str = ""
    until: float = 0.0  # seconds since 1970
    url: str = ""  # that its tokens name


@dataclass(frozen=True, slots=True)
class Entry:
    stamp: Stamp
    signer: Signer | None
    since: float
    problem: str

    @property
    def until(self) -> float:
        return self.signer.certificate.until if self.signer else 0.0


class KeyStore:
    """Threads may share it; `look` is for one at a time."""

    def __init__(self, keys: str, *, clock: Callable[[], float] = time.time) -> None:
        """`keys`: a folder, `pkcs11:...`, or "" for none. ValueError where that is neither."""
        self._clock = clock
        self._token: Token | None = None
        self._folder: Path | None = Path(keys) if keys else None
        if keys.startswith(SCHEME):
            place = read_place(keys)
            self._folder, self._token = place.folder, Token(place)
        if self._folder is not None and not self._folder.is_dir():
            raise ValueError(f"no folder: {self._folder}")
        self._entries: dict[str, Entry] = {}
        self._alarmed: dict[tuple[str, str], int] = {}  # name, fingerprint: the days last told of
        self._missed: set[str] = set()  # names asked for in vain, told once
        self._lock = threading.Lock()
        self.look()

    def signer(self, cert_name: str) -> Signer:
        """What signs under that name now. Raises NoSignature, with the reason."""
        entry = self._entries.get(cert_name)
        if entry is None or entry.signer is None:
            why = entry.problem if entry else "no certificate of this name"
            self._tell_missed(cert_name, why)
            raise Unusable(why) if entry else NoSignature(why)
        now = self._clock()
        if now >= entry.until:
            raise NoSignature("the certificate has expired")
        if now < entry.since:
            raise NoSignature("the certificate does not hold yet")
        return entry.signer

    def states(self) -> list[KeyState]:
        """Every name of the folder, in order, as it is now."""
        return [self._state(name, entry) for name, entry in sorted(self._entries.items())]

    def look(self) -> bool:
        """Takes files that changed, and tells of certificates that end; whether any was taken."""
        with self._lock:
            found = dict(self._found())
            entries = {name: self._entry(name, stamp) for name, stamp in found.items()}
            changed = entries != self._entries
            self._entries = entries
            if changed:
                self._missed = set()
            self._tell_ends()
            return changed

    def _found(self) -> Iterator[tuple[str, Stamp]]:
        if self._folder is None:
            return
        try:
            names = sorted(path.stem for path in self._folder.glob("*.pem"))[:NAMES_MOST]
        except OSError as error:
            log.error("certificates are not read: %s", error)
            names = []
        for name in names:
            if is_name(name):
                yield name, tuple(stamp_of(self._folder / (name + each)) for each in SUFFIXES)

    def _entry(self, name: str, stamp: Stamp) -> Entry:
        before = self._entries.get(name)
        retried = before is not None and before.problem and self._token is not None
        if before is not None and before.stamp == stamp and not retried:
            return before
        try:
            entry = self._read(name, stamp)
        except Exception as error:  # whatever a file brings about concerns this name alone
            whole = (0, 0, 0, 0) not in stamp[: 2 if self._token else 3]
            last = before if before is not None and before.signer is not None and whole else None
            problem = words_of(error)
            if before is None or before.problem != problem:
                held = "; the last good one signs on" if last else ""
                log.error("the certificate %s is not taken: %s%s", name, problem, held)
            return Entry(stamp, last.signer if last else None, last.since if last else 0.0, problem)
        log.info("the certificate %s is in use until %s", name, day(entry.until))
        return entry

    def _read(self, name: str, stamp: Stamp) -> Entry:
        """Raises Refused, ValueError, and what `cryptography` has for strange octets."""
        assert self._folder is not None
        chain, url, since = read_certificate(self._folder, name)
        key: Key
        if self._token is not None:
            key = self._token.key(name, chain.key)
        else:
            key = read_key(self._folder / f"{name}.key", chain.key)
        return Entry(stamp, Signer(key, chain, url, authority=check_authority), since, "")

    def _state(self, name: str, entry: Entry) -> KeyState:
        problem, now = entry.problem, self._clock()
        if entry.signer is None:
            return KeyState(name, problem)
        if now >= entry.until:
            problem = problem or "the certificate has expired"
        elif now < entry.since:
            problem = problem or "the certificate does not hold yet"
        signer = entry.signer
        return KeyState(name, problem, signer.certificate.fingerprint, entry.until, signer.x5u)

    def _tell_missed(self, name: str, why: str) -> None:
        if name not in self._missed and len(self._missed) < NAMES_MOST:
            self._missed.add(name)
            log.error("calls are not signed: certificate %r: %s", name[:100], why)

    def _tell_ends(self) -> None:
        alarmed: dict[tuple[str, str], int] = {}
        for name, entry in self._entries.items():
            if entry.signer is None:
                continue
            left = (entry.until - self._clock()) / DAY
            key = (name, entry.signer.certificate.fingerprint)
            due = min((days for days in (*ALARM_DAYS, 0) if left <= days), default=None)
            if due is None:
                continue
            alarmed[key] = due
            if self._alarmed.get(key) == due:
                continue
            if due == 0:
                log.error("the certificate %s expired on %s", name, day(entry.until))
            else:
                level = logging.WARNING if due > 1 else logging.ERROR
                text = "the certificate %s ends on %s, in less than %d days"
                log.log(level, text, name, day(entry.until), due)
        self._alarmed = alarmed


def stamp_of(path: Path) -> tuple[int, int, int, int]:
    """What tells that a file is another; zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mode, found.st_mtime_ns)


def day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
