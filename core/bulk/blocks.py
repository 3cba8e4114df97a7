"""Messages one after another in a file, each with its length before it.

Invariants:
1. Reading gives what was written; a file that ends within a message raises Damaged.
2. Blocks are dealt out to files in turn: block n is in file n modulo their number.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from google.protobuf.message import Message

from ...fastpath.staged_read import Block
from ..errors import Unavailable

LENGTH: Final = 4  # octets

M = TypeVar("M", bound=Message)


class Damaged(Unavailable):
    """A file of a job is not as it was written."""

    reason = "JOB_DAMAGED"
    default = "A file of the job is damaged."


def write_message(file: BinaryIO, message: Message) -> None:
    """Appends a message."""
    write_octets(file, message.SerializeToString())


def write_octets(file: BinaryIO, data: bytes) -> None:
    """Appends a message that is encoded already."""
    file.write(len(data).to_bytes(LENGTH, "big") + data)


def read_message(file: BinaryIO, kind: type[M]) -> M | None:
    """The next message; None at the end. Raises Damaged."""
    data = read_octets(file)
    return None if data is None else kind.FromString(data)


def read_octets(file: BinaryIO) -> bytes | None:
    """The same, encoded."""
    length = _length(file)
    if length is None:
        return None
    data = file.read(length)
    if len(data) != length:
        raise Damaged
    return data


def read_messages(path: Path, kind: type[M]) -> Iterator[M]:
    """All messages of a file; none where there is no file. Raises Damaged."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        while (message := read_message(file, kind)) is not None:
            yield message


class Blocks:
    """The staged blocks of a job from one of them on, in the order of its file."""

    def __init__(self, paths: Sequence[Path], first: int) -> None:
        """Raises Damaged, OSError."""
        with ExitStack() as stack:
            self._files: list[BinaryIO] = [stack.enter_context(path.open("rb")) for path in paths]
            self._next = 0
            for _ in range(first):
                self._skip()
            self._stack = stack.pop_all()

    def read(self) -> Block | None:
        """The next block; None after the last one. Raises Damaged."""
        data = read_octets(self._turn())
        try:
            return None if data is None else Block(data)
        except ValueError as error:
            raise Damaged from error

    def some(self, rows: int) -> list[Block]:
        """The next blocks until they have more than so many rows. Raises Damaged."""
        found: list[Block] = []
        size = 0
        while size <= rows and (block := self.read()) is not None:
            found.append(block)
            size += len(block)
        return found

    def close(self) -> None:
        self._stack.close()

    def _turn(self) -> BinaryIO:
        file = self._files[self._next % len(self._files)]
        self._next += 1
        return file

    def _skip(self) -> None:
        file = self._turn()
        length = _length(file)
        if length is None:
            raise Damaged
        file.seek(length, 1)


def _length(file: BinaryIO) -> int | None:
    data = file.read(LENGTH)
    if not data:
        return None
    if len(data) != LENGTH:
        raise Damaged
    return int.from_bytes(data, "big")


__all__ = [
    "Blocks",
    "Damaged",
    "read_message",
    "read_messages",
    "write_message",
    "write_octets",
]
