"""The files of the audit log: <folder>/<product>/audit-<year>.<month>.<day>.log, a row a line.

Invariants:
1. Exactly the committed changes have rows. Rows are written and made durable before their
   transaction is; the length of each file is an entry of that transaction, and what a file holds
   beyond its length never was: it is cut off at the start, and when a transaction fails.
2. Where a row cannot be written nothing is changed; writing is tried anew with every group.
3. A file is named by the first day (UTC) of its period of log_duration days; folders are 0700,
   files 0600. No file is ever removed here.
4. What others did to a file is logged, and the log goes on behind what is left of it.
"""

import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from ...schema import PRODUCTS
from ...v1.object_pb2 import Object
from ..files import sync_folder
from ..store.contract import (
    NO_SPACE,
    Key,
    PrivateDelete,
    PrivatePut,
    Store,
    StoreFailed,
    StoreFull,
)
from ..store.tables import decode_number, encode_number

PREFIX: Final = b"audit\x00"  # of the private entries that hold the files' lengths
NAME: Final = re.compile(r"audit-[0-9]{4}\.[0-9]{2}\.[0-9]{2}\.log")
SET_ASIDE: Final = ".unknown"  # ends the name of a file that no transaction knows of
DAY_SECONDS: Final = 86_400
EPOCH: Final = date(1970, 1, 1).toordinal()

FULL: Final = "There is no room for the audit log: nothing was changed."
FAILED: Final = "The audit log cannot be written: nothing was changed."

At = tuple[str, str]  # product, name of the file

log = logging.getLogger("callscreen.core")


def entry_key(at: At) -> bytes:
    """The private entry that holds a file's length (encode_number)."""
    return PREFIX + "\0".join(at).encode()


def entry_of(key: bytes) -> At:
    """The file whose length an entry holds. Raises ValueError."""
    product, name = key[len(PREFIX) :].decode().split("\0")
    return product, name


