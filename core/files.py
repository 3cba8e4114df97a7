"""Small secrets in files of the data folder.

Invariants:
1. A secret is made once and read ever after; its file is 0600 and appears whole or not at all.
"""

import os
from collections.abc import Callable
from pathlib import Path


def secret(path: Path, make: Callable[[], str]) -> str:
    """The text in the file; where there is no file it is made. Raises OSError."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        text = make()
        write_secret(path, text)
        return text


def write_secret(path: Path, text: str) -> None:
    """Replaces the file's content, durably. Raises OSError."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


__all__ = ["secret", "write_secret"]
