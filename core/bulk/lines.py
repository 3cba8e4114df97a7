"""The rows of a CSV file (RFC 4180, UTF-8, its lines ending in CRLF or LF), with bounds on all.

Invariants:
1. Any octets give rows and refusals, and never hold more than ROW_BYTES of the file in memory,
   besides a piece of BLOCK_BYTES, nor more cells than ROW_COMMAS and one.
2. A row is told by the number of its first line, from 1.
3. What cannot be read past (a row without end, or too long a one) is the last refusal.
4. Pieces and rows may be asked for in turn: a piece begins and ends with whole lines, and where it
   is not taken as it is, its rows may go on beyond it.
"""

import csv
from collections.abc import Iterator
from typing import BinaryIO, Final

from .limits import BLOCK_BYTES, FIELD_CHARS, ROW_BYTES, ROW_COMMAS

BOM: Final = b"\xef\xbb\xbf"
TOO_LONG: Final = f"The row is longer than {ROW_BYTES} bytes."
TOO_MANY: Final = f"The row has more than {ROW_COMMAS} commas."
NULL: Final = "The line holds a null character."
NOT_UTF8: Final = "The line is not UTF-8."
TOO_LARGE: Final = f"field larger than field limit ({FIELD_CHARS})"
ENDLESS: Final = frozenset({"unexpected end of data", TOO_LARGE})

csv.field_size_limit(FIELD_CHARS)


class Refused(ValueError):
    """A line that is no row; its text says why. After one that `ends`, nothing is read."""

    def __init__(self, message: str, ends: bool = False) -> None:
        super().__init__(message)
        self.ends = ends


Row = tuple[int, list[str] | Refused]


class Lines:
    """A file by its lines, and how far it has been read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._held = b""
        self._at = 0  # of it, that is read
        self._first = True
        self.number = 0  # of the last line
        self.offset = 0  # octets up to its end
        self._start = 0  # where the row at hand begins
        self._commas = 0  # of it

    def piece(self) -> bytes:
        """The next whole lines, not yet read; empty at the end. Raises Refused."""
        end = self._held.rfind(b"\n", self._at) + 1
        if not end:
            self._fill()
            end = self._held.rfind(b"\n") + 1 or len(self._held)
        return self._held[self._at : end]

    def take(self, piece: bytes, lines: int) -> None:
        """That piece of so many lines is read."""
        self._at += len(piece)
        self.offset += len(piece)
        self.number += lines

    def rows(self, upto: int) -> Iterator[Row]:
        """Rows from here until an offset is reached; empty rows count not."""
        reader = csv.reader(self, strict=True)
        while self.offset < upto:
            first = self.number + 1
            self._start, self._commas = self.offset, 0
            try:
                cells = next(reader)
            except StopIteration:
                return
            except Refused as refused:
                yield first, refused
                if refused.ends:
                    return
            except csv.Error as error:
                what = str(error).partition(" - ")[0]
                yield first, Refused(f"The line is not CSV: {what}.", ends=what in ENDLESS)
                if what in ENDLESS:
                    return
            else:
                if any(cells):
                    yield first, cells

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        end = self._held.find(b"\n", self._at) + 1
        if not end:
            self._fill()
            end = self._held.find(b"\n", self._at) + 1 or len(self._held)
        line = self._held[self._at : end]
        if not line:
            raise StopIteration
        self.take(line, 1)
        if self.offset - self._start > ROW_BYTES:
            raise Refused(TOO_LONG, ends=True)
        self._commas += line.count(b",")
        if self._commas > ROW_COMMAS:
            raise Refused(TOO_MANY)
        if b"\0" in line:
            raise Refused(NULL)
        try:
            return line.decode()
        except UnicodeDecodeError:
            raise Refused(NOT_UTF8) from None

    def _fill(self) -> None:
        """Reads on until there is a whole line, or the file ends. Raises Refused."""
        parts = [self._held[self._at :]]
        size = len(parts[0])
        while data := self._file.read(BLOCK_BYTES):
            if self._first:
                self._first = False
                start = len(BOM) if data.startswith(BOM) else 0
                data = data[start:]
                self.offset += start
            parts.append(data)
            size += len(data)
            if b"\n" in data:
                break
            if size > ROW_BYTES:
                self.number += 1
                raise Refused(TOO_LONG, ends=True)
        self._held = b"".join(parts)
        self._at = 0


__all__ = ["Lines", "Refused", "Row"]
