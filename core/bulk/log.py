"""What a job says of its lines.

Invariants:
1. The lines that were refused on reading stand in the order of the file, once all of it was read.
2. At most ERRORS_KEPT lines are kept.
"""

import heapq
from collections.abc import Sequence
from pathlib import Path

from ...v1.jobs_pb2 import JobLine
from .blocks import read_messages, write_message
from .limits import ERRORS_KEPT


class Log:
    """The log of one job, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def merge(self, parts: Sequence[Path]) -> None:
        """Begins the log with the lines of these files, each of them in order. Raises OSError."""
        found = heapq.merge(
            *(read_messages(path, JobLine) for path in parts), key=lambda each: each.line
        )
        with self._path.open("wb") as file:
            for _, line in zip(range(ERRORS_KEPT), found, strict=False):
                write_message(file, line)

    def sort(self) -> None:
        """Brings the lines into the order of the file. Raises OSError."""
        lines = sorted(read_messages(self._path, JobLine), key=lambda each: each.line)
        with self._path.open("wb") as file:
            for line in lines:
                write_message(file, line)

    def add(self, lines: Sequence[JobLine]) -> None:
        """Appends lines, where there is room. Raises OSError."""
        if not lines:
            return
        room = ERRORS_KEPT - sum(1 for _ in read_messages(self._path, JobLine))
        with self._path.open("ab") as file:
            for line in lines[: max(room, 0)]:
                write_message(file, line)


__all__ = ["Log"]
