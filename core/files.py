"""Small secrets in files of the data folder.

Invariants:
1. A secret is made once and read ever after; its file is 0600 and appears whole or not at all.
2. A file that is there and holds no secret is refused, never replaced: what it keyed would be lost.
"""

import os
from collections.abc import Callable
from pathlib import Path

from .errors import Unavailable


def secret(path: Path, make: Callable[[], str]) -> str:
    """The text in the file; where there is no file it is made. Raises OSError, Unavailable."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        text = make()
        write_secret(path, text)
        return text
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise _damaged(path)
    return text


def checked_hex(path: Path, text: str, size: int) -> bytes:
    """The octets that a secret's text stands for. Raises Unavailable where it is not so many."""
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        octets = b""
    if len(octets) != size:
        raise _damaged(path)
    return octets


def _damaged(path: Path) -> Unavailable:
    return Unavailable(f"The file {path} is damaged: put it back as it was.")


def write_secret(path: Path, text: str) -> None:
    """Replaces the file's content, durably. Raises OSError, and Unavailable for no ASCII text."""
    if not text.isascii():
        raise Unavailable(f"What is to be kept in {path} must be plain ASCII text.")
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Makes the folder's own entries durable: files made in it. Raises OSError."""
    file = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


__all__ = ["checked_hex", "secret", "sync_folder", "write_secret"]
