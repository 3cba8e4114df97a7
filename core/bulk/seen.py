"""What a dry run has seen of a file so far: two lines must not claim the same.

Invariants:
1. Memory does not grow with the file: what was seen lies in a file of the job.
"""

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Final

from google.protobuf.message import Message

from ...fastpath.staged_read import Block
from ...schema import Invalid, field_error
from ...v1.jobs_pb2 import INSERT
from ...v1.object_pb2 import Object
from ..errors import AlreadyExists
from .applying import Group, Plan

CACHE_KIB: Final = 16 * 1024


class Seen:
    """Names by what they claim. For one thread at a time; a context manager."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._db.execute("CREATE TABLE seen (claim TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID")
        self._db.execute("BEGIN")

    def __enter__(self) -> "Seen":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def look_at(self, plan: Plan, block: Block, group: Group) -> None:
        """Refuses what a line before has claimed, in lines that were not refused yet."""
        told = {line.line for line in group.lines}
        for line, name, field in zip(block.line, block.name, block.field, strict=True):
            if line in told:
                continue
            try:
                self._row(plan, name.decode(), getattr(Object.FromString(field), plan.kind.type))
            except (Invalid, AlreadyExists) as error:
                group.refuse(line, error)

    def _row(self, plan: Plan, name: str, body: Message) -> None:
        kind = plan.kind
        if self._claim("", name, name) is not None and plan.mode == INSERT:
            raise AlreadyExists
        for field, value in kind.uniques(body):
            if self._claim(field, value, name) not in (None, name):
                raise Invalid([field_error(kind.class_name, field, "unique", "must be unique")])

    def _claim(self, field: str, value: str, name: str) -> str | None:
        """Who claimed it before; else it is claimed now."""
        claim = f"{field}\0{value}"
        added = self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (claim, name))
        if added.rowcount:
            return None
        found: tuple[str] = self._db.execute(
            "SELECT name FROM seen WHERE claim = ?", (claim,)
        ).fetchone()
        return found[0]


__all__ = ["Seen"]
