"""The replica on disk: an edge that starts again answers from it before it has reached a core.

Invariants
1. What is recovered is a whole revision that this edge had: an image, and the changes after it that
   are whole and follow without a gap. Damage is told in one line, and never answers a call.
2. An image is written aside, reaches the disk, and takes its name then; until it has, the one
   before it and all changes since stay. Changes go on meanwhile: an image is whole with those that
   came until it was written, and counts only with them.
3. A folder serves one process. What fails on disk is told once and tried again from time to time;
   calls and changes go on.
"""

import logging
import os
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

from ..v1.replication_pb2 import ResumeToken
from .folder import settle_folder, take_folder
from .following import revision_of
from .journal import FILE_MODE, Journal, read_journal

__all__ = ["Keepable", "Local"]

log = logging.getLogger("callscreen.edge")

JOURNAL_CHANGES = 50_000  # from which on an image is due: what a start applies in under a second
JOURNAL_OCTETS = 64 * 1024 * 1024  # or these
IMAGE_SECONDS = 900.0  # or, where there is any change at all, this age
SHARE = 10  # images take at most this part of the time: of ten seconds one
RETRY_SECONDS = 60.0  # after a failure on disk
BATCH = 512  # changes of a recovery that are one transaction
NAME = re.compile(r"(image|changes)-([0-9]{10})")


class Keepable(Protocol):
    """An index that can be written to a file and filled from it."""

    # What writes it to a file and gives the octets; the view may change meanwhile.
    def saver(self, token: ResumeToken) -> Callable[[int], int]: ...
    # Where it stands, and the revision from which on it is whole. ValueError: damaged.
    def restore(self, fd: int) -> tuple[ResumeToken, int]: ...
    def apply(self, changes: Sequence[tuple[int, bytes]]) -> None: ...


ViewT = TypeVar("ViewT", bound=Keepable)


class Image(NamedTuple):
    """One that is being written."""

    path: Path
    aside: Path
    number: int
    journal: Journal  # what comes after its first revision
    write: Callable[[int], int]
    begun: float
    alone: bool  # no changes on disk lead to it: what comes after is of use with it alone


