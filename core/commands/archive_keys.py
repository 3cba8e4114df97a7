"""Where the archive keeps what was removed.

Invariants:
1. An archived object stands at its own path with its batch behind it, in a type of its own: no
   snapshot, index or list of live objects has it.
2. Batches order by when they were made; a transaction may make several.
3. A batch has a record of its own, which says what each of its objects says: `Archived`.
4. A place that a tenant left for another name, or came to from one, has a note of when that was.
"""

from typing import Final

from ..store.contract import Key

BATCHES: Final = "archive_batch"  # the type of the records of batches
LEFT: Final = "archive_left"  # the type of the notes on places
ANY_BATCH: Final = "0" * 24  # as long as every batch's id


def batch_id(revision: int, place: int) -> str:
    """The id of a transaction's batch: 24 hexadecimal digits."""
    return f"{revision:016x}{place:08x}"


def archive_type(type_: str) -> str:
    """The type under which archived objects of a type are stored."""
    return f"archive:{type_}"


def archive_key(product: str, type_: str, path: tuple[str, ...], batch: str) -> Key:
    return Key(product, archive_type(type_), (*path, batch))


def batch_key(product: str, batch: str) -> Key:
    return Key(product, BATCHES, (batch,))


def left_key(product: str, place: tuple[str, ...]) -> Key:
    return Key(product, LEFT, place)


__all__ = [
    "ANY_BATCH",
    "BATCHES",
    "LEFT",
    "archive_key",
    "archive_type",
    "batch_id",
    "batch_key",
    "left_key",
]
