"""The change log: contiguous up to the revision, each record its own."""

from collections.abc import Iterator

from google.protobuf.message import DecodeError

from ...v1.object_pb2 import Change
from ..store.offline import Tables
from ..store.tables import FORMAT, LOG, META, decode_number
from .findings import Finding


def revision_of(tables: Tables) -> int:
    """The revision of the objects."""
    return decode_number(tables.get(META, b"revision") or b"")


def check_log(tables: Tables) -> Iterator[Finding]:
    for key in (b"id", b"epoch", b"format"):
        if not tables.get(META, key):
            yield Finding("meta", f"{key.decode()} is missing")
    found = decode_number(tables.get(META, b"format") or b"")
    if found > FORMAT:
        yield Finding("meta", f"format {found} is a later release's")
    last: int | None = None
    for key, value in tables.items(LOG):
        number = decode_number(key)
        if last is not None and number != last + 1:
            yield Finding("log", f"changes {last + 1} to {number - 1} are missing")
        last = number
        try:
            revision = Change.FromString(value).revision
        except DecodeError:
            yield Finding("log", f"change {number} cannot be decoded")
            continue
        if revision != number:
            yield Finding("log", f"change {number} says that it is {revision}")
    revision = revision_of(tables)
    if last is not None and last != revision:
        yield Finding("log", f"the last change is {last}, and the revision {revision}")


__all__ = ["check_log", "revision_of"]
