"""Call records on disk, while the core does not take them: a bounded queue that outlasts the edge.

Invariants
1. What was appended is given back in order, until its segment is dropped: also after a restart. A
   segment that was sent in part is given again then; the core keeps each record once.
2. A loss of power costs what was appended since the last `sync`, the end of a process nothing.
3. At most `limit` octets stand on disk. Beyond that the newest is refused: the oldest stay.
4. Damage, a bad sector or a file that is gone ends a segment before it, is told and shows in what
   `read` gives; the other segments are read. A segment that no record can be read of, or that the
   disk does not give, is set aside, never removed.
5. A folder serves one process, and its files are for their owner alone.

    records-<number>          the segment that is being appended to: a journal, a block an entry
    records-<number>-<count>  one that has ended, with its number of records
    <segment>.damaged         one that was set aside
    block                     number of records (4 octets, little-endian), then their entries
"""

import errno
import logging
import os
import re
import struct
import threading
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from .entries import Block
from .folder import settle_folder, take_folder
from .journal import Journal, journal_octets, read_journal

__all__ = ["SEGMENT_OCTETS", "SPOOL_LIMIT", "Segment", "Spool"]

log = logging.getLogger("callscreen.edge")

SPOOL_LIMIT = 1024 * 1024 * 1024  # octets
SEGMENT_OCTETS = 4 * 1024 * 1024  # from which on a segment ends
TOKEN = b"records"
NAME = re.compile(r"records-([0-9]{10})(?:-([0-9]+))?")
DAMAGED = ".damaged"
COUNT = struct.Struct("<I")
EMPTY = journal_octets(TOKEN)  # of a segment that nothing was appended to
# What reading again does not mend: a bad sector, one whose checksum is wrong, a file that is gone.
FOR_GOOD = frozenset((errno.EIO, errno.EBADMSG, errno.EUCLEAN, errno.ENOENT))


class Segment(NamedTuple):
    """A file that has ended."""

    path: Path
    records: int
    size: int  # octets


class Spool:
    """A folder of segments. One thread uses it; `read` and `sync` may run in others meanwhile."""

    def __init__(self, folder: Path, limit: int = SPOOL_LIMIT) -> None:
        """Takes up what an edge before has left. Raises OSError, also for another edge's folder."""
        self.folder = folder
        self._limit = limit
        self._lock = take_folder(folder)
        self._syncing = threading.Lock()
        self._ended: list[Journal] = []  # no longer appended to, not yet synced
        self._journal: Journal | None = None
        self._count = 0  # records of the journal
        self._number = 0  # of the last segment
        self._unsettled = False  # a segment's name may be lost with the power yet
        self._unread: set[Path] = set()  # of which the disk did not give all
        try:
            self._segments = self._found()
        except BaseException:
            os.close(self._lock)
            raise
        self.records = sum(segment.records for segment in self._segments)  # on disk

    @property
    def octets(self) -> int:
        """On disk."""
        size = self._journal.size if self._journal else 0
        return sum(segment.size for segment in self._segments) + size

    def append(self, block: Block) -> bool:
        """Puts a block last; False where it finds no room. Raises OSError, and it is not in."""
        if self.octets + len(block.entries) > self._limit:
            return False
        if self._journal is not None and self._journal.torn:
            self._end()
        if self._journal is None:
            self._journal = Journal(self.folder / f"records-{self._number + 1:010d}", TOKEN)
            self._number += 1
            self._unsettled = True
        self._journal.append([COUNT.pack(block.records) + block.entries])
        self._count += block.records
        self.records += block.records
        if self._journal.size >= SEGMENT_OCTETS:
            with suppress(OSError):  # the block is in: the next one ends the segment
                self._end()
        return True

    def oldest(self) -> Segment | None:
        """The segment to read next, which ends if it has not; None where nothing is on disk.

        Raises OSError.
        """
        if not self._segments:
            self._end()
        return self._segments[0] if self._segments else None

    def read(self, segment: Segment) -> list[Block]:
        """The blocks of a segment, up to the first damage. Raises OSError."""
        found, whole = blocks_of(segment.path)
        if not whole:
            self._unread.add(segment.path)
        lost = segment.records - sum(block.records for block in found)
        if lost:
            log.error("%s is damaged: %d call records are lost", segment.path.name, lost)
        return found

    def drop(self) -> None:
        """Gives up the oldest segment. Raises OSError, and it is given up all the same."""
        segment = self._segments.pop(0)
        self.records -= segment.records
        if segment.path in self._unread:
            self._unread.discard(segment.path)
            with suppress(FileNotFoundError):
                segment.path.rename(segment.path.with_name(segment.path.name + DAMAGED))
        else:
            segment.path.unlink(missing_ok=True)

    def sync(self) -> None:
        """What was appended outlasts a loss of power. Raises OSError."""
        with self._syncing:
            while self._ended:
                journal = self._ended[0]
                try:
                    journal.sync()
                finally:
                    self._ended.remove(journal)
                    journal.close()
            current = self._journal
            if current is not None:
                current.sync()
            if self._unsettled:
                self._unsettled = False
                settle_folder(self.folder)

    def close(self) -> None:
        """Ends the use of the folder; what is in it stays. Raises OSError."""
        try:
            self._end()
            self.sync()
        finally:
            os.close(self._lock)

    def _end(self) -> None:
        """No more is appended to the journal."""
        journal = self._journal
        if journal is None:
            return
        path = self.folder / f"records-{self._number:010d}-{self._count}"
        journal.path.rename(path)
        self._segments.append(Segment(path, self._count, journal.size))
        self._ended.append(journal)
        self._journal, self._count = None, 0

    def _found(self) -> list[Segment]:
        """What is there already, oldest first."""
        found: dict[int, Segment] = {}
        for path in self.folder.iterdir():
            named = NAME.fullmatch(path.name.removesuffix(DAMAGED))
            if named is None:
                continue
            self._number = max(self._number, int(named[1]))
            if path.name.endswith(DAMAGED):
                continue
            if named[2] is None:  # its process was ended before it
                count = sum(block.records for block in blocks_of(path)[0])
            else:
                count = int(named[2])
            size = path.stat().st_size
            if count:
                found[int(named[1])] = Segment(path, count, size)
            elif size > EMPTY:
                aside = path.with_name(path.name + DAMAGED)
                log.error("no call record of %s can be read: it is now %s", path.name, aside.name)
                with suppress(OSError):
                    path.rename(aside)
            else:
                with suppress(OSError):
                    path.unlink()
        return [found[number] for number in sorted(found)]


def blocks_of(path: Path) -> tuple[list[Block], bool]:
    """The blocks of a segment that are whole, and whether the disk gave all of the file.

    Raises OSError for what may pass.
    """
    blocks: list[Block] = []
    try:
        read = read_journal(path)
        if read is not None and read[0] == TOKEN:
            for each in read[2]:
                if len(each.change) >= COUNT.size:
                    count = COUNT.unpack_from(each.change)[0]
                    blocks.append(Block(each.change[COUNT.size :], count, spooled=True))
    except OSError as error:
        if error.errno not in FOR_GOOD:
            raise
        log.error("%s cannot be read further: %s", path.name, error)
        return blocks, False
    return blocks, True