class Local(Generic[ViewT]):
    """A folder with the last image and the changes since. No two calls at a time but `write`."""

    def __init__(
        self,
        folder: Path,
        empty: Callable[[], ViewT],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`empty` makes an empty index. Nothing is touched before `open`."""
        self._folder = folder
        self._empty = empty
        self._clock = clock
        self._lock = -1
        self._journal: Journal | None = None
        self._last = 0  # number of the last image or file of changes
        self._ended = 0.0  # when the last image was finished, or failed
        self._took = 0.0  # seconds that it took
        self._reason = ""  # why the image under way was not written
        self.images = 0  # written
        self.image_octets = 0  # of the last
        self.failure = ""  # why what is on disk stays behind; empty where it does not

    @property
    def journal_octets(self) -> int:
        """Of the changes since the last image."""
        return self._journal.size if self._journal else 0

    def open(self) -> None:
        """Takes the folder. Raises OSError where it is another process's, or cannot be made."""
        self._lock = take_folder(self._folder)
        for left in self._folder.glob("*.tmp"):  # of an image that was not ended
            with suppress(OSError):
                left.unlink()
        self._last = max((number for _, number in self._files()), default=0)

    # Recovery

    def recover(self) -> tuple[ViewT, ResumeToken] | None:
        """The last whole revision on disk; None where there is none. Raises nothing."""
        for number in sorted((n for kind, n in self._files() if kind == "image"), reverse=True):
            path = self._path("image", number)
            begun = self._clock()
            view = self._empty()
            try:
                with path.open("rb") as file:
                    token, complete = view.restore(file.fileno())
                    self.image_octets = os.fstat(file.fileno()).st_size
                count = self._replay(number, view, token)
                if token.revision < complete:
                    raise ValueError(f"the changes up to {complete} are not all there")
            except Exception as error:  # whatever it is: it is not to end an edge at each start
                log.warning("%s is of no use: %s", path, error)
                self.leave()
                continue
            self._ended = self._clock()
            log.info(
                "recovered revision %d from %s: %d octets and %d changes in %.1f seconds",
                token.revision,
                self._folder,
                self.image_octets,
                count,
                self._ended - begun,
            )
            return view, token
        return None

    def _replay(self, image: int, view: ViewT, token: ResumeToken) -> int:
        """Applies the changes after an image, moves `token` on, and goes on with the last file."""
        total = 0
        for number in sorted(n for kind, n in self._files() if kind == "changes" and n >= image):
            path = self._path("changes", number)
            found = read_journal(path)
            if found is None:
                log.warning("%s is cut off or damaged: nothing of it counts", path)
                break
            begun, end, entries = ResumeToken.FromString(found[0]), found[1], found[2]
            history = begun.store_id, begun.epoch
            if history != (token.store_id, token.epoch) or begun.revision > token.revision:
                break
            batch: list[tuple[int, bytes]] = []
            count = 0
            last = token.revision
            for change, after in entries:
                revision = revision_of(change)
                if revision > last + 1:
                    break
                end, count = after, count + 1
                if revision == last + 1:
                    batch.append((revision, change))
                    last = revision
                if len(batch) >= BATCH:
                    view.apply(batch)
                    batch = []
            if batch:
                view.apply(batch)
            total += last - token.revision
            token.revision = last
            size = path.stat().st_size
            if size > end:
                log.warning("%s is cut off or damaged after %d of %d octets", path, end, size)
            self.leave()
            with suppress(OSError):  # then an image is due at once
                self._journal = Journal.resume(path, end, count)
            if size > end:
                break
        return total

    # Keeping

    def append(self, changes: Sequence[bytes]) -> None:
        """Changes that are in force now. Raises nothing: a failure is noted."""
        if self._journal is None:
            return
        try:
            self._journal.append(changes)
        except OSError as error:
            self.failed(error)

    def sync(self) -> None:
        """What was appended outlasts a loss of power. Raises nothing."""
        try:
            if self._journal is not None:
                self._journal.sync()
        except OSError as error:
            self.failed(error)

    def due(self) -> bool:
        """Whether it is time for another image."""
        age = self._clock() - self._ended
        if self.failure:
            return age >= RETRY_SECONDS
        if self._journal is None:
            return True
        if age < SHARE * self._took:
            return False
        long = self._journal.count >= JOURNAL_CHANGES or self._journal.size >= JOURNAL_OCTETS
        return long or (self._journal.count > 0 and age >= IMAGE_SECONDS)

    def begin(self, view: ViewT, token: ResumeToken) -> Image | None:
        """Takes up an image of what stands at `token` now; None where that failed."""
        begun = self._clock()
        number = self._last = self._last + 1
        path = self._path("image", number)
        write = view.saver(token)
        try:
            journal = Journal(self._path("changes", number), token.SerializeToString())
        except OSError as error:
            with suppress(OSError):
                self._path("changes", number).unlink()
            self._unwritten(error)
            return None
        alone = self._journal is None
        self.leave()
        self._journal = journal
        return Image(path, path.with_suffix(".tmp"), number, journal, write, begun, alone)

    def write(self, image: Image) -> None:
        """Writes it. The one call that may run while others do. Raises nothing."""
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            fd = os.open(image.aside, flags, FILE_MODE)
            try:
                self.image_octets = image.write(fd)
                os.fsync(fd)
            finally:
                os.close(fd)
        except Exception as error:
            with suppress(OSError):
                image.aside.unlink()
            log.debug("%s was not written", image.aside, exc_info=True)
            self._reason = str(error) or type(error).__name__

    def finish(self, image: Image) -> None:
        """Gives it its name, where all that it needs is on disk. Raises nothing."""
        try:
            self.sync()
            if self._journal is not image.journal:  # another view answers, or a change was lost
                self._undo(image)
                return
            if self._reason:
                raise OSError(self._reason)
            image.aside.rename(image.path)
            settle_folder(self._folder)
            for kind, before in self._files():
                if before < image.number:
                    self._path(kind, before).unlink(missing_ok=True)
        except OSError as error:
            with suppress(OSError):
                self._undo(image)
            if image.alone:
                self.failed(error)
            else:
                self._unwritten(error)
        else:
            self.images += 1
            if self.failure:
                log.info("the replica on disk is whole again")
            self.failure = ""
        finally:
            self._reason = ""
            self._ended = self._clock()
            self._took = self._ended - image.begun

    def _undo(self, image: Image) -> None:
        """Removes what nobody will read. Raises OSError."""
        image.aside.unlink(missing_ok=True)
        if image.alone:
            image.journal.path.unlink(missing_ok=True)

    def leave(self) -> None:
        """What is on disk is no part of what comes."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def close(self) -> None:
        """Keeps what is there, and lets the folder go."""
        self.sync()
        self.leave()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def failed(self, error: Exception) -> None:
        """Gives the changes up: what comes after them would leave a gap."""
        if self._journal is not None or not self.failure:
            log.error("the replica on disk stays behind from now on: %s", error)
        self._note(error)
        self.leave()

    def _unwritten(self, error: Exception) -> None:
        """No image came of it; the one before and all changes since are good, and go on."""
        if not self.failure:
            log.error("no image of the replica can be written: %s", error)
        self._note(error)

    def _note(self, error: Exception) -> None:
        self.failure = str(error) or type(error).__name__
        self._ended = self._clock()

    def _files(self) -> list[tuple[str, int]]:
        """(kind, number) of each image and each file of changes."""
        found = (NAME.fullmatch(path.name) for path in self._folder.iterdir())
        return [(match[1], int(match[2])) for match in found if match]

    def _path(self, kind: str, number: int) -> Path:
        return self._folder / f"{kind}-{number:010}"
