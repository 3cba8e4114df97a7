"""One LMDB environment: its folder, lock, growth and failures.

Invariants:
1. One opener: a second one on the same folder, in this process or another, is refused.
2. The folder is 0700 and its files 0600.
3. A write is one transaction with one fsync. Where the map is too small it grows and the write
   runs again; where the disk fails nothing is written, and reading goes on.
4. A folder written by a later release is refused, unchanged.
5. The first refused write is logged, and again the first one after a write that changed something:
   a full disk says so in one line, however many come.
6. Where the page that says what is committed could not be written, the engine refuses everything
   until it is opened anew: the environment is then `fatal`, and its owner must end.
"""

import errno
import fcntl
import logging
import os
import resource
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import lmdb

from ..errors import CallscreenError
from ..files import sync_folder
from .contract import (
    NO_SPACE,
    FormatTooNew,
    StoreClosed,
    StoreFailed,
    StoreFull,
    StoreInUse,
    Usage,
)
from .gate import Gate
from .limits import (
    MAP_BYTES,
    MAP_LIMIT_BYTES,
    MAX_READERS,
    READER_DRAIN_SECONDS,
    SHORT_BYTES,
)
from .tables import ENGINE, FORMAT, META, Table, decode_number, encode_number

Result = TypeVar("Result")

LOCK_FILE: Final = "opener.lock"

log = logging.getLogger("callscreen.core")


