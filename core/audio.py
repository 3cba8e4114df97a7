"""Files of samples, apart from the store: each under the SHA-256 of what it holds.

Invariants:
1. A file appears under its digest whole and durable, or not at all; it never changes after that.
2. No name that a caller gives reaches the file system: a file's name is its digest.
3. What an upload left behind when it was killed goes with the next start, or within the hour.
4. A file that nobody names goes once nobody has uploaded it for UNNAMED_SECONDS.

Reading, writing and collecting wait for the disk: not for the event loop.
"""

import hashlib
import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple

from .errors import NotFound, TooMuch
from .files import sync_folder
from .limits import AUDIO_BYTES, AUDIO_SECONDS, UNNAMED_SECONDS, UPLOADS, UPLOADS_EACH
from .wav import WavReader

INCOMING: Final = "incoming"  # the folder of what is being uploaded
DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class Kept(NamedTuple):
    """A file of samples that is on disk."""

    digest: str
    length: int


class AudioFolder:
    """The folder of one core. `server` is the name of its host, `clock` gives Unix seconds."""

    def __init__(self, folder: Path, server: str, clock: Callable[[], float]) -> None:
        """Makes the folder where it is not there, and clears what uploads left. Raises OSError."""
        self._folder = folder
        self._incoming = folder / INCOMING
        self._clock = clock
        self._lock = threading.Lock()  # between a file that is kept again and its removal
        self._uploads: Counter[str] = Counter()  # by who makes them; of the event loop alone
        self.server = server
        for made in (folder, self._incoming):
            made.mkdir(mode=0o700, exist_ok=True)
        for left in self._incoming.iterdir():
            left.unlink()

    @contextmanager
    def upload(self, who: str) -> Iterator["Upload"]:
        """Takes a file of somebody; what is not kept at the end is removed. Raises TooMuch."""
        if self._uploads.total() >= UPLOADS or self._uploads[who] >= UPLOADS_EACH:
            raise TooMuch
        self._uploads[who] += 1
        try:
            with Upload(self._incoming, self._keep) as upload:
                yield upload
        finally:
            self._uploads[who] -= 1
            if not self._uploads[who]:
                del self._uploads[who]

    def open(self, digest: str) -> BinaryIO:
        """The file, to be closed by whoever asks; it stays readable. Raises NotFound."""
        try:
            return self._path(digest).open("rb")
        except FileNotFoundError:
            raise NotFound("The object has no file.") from None

    def collect(self, named: Callable[[], Collection[str]]) -> int:
        """Removes files that are not among the digests named; how many."""
        old = [path for path in self._files() if self._is_old(path)]
        if not old:
            return 0
        digests, removed = named(), 0
        for path in old:
            with self._lock:
                if path.name not in digests and self._is_old(path):
                    path.unlink(missing_ok=True)
                    removed += 1
        return removed

    def _files(self) -> Iterator[Path]:
        for path in self._folder.glob("*/*"):
            if path.parent == self._incoming or DIGEST.fullmatch(path.name):
                yield path

    def _is_old(self, path: Path) -> bool:
        try:
            return path.stat().st_mtime <= self._clock() - UNNAMED_SECONDS
        except FileNotFoundError:
            return False

    def _path(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise NotFound("The object has no file.")
        return self._folder / digest[:2] / digest

    def _keep(self, incoming: Path, digest: str) -> None:
        path = self._path(digest)
        now = self._clock()
        with self._lock:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            os.utime(incoming, (now, now))
            incoming.replace(path)  # the same octets, where it is there already
        for folder in (path.parent, self._folder):
            sync_folder(folder)


class Upload:
    """One file on its way in."""

    def __init__(self, folder: Path, keep: Callable[[Path, str], None]) -> None:
        self._keep = keep
        self._file = NamedTemporaryFile(dir=folder, delete=False)  # noqa: SIM115 closed by exit
        self._path = Path(self._file.name)
        self._digest = hashlib.sha256()
        self._wav = WavReader(AUDIO_BYTES, AUDIO_SECONDS)
        self._length = 0

    def __enter__(self) -> "Upload":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        with suppress(FileNotFoundError):  # it was kept
            self._path.unlink()

    def write(self, octets: bytes) -> None:
        """Takes the next octets. Raises WavError, OSError."""
        self._wav.receive(octets)
        self._digest.update(octets)
        self._file.write(octets)
        self._length += len(octets)

    def keep(self) -> Kept:
        """Makes the file durable under its digest. Raises WavError, OSError."""
        self._wav.finish()
        self._file.flush()
        os.fsync(self._file.fileno())
        digest = self._digest.hexdigest()
        self._keep(self._path, digest)
        return Kept(digest, self._length)


__all__ = ["AudioFolder", "Kept", "Upload"]
