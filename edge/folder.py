"""A folder on disk that serves one process at a time, and is its owner's alone."""

import fcntl
import os
from pathlib import Path

__all__ = ["settle_folder", "take_folder"]


def take_folder(folder: Path) -> int:
    """Makes it where it is not there, and locks it; the folder is held until that is closed.

    Nothing is written into it: what is there can be read where the disk takes nothing any more.
    Raises OSError where it is another process's, or cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise OSError(error.errno, f"another edge uses {folder}") from error
    return lock


def settle_folder(folder: Path) -> None:
    """The names in it outlast a loss of power. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