def lock_folder(path: Path) -> int:
    """Makes the folder where it is missing and takes its lock: the open file. Raises StoreInUse."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    file = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise StoreInUse(f"The data folder {path} is in use by another core.") from None
    return file


def another(error: StoreFull | StoreFailed) -> Exception:
    """The same error as an object of its own: each caller raises its own."""
    copy = type(error)(str(error))
    copy.__cause__ = error
    return copy


def place_below(cursor: "lmdb.Cursor[bytes]", bound: bytes) -> bool:
    """Puts the cursor on the last key below the bound."""
    return cursor.prev() if cursor.set_range(bound) else cursor.last()


class Environment:
    """Read and write transactions on a folder. Safe to use from any thread, not across fork."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        tables: Sequence[Table],
        map_bytes: int = MAP_BYTES,
        map_limit_bytes: int = MAP_LIMIT_BYTES,
        newest: int = FORMAT,
    ) -> None:
        """Opens the folder or makes it; `newest` is the format of its tables.

        Raises StoreInUse, FormatTooNew, StoreFull, StoreFailed.
        """
        self.path = Path(path)
        self._newest = newest
        self._limit = map_limit_bytes
        self._gate = Gate()
        self._writing = threading.Lock()
        self._closed = False
        self.fatal = False
        self._refused: int | None = None  # the last transaction before the first refused write
        self._lock = lock_folder(self.path)
        try:
            self._env = self._open(min(map_bytes, map_limit_bytes), len(tables))
        except BaseException:
            os.close(self._lock)
            raise
        try:
            self._env.reader_check()  # slots of a process that was killed
            self.dbs = {table: self._env.open_db(table.name) for table in tables}
            self._check_format()
            sync_folder(self.path)
            sync_folder(self.path.parent)  # and the folder in its own
        except lmdb.Error as error:
            self.close()
            self._fail(error)
        except CallscreenError:
            self.close()
            raise

    def _open(self, map_bytes: int, tables: int) -> lmdb.Environment:
        try:
            return lmdb.open(
                str(self.path),
                map_size=map_bytes,
                mode=0o600,
                max_dbs=tables,
                max_readers=MAX_READERS,
                readahead=False,  # reads go by key, all over the file
                lib_version=ENGINE,
            )
        except (lmdb.VersionMismatchError, lmdb.InvalidError) as error:
            message = f"The data folder {self.path} holds no data that this release can read."
            raise StoreFailed(message) from error
        except lmdb.Error as error:
            self._fail(error)

    def _check_format(self) -> None:
        def check(txn: "lmdb.Transaction[bytes]") -> None:
            found = txn.get(b"format", db=self.dbs[META])
            if found is None:
                txn.put(b"format", encode_number(self._newest), db=self.dbs[META])
            elif decode_number(found) > self._newest:
                raise FormatTooNew(
                    f"The data folder {self.path} has format {decode_number(found)};"
                    f" this release reads up to {self._newest}."
                )

        self.write(check)

    def begin(self, buffers: bool = False) -> tuple["lmdb.Transaction[Any]", int]:
        """A read transaction, and the ticket to `end` it with.

        With `buffers` it gives views of the map itself, good for as long as it is open.
        Raises StoreClosed, StoreFailed.
        """
        ticket = self._gate.enter()
        try:
            return (self._env.begin(buffers=True) if buffers else self._env.begin()), ticket
        except lmdb.Error as error:
            self._gate.leave(ticket)
            self._fail(error)

    def end(self, txn: "lmdb.Transaction[Any]", ticket: int) -> None:
        """Ends a read transaction."""
        txn.abort()
        self._gate.leave(ticket)

    @contextmanager
    def read(self) -> Iterator["lmdb.Transaction[bytes]"]:
        """A read transaction for a block. Raises StoreClosed, StoreFailed."""
        txn, ticket = self.begin()
        try:
            yield txn
        finally:
            self.end(txn, ticket)

    def write(self, work: Callable[["lmdb.Transaction[bytes]"], Result]) -> Result:
        """Runs the work in a write transaction, again after each growth; durable on return.

        What the work raises ends the transaction without a trace. Raises StoreClosed,
        StoreFull, StoreFailed.
        """
        with self._writing:
            try:
                result = self._write(work)
            except (StoreFull, StoreFailed) as error:
                if self._refused is None:
                    self._refused = self._last()
                    log.error("%s takes no writes: %s", self.path.name, error.__cause__ or error)
                raise
            if self._refused is not None and self._last() > self._refused:
                self._refused = None
                log.info("%s takes writes again", self.path.name)
            return result

    def _write(self, work: Callable[["lmdb.Transaction[bytes]"], Result]) -> Result:
        while True:
            if self._closed:
                raise StoreClosed
            try:
                with self._env.begin(write=True) as txn:
                    result = work(txn)
                return result
            except lmdb.MapFullError:
                self._grow()
            except lmdb.Error as error:
                self._probe()
                self._fail(error)

    def _probe(self) -> None:
        """Asks the engine whether it still does anything after a failed write."""
        try:
            self._env.begin().abort()
        except lmdb.PanicError:
            self.fatal = True
        except lmdb.Error as error:
            log.warning("%s cannot be read: %s", self.path.name, error)

    def _last(self) -> int:
        """The last transaction that changed something."""
        return int(self._env.info()["last_txnid"])

    def copy(self, file: int, read: Callable[["lmdb.Transaction[bytes]"], Result]) -> Result:
        """Writes a compact copy of one transaction, a data.mdb, to a file or a pipe.

        Returns what `read` reads in that same transaction. Takes as long as the data are large. A
        write for which the map must grow waits for its end (as does any that is given up), so
        room is made first. Raises StoreClosed, StoreFailed.
        """
        with self._writing:
            info = self._env.info()
            used = info["last_pgno"] * self._env.stat()["psize"]
            if used * 2 > info["map_size"] < self._limit:
                self._grow()
            ticket = self._gate.enter(lasting=True)
        try:
            with self._env.begin() as txn:
                result = read(txn)
                self._env.copyfd(file, compact=True, txn=txn)
            return result
        except lmdb.Error as error:
            self._fail(error)
        finally:
            self._gate.leave(ticket)

    def _grow(self) -> None:
        size = self._env.info()["map_size"]
        if size >= self._limit:
            raise StoreFull(f"The store has reached its limit of {self._limit} octets.")
        with self._gate.alone(READER_DRAIN_SECONDS):
            self._env.set_mapsize(min(size * 2, self._limit))

    def _fail(self, error: lmdb.Error) -> NoReturn:
        # the engine calls a write that was cut short an I/O error
        if error.code in NO_SPACE or (error.code == errno.EIO and self._room() < SHORT_BYTES):
            raise StoreFull from error
        raise StoreFailed from error

    def _room(self) -> int:
        """Octets by which the file can grow yet, as the disk and the process's limit have it."""
        disk = os.statvfs(self.path)
        most, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
        free = disk.f_bavail * disk.f_frsize
        if most == resource.RLIM_INFINITY:
            return free
        return min(free, most - (self.path / "data.mdb").stat().st_size)

    def map_bytes(self) -> int:
        """The address space of the map now."""
        return int(self._env.info()["map_size"])

    def usage(self) -> Usage:
        """What the file takes up to its last page in use. Raises StoreClosed."""
        with self._gate.reader():
            info = self._env.info()
            octets = (int(info["last_pgno"]) + 1) * int(self._env.stat()["psize"])
        refusing = self.fatal or self._refused is not None
        return Usage(octets, int(info["map_size"]), self._limit, refusing)

    def oldest_reader_age(self) -> float:
        """Seconds that the oldest open reader has been open; 0.0 where there is none."""
        return self._gate.oldest_age()

    def close(self) -> None:
        """Waits for readers and the writer, then closes. Closing again does nothing."""
        with self._writing:
            if self._closed:
                return
            self._gate.close()
            with self._gate.alone(READER_DRAIN_SECONDS):
                self._closed = True
                self._env.close()
                os.close(self._lock)


__all__ = ["Environment", "another", "place_below"]
