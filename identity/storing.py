"""Files that are there whole or not at all, and are read without a wait."""

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path

__all__ = ["read_whole", "written_whole"]


def read_whole(path: Path, most: int) -> tuple[bytes, os.stat_result]:
    """A file's octets, and what it is. Raises OSError, also for one of more than `most` octets, and
    for what is no file: a pipe in its place would be waited for without end."""
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "no regular file", path.name)
        with open(number, "rb", closefd=False) as file:
            octets = file.read(most + 1)
    finally:
        os.close(number)
    if len(octets) > most:
        raise OSError(errno.EFBIG, f"more than {most} octets", path.name)
    return octets, found


def written_whole(path: Path, octets: bytes) -> None:
    """Writes a file of mode 0600 beside its place and moves it there. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
