"""Reads a CSV file through and writes down what the core is to apply, or why it cannot.

Invariants:
1. Memory does not grow with the file: a block is written as soon as it is whole.
2. Every part reads the whole file and agrees on its blocks, but checks and writes only its own.
3. Every refused line is counted; ERRORS_KEPT of them are told, with their numbers.
4. What is staged is durable when `stage` is done.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from ...schema import TYPES, Invalid
from ...schema.csv import csv_columns, header_columns, is_header
from ...v1.jobs_pb2 import JobLine
from ..commands.means import Means
from ..errors import CallscreenError
from .assembling import Assembler
from .blocks import write_message, write_octets
from .checking import Check, Mode, row_check
from .limits import ERRORS_KEPT, PROGRESS_SECONDS, ROW_COMMAS
from .lines import Lines, Refused, Row
from .quick import Quick, quick_of


@dataclass(frozen=True, slots=True)
class Task:
    """What to stage: one part of a file. Paths as text, the pepper in hex: it is sent as JSON."""

    file: str
    product: str
    type: str
    given: tuple[str, ...]
    mode: Mode
    default_cc: str
    pepper: str
    staged: str = ""  # where the blocks go
    errors: str = ""  # where the refused lines go
    part: int = 0
    parts: int = 1

    def encode(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> "Task":
        data = json.loads(text)
        return cls(**{**data, "given": tuple(data["given"])})


@dataclass(slots=True)
class Staged:
    """How far a part has come."""

    octets: int = 0  # of the file, read
    rows: int = 0  # of its own, that stood up
    errors: int = 0  # of its own, refused
    fields: tuple[str, ...] = field(default=())  # that the file has columns for

    def encode(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> "Staged":
        data = json.loads(text)
        return cls(**{**data, "fields": tuple(data["fields"])})


def stage(
    task: Task,
    random: Callable[[int], bytes],
    ticks: Callable[[], float],
    progress: Callable[[Staged], None],
) -> Staged:
    """Stages one part. `progress` is told now and then, and may raise to end it. Raises OSError."""
    made = Staged()
    for path in (task.staged, task.errors):  # a former core's staging may not have ended yet
        Path(path).unlink(missing_ok=True)
    with (
        open(task.file, "rb") as file,
        open(task.staged, "wb") as staged,
        open(task.errors, "wb") as errors,
    ):
        part = _Part(task, Lines(file), staged, errors, random, made)
        told = ticks()
        for _ in part.blocks():
            if ticks() - told >= PROGRESS_SECONDS:
                progress(made)
                told = ticks()
        for written in (staged, errors):
            written.flush()
            os.fsync(written.fileno())
    return made


class _Part:
    """What one part reads, checks and writes."""

    def __init__(
        self,
        task: Task,
        lines: Lines,
        staged: BinaryIO,
        errors: BinaryIO,
        random: Callable[[int], bytes],
        made: Staged,
    ) -> None:
        self._task = task
        self._kind = TYPES[task.type]
        self._means = Means(bytes.fromhex(task.pepper), random)
        self._lines = lines
        self._staged = staged
        self._errors = errors
        self._made = made
        self._check: Check | None = None
        self._quick: Quick | None = None
        self._number = 0  # of the first whole block

    def blocks(self) -> Iterator[None]:
        """Stages the file, a step a block."""
        try:
            going = self._begin()
            number = self._number
            while going and (piece := self._lines.piece()):
                going = self._block(piece, number % self._task.parts == self._task.part)
                self._made.octets = self._lines.offset
                number += 1
                yield
        except Refused as refused:
            self._refuse_alone(self._lines.number, refused)

    def _begin(self) -> bool:
        """Takes the first row, which tells the columns; whether it does."""
        lines = self._lines
        while piece := lines.piece():
            if not piece.strip():
                lines.take(piece, piece.count(b"\n"))
                continue
            for line, cells in lines.rows(lines.offset + len(piece)):
                if isinstance(cells, Refused):
                    self._refuse_alone(line, cells)
                    return False
                headed = is_header(self._kind, cells)
                try:
                    self._columns(cells if headed else None, len(cells), self._task.given)
                except Invalid as error:
                    self._refuse_alone(line, error)
                    return False
                if not headed:
                    self._number = 1
                    if self._task.part == 0:
                        self._write([(line, cells)])
                return True
        return False

    def _block(self, piece: bytes, own: bool) -> bool:
        """Stages a piece, if it is this part's; whether the file goes on."""
        lines = self._lines
        first, count = lines.number + 1, piece.count(b"\n") + (piece[-1:] != b"\n")
        if b'"' in piece:
            found = list(lines.rows(lines.offset + len(piece)))
            if own:
                self._write(found)
            return not (found and isinstance(found[-1][1], Refused) and found[-1][1].ends)
        if not own or self._take(piece, first):
            lines.take(piece, count)
        else:
            self._write(lines.rows(lines.offset + len(piece)))
        return True

    def _take(self, piece: bytes, first: int) -> bool:
        """Stages a piece without quotes, where the quick way is open; whether it did."""
        quick = self._quick
        if quick is None or b"\0" in piece or piece[-1:] != b"\n":
            return False
        if len(piece) > ROW_COMMAS and piece.count(b",") > ROW_COMMAS:
            return False
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n")
        try:
            piece.decode()
        except UnicodeDecodeError:
            return False
        if b"\r" in piece:
            return False
        block = Assembler(self._kind, self._task.product)

        def other(number: int, line: bytes) -> None:
            if line.strip(b","):
                self._check_row(number, line.decode().split(","), block)

        quick.take(piece, first, block.pen, other)
        self._put(block)
        return True

    def _write(self, found: Iterable[Row]) -> None:
        """Checks rows and writes what stands up."""
        block = Assembler(self._kind, self._task.product)
        for line, cells in found:
            if isinstance(cells, Refused):
                self._refuse(line, cells)
            else:
                self._check_row(line, cells, block)
        self._put(block)

    def _check_row(self, line: int, cells: Sequence[str], block: Assembler) -> None:
        assert self._check is not None
        try:
            self._check(line, cells, block)
        except (Invalid, CallscreenError) as error:
            self._refuse(line, error)

    def _put(self, block: Assembler) -> None:
        self._made.rows += block.pen.count
        write_octets(self._staged, block.whole())

    def _columns(self, header: Sequence[str] | None, width: int, given: Sequence[str]) -> None:
        """Raises Invalid."""
        task, kind = self._task, self._kind
        if header is None:
            names = csv_columns(kind, task.product)[:width]
        else:
            names = header_columns(kind, task.product, header, given)
        self._made.fields = names
        self._check = row_check(
            kind, task.product, names, given, task.mode, task.default_cc, self._means
        )
        self._quick = quick_of(kind, task.product, names, given)

    def _refuse_alone(self, line: int, why: Exception) -> None:
        """What every part comes across is told by one."""
        if self._task.part == 0:
            self._refuse(line, why)

    def _refuse(self, line: int, why: Exception) -> None:
        self._made.errors += 1
        if self._made.errors > ERRORS_KEPT:
            return
        told = why.errors if isinstance(why, Invalid) else ()
        for each in told or (None,):
            name, message = (each.field, each.message) if each else ("", str(why))
            write_message(self._errors, JobLine(line=line, field=name, message=message))


def stage_here(task: Task, random: Callable[[int], bytes]) -> Staged:
    """Stages a small file in this process."""
    return stage(task, random, time.monotonic, lambda made: None)


__all__ = ["Staged", "Task", "stage", "stage_here"]
