"""The file that a command makes: whole, on disk and its owner's alone, or not there."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["STREAM", "OutputError", "output"]

STREAM: Final = "-"  # for standard input or output


class OutputError(Exception):
    """The file cannot be written; the text says which, and why."""


@contextmanager
def output(to: str) -> Iterator[BinaryIO]:
    """A file that has its name only once the block ends well and it is on disk; - is standard
    output, and a device or a pipe is written into. Raises OutputError."""
    try:
        if to == STREAM:
            yield sys.stdout.buffer
            sys.stdout.flush()
        else:
            path = Path(to).resolve()
            device = path.exists() and not path.is_file()
            yield from _into(path) if device else _made(path)
    except OSError as error:
        name = "standard output" if to == STREAM else to
        raise OutputError(f"{name} cannot be written: {error.strerror or error}") from None


def _into(path: Path) -> Iterator[BinaryIO]:
    with path.open("wb") as file:
        yield file


def _made(path: Path) -> Iterator[BinaryIO]:
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    try:
        opened = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
