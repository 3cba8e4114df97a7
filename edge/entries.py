"""AppendRequest on the wire, as far as it is made here without messages.

Invariants
1. Entries are `records` fields, each with its tag and its length, one after another.
2. What does not end where its lengths say raises ValueError.
"""

from typing import NamedTuple

from google.protobuf.message import DecodeError

from ..v1.records_pb2 import AppendRequest
from .following import varint

__all__ = ["Block", "batch_head", "halves", "readable", "split_entries"]

RECORD_TAG = AppendRequest.RECORDS_FIELD_NUMBER << 3 | 2  # delimited


class Block(NamedTuple):
    """Whole entries, and how many these are."""

    entries: bytes
    records: int
    spooled: bool = False  # it stands on disk as well


def batch_head(batch_id: int) -> bytes:
    """What stands before the entries of a batch."""
    return AppendRequest(id=batch_id).SerializeToString()


def readable(block: Block) -> bool:
    """Whether a block makes a message."""
    try:
        AppendRequest.FromString(block.entries)
    except DecodeError:
        return False
    return True


def split_entries(entries: bytes) -> list[bytes]:
    """Each entry by itself. Raises ValueError."""
    found = []
    at = 0
    while at < len(entries):
        if entries[at] != RECORD_TAG:
            raise ValueError("no record where one should be")
        size, end = varint(entries, at + 1)
        end += size
        if end > len(entries):
            raise ValueError("a record is cut off")
        found.append(entries[at:end])
        at = end
    return found


def halves(block: Block) -> list[Block]:
    """A block of two or more records as two. Raises ValueError."""
    entries = split_entries(block.entries)
    middle = len(entries) // 2
    return [
        block._replace(entries=b"".join(part), records=len(part))
        for part in (entries[:middle], entries[middle:])
    ]
