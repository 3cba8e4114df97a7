"""Files of the data folder that the objects speak of: audio, the audit log, secrets."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..audit.files import NAME, PREFIX, entry_of
from ..errors import CallscreenError
from ..files import checked_hex, secret
from ..limits import BACKUP_PIECE_BYTES, MAIL_KEY_BYTES, PEPPER_BYTES
from ..store.offline import Tables
from ..store.tables import PRIVATE, decode_number
from .findings import Finding


def check_audio(folder: Path, named: Mapping[str, str]) -> Iterator[Finding]:
    """`named`: digests, and an object that names each."""
    for digest, name in named.items():
        path = folder / digest[:2] / digest
        if not path.is_file():
            yield Finding("audio", f"the file of {name} is missing")
            continue
        if _digest(path) != digest:
            yield Finding("audio", f"the file of {name} is not what was uploaded")


def check_audit(folder: Path, tables: Tables) -> Iterator[Finding]:
    """What a file holds beyond its length was never committed: a start cuts it off."""
    lengths = {entry_of(key): decode_number(value) for key, value in tables.items(PRIVATE, PREFIX)}
    newest = {product: max(name for of, name in lengths if of == product) for product, _ in lengths}
    for (product, name), length in sorted(lengths.items()):
        path = folder / product / name
        if path.is_file():
            size = path.stat().st_size
            if size < length:
                yield Finding("audit", f"{product}/{name} has {size} of its {length} octets")
        elif newest[product] == name:  # older ones may have been moved away
            yield Finding("audit", f"{product}/{name} is missing")
    for path in sorted(folder.glob("*/*")):
        if NAME.fullmatch(path.name) and (path.parent.name, path.name) not in lengths:
            yield Finding("audit", f"{path.parent.name}/{path.name} is known to no change")


def check_secrets(data: Path) -> Iterator[Finding]:
    if not (data / "pepper").exists():
        yield Finding("pepper", "it is missing: stored PINs match nothing")
    for name, size in (("pepper", PEPPER_BYTES), ("mail.key", MAIL_KEY_BYTES)):
        path = data / name
        try:
            if path.exists():
                checked_hex(path, secret(path, str), size)
        except CallscreenError as error:
            yield Finding(name, str(error))


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(BACKUP_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


__all__ = ["check_audio", "check_audit", "check_secrets"]
