"""Makes a data folder from a backup.

Invariants:
1. Only an empty folder, or one that is not there, is filled.
2. No octet of the backup is in force before all of it is: every digest was compared, no member is
   missing or one too many. What is not whole is removed again.
3. A member is a plain file whose name a data folder has; nothing else is written, and nothing
   outside the folder.
4. The restored history is one of its own: its epoch is above every former one, so that edges take a
   snapshot. Internal services get a new token.
"""

import hashlib
import os
import secrets
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from ..audit.files import PREFIX, entry_of
from ..errors import InvalidInput, Unavailable
from ..files import secret, sync_folder
from ..limits import BACKUP_PIECE_BYTES, TOKEN_BYTES
from ..store.offline import new_epoch, private_entries
from ..store.tables import decode_number
from .archive import (
    MANIFEST,
    MANIFEST_BYTES,
    NAMES,
    OBJECTS,
    PEPPER,
    Manifest,
    Member,
    decode_manifest,
)

WORK: Final = "restoring"  # the folder in the data folder that holds what is not whole yet
NOT_EMPTY: Final = "The folder {} is not empty: a backup is restored into a new one only."
DAMAGED: Final = "The backup is damaged: {}."
UNFINISHED: Final = "The folder {} was left by a restore that did not end: remove it and restore."

Progress = Callable[[int], None]  # told how many octets were read since it was told before


def restore(source: IO[bytes], data: Path, now: float, progress: Progress) -> Manifest:
    """Fills the folder from an archive. `now` in Unix seconds.

    Raises InvalidInput (not empty, damaged, of a later release), OSError, StoreFailed.
    """
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise InvalidInput(NOT_EMPTY.format(data))
    made = not data.exists()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    work = data / WORK
    try:
        work.mkdir(mode=0o700)
        manifest = _extract(source, work, progress)
        _begin(work, now)
        for path in sorted(work.iterdir(), key=lambda path: path.name == "objects"):
            path.rename(data / path.name)  # the objects last
        sync_folder(data)
        work.rmdir()
        sync_folder(data)
        sync_folder(data.parent)
    except BaseException:
        for path in sorted(data.iterdir(), key=lambda path: path == work):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)  # the mark of what is not whole last
            else:
                path.unlink()
        if made and not any(data.iterdir()):
            data.rmdir()
        raise
    return manifest


def check_finished(data: Path) -> None:
    """Raises Unavailable where a restore into this folder was killed."""
    if (data / WORK).exists():
        raise Unavailable(UNFINISHED.format(data))


def _extract(source: IO[bytes], work: Path, progress: Progress) -> Manifest:
    found: dict[str, Member] = {}
    manifest: Manifest | None = None
    try:
        with tarfile.open(fileobj=source, mode="r|") as archive:
            for info in archive:
                file = archive.extractfile(info) if info.isreg() else None
                if manifest is not None or file is None or info.name in found:
                    raise InvalidInput(DAMAGED.format(f"{info.name!r} does not belong there"))
                if info.name == MANIFEST and info.size <= MANIFEST_BYTES:
                    manifest = decode_manifest(file.read())
                elif NAMES.fullmatch(info.name):
                    found[info.name] = _written(info, file, work / info.name, progress)
                else:
                    raise InvalidInput(DAMAGED.format(f"{info.name!r} is no file of a backup"))
    except tarfile.TarError as error:
        raise InvalidInput(DAMAGED.format(error)) from error
    if manifest is None:
        raise InvalidInput(DAMAGED.format("its end is missing"))
    for member in manifest.files:
        if found.pop(member.name, None) != member:
            raise InvalidInput(DAMAGED.format(f"{member.name!r} is not what it was"))
    if found:
        raise InvalidInput(DAMAGED.format(f"{next(iter(found))!r} is not in its manifest"))
    for name in (OBJECTS, PEPPER):
        if not (work / name).is_file():
            raise InvalidInput(DAMAGED.format(f"{name!r} is missing"))
    return manifest


def _written(info: tarfile.TarInfo, file: IO[bytes], path: Path, progress: Progress) -> Member:
    for folder in reversed(path.parents):
        folder.mkdir(mode=0o700, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(opened, "wb") as target:
        while piece := file.read(BACKUP_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
            target.write(piece)
            progress(len(piece))
        target.flush()
        os.fsync(target.fileno())
    sync_folder(path.parent)
    return Member(info.name, size, digest.hexdigest())


def _begin(work: Path, now: float) -> None:
    """A history of its own, and what a core would find only later to be left over."""
    new_epoch(work / "objects", int(now))
    known = {
        entry_of(key): decode_number(value)
        for key, value in private_entries(work / "objects", PREFIX)
    }
    for path in sorted((work / "audit").glob("*/*")):
        length = known.get((path.parent.name, path.name))
        if length is None:
            path.unlink()
        elif path.stat().st_size > length:
            os.truncate(path, length)
    secret(work / "service.token", lambda: secrets.token_urlsafe(TOKEN_BYTES))


__all__ = ["UNFINISHED", "WORK", "check_finished", "restore"]
