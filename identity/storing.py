"""Files that are there whole or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path

__all__ = ["written_whole"]


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