def file_name(seconds: float, days: int) -> str:
    """The file of a moment (Unix seconds), where files last so many days."""
    day = int(seconds // DAY_SECONDS)
    first = date.fromordinal(EPOCH + day - day % days)
    return f"audit-{first:%Y.%m.%d}.log"


def log_duration(store: Store) -> Callable[[str], int]:
    """Days that a file lasts, as the product's platform settings have it."""
    held: dict[str, tuple[bytes | None, int]] = {}

    def days(product: str) -> int:
        value = store.get(Key(product, "settings", ("",)))
        if product not in held or held[product][0] != value:
            settings = Object.FromString(value or b"").settings
            held[product] = value, max(settings.restworkx.log_duration, 1)
        return held[product][1]

    return days


class AuditFiles:
    """Appends rows and undoes what was not committed. For one thread at a time."""

    def __init__(
        self,
        folder: Path,
        entries: Iterable[tuple[bytes, bytes]],
        days: Callable[[str], int],
        clock: Callable[[], float],
    ) -> None:
        """`entries`: the private entries under PREFIX. `clock` gives Unix seconds."""
        self._folder = folder
        self._days = days
        self._clock = clock
        self._lengths = {entry_of(key): decode_number(value) for key, value in entries}
        self._written: dict[At, int] = {}  # by a transaction that is still open
        self._pending: Counter[str] = Counter()  # rows of that transaction, by product
        self.rows: Counter[str] = Counter()  # rows kept since the start, by product
        self._files: dict[str, tuple[str, int]] = {}  # product: name, file descriptor
        self._gone: set[At] = set()  # lengths of files that were removed
        self._ready = False
        try:
            self._recover()
        except OSError as error:
            log.error("the audit log cannot be opened: %s", error)

    def append(self, rows: Mapping[str, bytes]) -> list[PrivatePut | PrivateDelete]:
        """Writes rows by product, durably; the entries of the transaction that they belong to.

        Rows of a former call that was not kept are cut off first. Raises StoreFull, StoreFailed.
        """
        try:
            if not self._ready:
                self._recover()
            self._cut_back()
            for product, text in rows.items():
                self._write(product, text)
            self._pending = Counter({name: text.count(b"\n") for name, text in rows.items()})
        except OSError as error:
            self.undo()
            if error.errno in NO_SPACE:
                raise StoreFull(FULL) from error
            raise StoreFailed(FAILED) from error
        gone = [PrivateDelete(entry_key(at)) for at in self._gone - set(self._written)]
        return [
            *(PrivatePut(entry_key(at), encode_number(size)) for at, size in self._written.items()),
            *gone,
        ]

    def keep(self) -> None:
        """The transaction is durable."""
        self._lengths.update(self._written)
        self._written.clear()
        self.rows.update(self._pending)
        self._pending.clear()
        self._gone.clear()

    def undo(self) -> None:
        """The transaction has failed: its rows never were."""
        try:
            self._cut_back()
        except OSError as error:
            log.warning("the audit log cannot be cut back yet: %s", error)

    def close(self) -> None:
        """Closes the files."""
        for _, file in self._files.values():
            os.close(file)
        self._files.clear()

    def _cut_back(self) -> None:
        """What was written and not kept goes; it stays noted until it has gone."""
        for at in list(self._written):
            path = self._folder.joinpath(*at)
            if path.exists() and path.stat().st_size > self._lengths.get(at, 0):
                os.truncate(path, self._lengths.get(at, 0))
            del self._written[at]

    def _write(self, product: str, text: bytes) -> None:
        at = product, file_name(self._clock(), self._days(product))
        file = self._file(at)
        start, known = os.fstat(file).st_size, self._lengths.get(at, 0)
        if start > known:
            log.warning("%s/%s held %d octets of others: cut off", *at, start - known)
            os.ftruncate(file, known)
            start = known
        elif start < known:
            log.warning("%s/%s has lost %d octets: it goes on", *at, known - start)
            self._lengths[at] = start
        self._written[at] = start + len(text)
        left = memoryview(text)
        while left:
            left = left[os.write(file, left) :]
        os.fdatasync(file)

    def _file(self, at: At) -> int:
        """The open file, made where it is not there."""
        product, name = at
        path = self._folder.joinpath(*at)
        if product in self._files:
            held, file = self._files[product]
            if held == name and _is(path, file):
                return file
            del self._files[product]
            os.close(file)
            if held == name:
                log.warning("the audit log %s/%s was removed: it begins anew", *at)
        _folder(path.parent)
        if at not in self._lengths:
            _set_aside(path)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(path, flags, 0o600)
        self._files[product] = name, file
        sync_folder(path.parent)
        return file

    def _recover(self) -> None:
        """Cuts off what was never committed. Raises OSError."""
        _folder(self._folder)
        for product in PRODUCTS:
            _folder(self._folder / product)
            for path in sorted((self._folder / product).iterdir()):
                at = product, path.name
                if NAME.fullmatch(path.name) and at not in self._lengths:
                    _set_aside(path)
                elif at in self._lengths:
                    self._check_length(path, at)
        self._gone = {at for at in self._lengths if not self._folder.joinpath(*at).exists()}
        for at in self._gone:
            log.warning("the audit log %s/%s is not there any more", *at)
            del self._lengths[at]
        self._ready = True

    def _check_length(self, path: Path, at: At) -> None:
        size, known = path.stat().st_size, self._lengths[at]
        if size > known:
            os.truncate(path, known)
            log.info("the audit log %s/%s: cut off %d octets not committed", *at, size - known)
        elif size < known:
            log.warning("the audit log %s/%s has lost %d octets", *at, known - size)
            self._lengths[at] = size


def _folder(path: Path) -> None:
    """Makes a folder that is not there, durably."""
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True)
        sync_folder(path.parent)


def _is(path: Path, file: int) -> bool:
    """Whether the path still leads to the open file."""
    try:
        there = os.lstat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(file))


def _set_aside(path: Path) -> None:
    """Makes room for a file where something lies that no transaction knows of."""
    if not path.is_symlink() and not path.exists():
        return
    if path.is_file() and path.stat().st_size == 0:
        path.unlink()
        return
    other = path.with_name(path.name + SET_ASIDE)
    path.replace(other)
    log.warning("%s holds rows that were not committed: it is now %s", path, other.name)


__all__ = [
    "NAME",
    "PREFIX",
    "AuditFiles",
    "entry_key",
    "entry_of",
    "file_name",
    "log_duration",
]
