"""Changes on disk in the order in which they were applied: what an image of the index lacks.

Invariants
1. A file begins with the resume token after which its changes come, and each change has its length
   and a checksum: what ends in mid-change, or is damaged, ends before it.
2. What could not be written whole is cut off again, so that a later change never follows a gap.
   Where even that fails the file takes no more.
3. A file is its owner's alone (mode 0600).

    file    MAGIC, entry of the token, then an entry a change
    entry   length (4 octets, little-endian, never 0), CRC-32 of the payload begun with the length
            (4), payload
"""

import errno
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "FILE_MODE",
    "MAGIC",
    "MAX_ENTRY",
    "Journal",
    "Journalled",
    "journal_octets",
    "read_journal",
]

MAGIC = b"CSJRNL1\n"
MAX_ENTRY = 512 * 1024 * 1024  # octets: beyond it a length is damage
FILE_MODE = 0o600
ENTRY = struct.Struct("<II")
BUFFER = 1024 * 1024  # octets read at a time


def entry(payload: bytes) -> bytes:
    """A payload as it stands in the file."""
    return ENTRY.pack(len(payload), zlib.crc32(payload, len(payload))) + payload


def journal_octets(token: bytes) -> int:
    """Octets of a file that no change was appended to."""
    return len(MAGIC) + ENTRY.size + len(token)


class Journal:
    """A file that is being appended to."""

    def __init__(self, path: Path, token: bytes) -> None:
        """Makes the file anew. Raises OSError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self.path = path
        self.size = 0  # octets
        self.count = 0  # changes
        self.torn = False  # it ends with what could not be cut off
        self._dirty = False
        self._fd = os.open(path, flags, FILE_MODE)
        try:
            self._write(MAGIC + entry(token))
        except OSError:
            self.close()
            raise

    @classmethod
    def resume(cls, path: Path, size: int, count: int) -> "Journal":
        """Goes on after the first `size` octets, which hold `count` changes. Raises OSError."""
        self = cls.__new__(cls)
        self.path, self.size, self.count = path, size, count
        self.torn = self._dirty = False
        self._fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.ftruncate(self._fd, size)
            os.lseek(self._fd, size, os.SEEK_SET)
        except OSError:
            self.close()
            raise
        return self

    def append(self, changes: Sequence[bytes]) -> None:
        """Raises OSError, and then the file is as it was."""
        self._write(b"".join(map(entry, changes)))
        self.count += len(changes)

    def sync(self) -> None:
        """What was appended outlasts a loss of power. Raises OSError."""
        if self._dirty:
            self._dirty = False
            os.fdatasync(self._fd)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, octets: bytes) -> None:
        if self.torn:
            raise OSError(errno.EIO, f"{self.path.name} ends with what could not be cut off")
        view = memoryview(octets)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            self.torn = True
            with suppress(OSError):  # what cannot be cut off is left out for its checksum
                os.ftruncate(self._fd, self.size)
                os.lseek(self._fd, self.size, os.SEEK_SET)
                self.torn = False
            raise
        self.size += len(octets)
        self._dirty = True


class Journalled(NamedTuple):
    """A change, and how many octets of the file end with it."""

    change: bytes
    end: int


def read_journal(path: Path) -> tuple[bytes, int, Iterator[Journalled]] | None:
    """The token, the octets that end with it, and the changes that are whole.

    None where not even the token is whole. Raises OSError.
    """
    entries = _entries(path)
    first = next(entries, None)
    return None if first is None else (first.change, first.end, entries)


def _entries(path: Path) -> Iterator[Journalled]:
    with path.open("rb", BUFFER) as file:
        if file.read(len(MAGIC)) != MAGIC:
            return
        end = len(MAGIC)
        while len(head := file.read(ENTRY.size)) == ENTRY.size:
            length, crc = ENTRY.unpack(head)
            if not 0 < length <= MAX_ENTRY:
                return
            payload = file.read(length)
            if len(payload) < length or zlib.crc32(payload, length) != crc:
                return
            end += ENTRY.size + length
            yield Journalled(payload, end)
