"""What a backup is: a tar archive of plain files, and a manifest as its last member.

Invariants:
1. The manifest comes last and names every other member with its size and digest: an archive that
   was cut off has none, and is no backup.
2. Nothing here reads or writes a file: headers are octets, names are text.
3. A name of a member is one of those that a data folder has: none leads out of it.
"""

import re
import tarfile
from typing import Any, Final, NamedTuple

import orjson

from ..errors import InvalidInput

FORMAT: Final = 1  # of the archive; raised with every change that older code cannot read
MANIFEST: Final = "manifest.json"
MANIFEST_BYTES: Final = 256 * 1024 * 1024  # the longest that is read: about 2 million files
OBJECTS: Final = "objects/data.mdb"
RECORDS: Final = "records/data.mdb"
PEPPER: Final = "pepper"
END: Final = bytes(2 * tarfile.BLOCKSIZE)

NAMES: Final = re.compile(
    rf"{OBJECTS}|{RECORDS}|{PEPPER}"
    r"|audit/(?:pcs|cin)/audit-[0-9]{4}\.[0-9]{2}\.[0-9]{2}\.log"
    r"|audio/[0-9a-f]{2}/[0-9a-f]{64}"
)


class Member(NamedTuple):
    """A file of the archive: octets, and SHA-256 in hexadecimal digits."""

    name: str
    size: int
    sha256: str


class Manifest(NamedTuple):
    """What the archive holds. `revision` is that of its objects, `time` is ISO 8601 in UTC."""

    version: str
    store_id: str
    epoch: int
    revision: int
    time: str
    files: tuple[Member, ...]

    def encode(self) -> bytes:
        files = [each._asdict() for each in self.files]
        return orjson.dumps(
            {"format": FORMAT, **self._asdict(), "files": files}, option=orjson.OPT_INDENT_2
        )


def decode_manifest(data: bytes) -> Manifest:
    """Raises InvalidInput for what is no manifest, or a later release's."""
    try:
        held: dict[str, Any] = orjson.loads(data)
        if held["format"] > FORMAT:
            raise InvalidInput("A later release made this backup.")
        return Manifest(
            version=str(held["version"]),
            store_id=str(held["store_id"]),
            epoch=int(held["epoch"]),
            revision=int(held["revision"]),
            time=str(held["time"]),
            files=tuple(
                Member(str(each["name"]), int(each["size"]), str(each["sha256"]))
                for each in held["files"]
            ),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput("The backup's manifest cannot be read.") from error


def header(name: str, size: int, seconds: float) -> bytes:
    """What stands before a file of so many octets."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, int(seconds), 0o600
    return info.tobuf(tarfile.GNU_FORMAT)  # sizes beyond 8 GiB included


def padding(size: int) -> bytes:
    """What stands behind it."""
    return bytes(-size % tarfile.BLOCKSIZE)


__all__ = [
    "END",
    "MANIFEST",
    "MANIFEST_BYTES",
    "NAMES",
    "OBJECTS",
    "PEPPER",
    "RECORDS",
    "Manifest",
    "Member",
    "decode_manifest",
    "header",
    "padding",
]
