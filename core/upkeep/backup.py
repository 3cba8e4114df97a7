"""A backup of the data folder as a stream of octets, made while the core goes on.

Invariants:
1. The objects are those of one transaction, with the positions of the audit log that belong to it;
   the call records are those of another, later one.
2. Files follow the objects that name them: nothing that they name is missing.
3. Memory is bounded: data pass through a file of the data folder that has no name, so that nothing
   is left of it however this ends.
4. Once cancelled it ends with the next piece, and lets go of the store.
"""

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from ..errors import Unavailable
from ..limits import BACKUP_PIECE_BYTES
from ..store.contract import NO_SPACE, Copied, StoreFailed, StoreFull
from .archive import (
    END,
    MANIFEST,
    NAMES,
    OBJECTS,
    PEPPER,
    RECORDS,
    Manifest,
    Member,
    header,
    padding,
)

CANCELLED: Final = "The backup was given up."


class Backup:
    """One backup; `pieces` are to be read in one thread, `cancel` is for any."""

    def __init__(
        self,
        data: Path,
        objects: Copied,
        records: Copied | None,
        identity: tuple[str, str, int],
        lengths: Callable[[], Mapping[str, int]],
        now: float,
    ) -> None:
        """`identity`: version, store id, epoch; `now` in Unix seconds.

        `lengths` says how much of each file of the audit log (its name within the data folder)
        belongs to committed changes.
        """
        self._data = data
        self._objects = objects
        self._records = records
        self._identity = identity
        self._lengths = lengths
        self._now = now
        self._members: list[Member] = []
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        self._cancelled.set()

    def pieces(self) -> Generator[bytes, None, None]:
        """The archive. Raises StoreFull, StoreFailed, StoreClosed, Unavailable."""
        revision = yield from self._store(OBJECTS, self._objects)
        for folder in sorted((self._data / "audio").glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                yield from self._plain(path)
        for name, length in sorted(self._lengths().items()):
            yield from self._plain(self._data / name, length)
        if self._records is not None:
            yield from self._store(RECORDS, self._records)
        yield from self._plain(self._data / PEPPER)
        version, store_id, epoch = self._identity
        time = datetime.fromtimestamp(self._now, UTC).isoformat(timespec="seconds")
        manifest = Manifest(version, store_id, epoch, revision, time, tuple(self._members))
        text = manifest.encode()
        yield header(MANIFEST, len(text), self._now) + text + padding(len(text)) + END

    def _store(self, name: str, source: Copied) -> Generator[bytes, None, int]:
        try:
            with tempfile.TemporaryFile(dir=self._data) as scratch:
                revision = self._copy(source, scratch)
                size = scratch.tell()
                scratch.seek(0)
                yield from self._file(name, scratch, size)
        except OSError as error:
            if error.errno in NO_SPACE:
                raise StoreFull("There is no room to make the backup.") from error
            raise StoreFailed("The backup cannot be made: the disk failed.") from error
        return revision

    def _copy(self, source: Copied, scratch: IO[bytes]) -> int:
        """Copies through a pipe: a copy whose reader has gone ends by itself."""
        taking, giving = os.pipe()
        outcome: list[int | Exception] = []

        def give() -> None:
            try:
                outcome.append(source.copy(giving))
            except Exception as error:
                outcome.append(error)
            finally:
                os.close(giving)

        giver = threading.Thread(target=give, name="callscreen-backup", daemon=True)
        giver.start()
        try:
            while piece := os.read(taking, BACKUP_PIECE_BYTES):
                self._check()
                scratch.write(piece)
        finally:
            os.close(taking)
            giver.join()
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        scratch.flush()
        return outcome[0]

    def _plain(self, path: Path, most: int | None = None) -> Iterator[bytes]:
        """A file as it is now, or its beginning; what no data folder has is left out."""
        name = path.relative_to(self._data).as_posix()
        if not NAMES.fullmatch(name) or path.is_symlink() or not path.is_file():
            return
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return  # removed meanwhile: nothing that is in the backup names it
        with file:
            size = os.fstat(file.fileno()).st_size
            yield from self._file(name, file, size if most is None else min(size, most))

    def _file(self, name: str, file: IO[bytes], size: int) -> Iterator[bytes]:
        yield header(name, size, self._now)
        digest = hashlib.sha256()
        left = size
        while left:
            self._check()
            piece = file.read(min(left, BACKUP_PIECE_BYTES))
            if not piece:
                raise StoreFailed(f"The file {name} became shorter while it was read.")
            digest.update(piece)
            left -= len(piece)
            yield piece
        self._members.append(Member(name, size, digest.hexdigest()))
        yield padding(size)

    def _check(self) -> None:
        if self._cancelled.is_set():
            raise Unavailable(CANCELLED)


__all__ = ["Backup"]
