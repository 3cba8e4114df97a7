"""The seam of the store: what may cross it, and what may go wrong.

Invariants, held by every store and by one acceptance suite:
1. One batch is one revision and one log record. Revisions begin at 1 and have no gap.
2. A batch is in force whole (objects, indexes, private entries, log record, revision), or not.
3. What was returned as committed is durable.
4. A reader sees one revision for as long as it is open, and nothing of an open transaction.
5. Scans go by the order of (product, type, path), paths compared part by part as text.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

from ..errors import Compacted, Conflict
from .faults import (
    NO_SPACE,
    Fenced,
    FormatTooNew,
    KeyTooLong,
    NotLeader,
    StoreClosed,
    StoreFailed,
    StoreFull,
    StoreInUse,
)
from .limits import TAIL_RECORDS


class Key(NamedTuple):
    """Where an object is kept. Tuples compare as the store orders them."""

    product: str
    type: str
    path: tuple[str, ...]


class Put(NamedTuple):
    """Sets an object."""

    key: Key
    value: bytes


class Delete(NamedTuple):
    """Removes an object; one that is not there is no error."""

    key: Key


class PrivatePut(NamedTuple):
    """Sets an entry that is never published: a credential, a token."""

    key: bytes
    value: bytes


class PrivateDelete(NamedTuple):
    """Removes a private entry; one that is not there is no error."""

    key: bytes


class IndexPut(NamedTuple):
    """Sets an index entry. What must be unique is looked up first, in the same transaction."""

    table: str
    key: bytes
    value: bytes


class IndexDelete(NamedTuple):
    """Removes an index entry; one that is not there is no error."""

    table: str
    key: bytes


UNIQUE = "unique"  # the name of an index, by unique value
COLUMNS = "columns"  # cells of the columns that have an index, with the path of their object


@dataclass(frozen=True)
class Fresh:
    """Objects that are not there yet, and their index entries, all as the store keeps them.

    For what comes by the thousand: pairs of a key and its value, each key once, in any order. Keys
    are as `encode_key` makes them.
    """

    objects: Sequence[tuple[bytes, bytes]]
    unique: Sequence[tuple[bytes, bytes]]
    columns: Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Gone:
    """Objects that are there, and their index entries, to be removed by the thousand.

    Keys as the store keeps them, each once, in any order.
    """

    objects: Sequence[bytes]
    unique: Sequence[bytes]
    columns: Sequence[bytes]


@dataclass(frozen=True)
class Batch:
    """What one function wants written. `change` makes the log record from the revision given.

    Writes apply in order. `change` runs inside the transaction, perhaps more than once. `rows`
    gives its rows of the audit log, by product: no concern of the store.
    """

    writes: Sequence[Put | Delete]
    change: Callable[[int], bytes]
    private: Sequence[PrivatePut | PrivateDelete] = ()
    index: Sequence[IndexPut | IndexDelete] = ()
    rows: Callable[[], Mapping[str, bytes]] | None = None
    fresh: Fresh | None = None  # applied before the rest
    gone: Gone | None = None  # applied after `fresh`, before the rest


class Reader(Protocol):
    """One revision of the data. Not to be held across an await, nor used once it is closed."""

    @property
    def revision(self) -> int:
        """The last revision that this reader sees; 0 in an empty store."""

    def get(self, key: Key) -> bytes | None:
        """The object there. KeyTooLong where no such key can be."""

    def present(self, keys: Sequence[bytes]) -> list[bytes]:
        """Those keys, as `encode_key` makes them, at which there is an object."""

    def claimed(self, keys: Sequence[bytes]) -> list[bytes]:
        """Those keys that are in the index of unique values."""

    def scan(
        self,
        product: str,
        type: str,
        prefix: tuple[str, ...] = (),
        start_after: tuple[str, ...] | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> Iterator[tuple[Key, bytes]]:
        """Objects whose path begins with exactly these parts, in order (or backwards).

        `start_after` is a whole path, there or not; only what follows it in the direction comes.
        """

    def page(
        self,
        product: str,
        type: str,
        prefix: tuple[str, ...],
        start_after: tuple[str, ...] | None,
        limit: int,
    ) -> tuple[list[bytes], tuple[str, ...] | None]:
        """The objects alone of a scan, and the path of the last one; None where there is none."""

    def count(self, product: str, type: str, prefix: tuple[str, ...] = ()) -> int:
        """How many objects `scan` would yield.

        One look-up, where the prefix has less than two parts; else a step an object.
        """

    def private(self, key: bytes) -> bytes | None:
        """The private entry there."""

    def scan_private(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Private entries whose key begins with these octets, in order."""

    def firsts(
        self, product: str, type: str, start_after: str | None = None, limit: int | None = None
    ) -> Iterator[tuple[str, int]]:
        """The first parts of the paths, in order, and how many objects lie below each."""

    def unique(self, key: bytes) -> bytes | None:
        """The entry of the index of unique values."""

    def scan_index(
        self,
        table: str,
        low: bytes,
        high: bytes,
        limit: int | None = None,
        reverse: bool = False,
    ) -> Iterator[tuple[bytes, bytes]]:
        """Entries of an index from `low` on and below `high`, in order (or backwards).

        Raises ValueError for an unknown index.
        """


Member: TypeAlias = Callable[[Reader], Batch | None]
Last: TypeAlias = Callable[[Sequence[int | Exception]], Sequence[PrivatePut | PrivateDelete]]


class Usage(NamedTuple):
    """Octets that the data take, that the map has room for, and that it may grow to (0: no map).

    `refusing`: the last write was refused for want of room, or by the disk.
    """

    octets: int
    map_octets: int
    limit_octets: int
    refusing: bool


@runtime_checkable
class Copied(Protocol):
    """A store on disk, which can be copied while it is in use."""

    def copy(self, file: int) -> int:
        """Writes the data of one transaction to a file descriptor; the revision that they are of.

        What is written is a folder's data.mdb. Takes long where the data are large, and whoever
        reads the other end must read on: writes that fail, or must grow the map, wait for its end.
        Raises StoreClosed, StoreFailed.
        """


class Snapshot(NamedTuple):
    """`revision` at its start, and the chunks, each read in a transaction of its own.

    Fuzzy: it is whole once the log from `revision` to the store's revision after its last chunk
    has been applied over it.
    """

    revision: int
    chunks: Iterator[list[tuple[Key, bytes]]]


class Store(Protocol):
    """Objects, their history and nothing of what they mean. Safe to use from any thread."""

    @property
    def id(self) -> str:
        """Random, made with the store: 32 hexadecimal digits."""

    @property
    def epoch(self) -> int:
        """Rises when the history is not continued, as after a restore; begins at 1."""

    @property
    def revision(self) -> int:
        """The last durable revision; 0 in an empty store. No reader has seen a later one."""

    @property
    def fatal(self) -> bool:
        """Whether the disk failed so that only opening the store anew shows what it holds."""

    def transact(self, group: Sequence[Member], last: Last | None = None) -> list[int | Exception]:
        """Runs every function in one transaction, made durable once, and gives each its result.

        A function sees the writes of those before it. Its result is the revision of its batch, the
        revision seen where it returned None, or the exception that it raised, which leaves no
        trace. It may be run again when the store grows. Where the disk fails, every result is
        StoreFull or StoreFailed. Raises StoreClosed.

        `last` is given the results, where any wrote, before they are made durable; the private
        entries that it returns are part of the transaction. It may be run again as well, and
        where it raises StoreFull or StoreFailed that is every result.
        """

    def commit(self, batch: Batch, expected_revision: int | None = None) -> int:
        """Writes one batch; its revision. Raises Conflict, KeyTooLong, StoreFull, StoreFailed."""

    def reindex(self, changes: Sequence[IndexPut | IndexDelete]) -> None:
        """Changes index entries alone, in one durable transaction that has no revision.

        For what can be made again from the objects. Raises KeyTooLong, StoreFull, StoreFailed,
        StoreClosed, and ValueError for an unknown index.
        """

    def read(self) -> AbstractContextManager[Reader]:
        """A short read transaction: milliseconds. Raises StoreClosed."""

    def get(self, key: Key) -> bytes | None:
        """One object at the last revision."""

    def scan(
        self,
        product: str,
        type: str,
        prefix: tuple[str, ...] = (),
        start_after: tuple[str, ...] | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> list[tuple[Key, bytes]]:
        """`Reader.scan` in a transaction of its own."""

    def tail(self, after: int, limit: int = TAIL_RECORDS) -> list[tuple[int, bytes]]:
        """Log records after a revision in order, at most `limit` of them and about TAIL_BYTES.

        Raises Compacted where the log no longer reaches back, or has not come so far.
        """

    def snapshot(self, products: Collection[str], types: Collection[str]) -> Snapshot:
        """Every object of these types of these products, a chunk a transaction."""

    def oldest(self) -> int:
        """The oldest revision in the log; revision + 1 where the log is empty."""

    def compact(self, keep: int) -> None:
        """Drops log records until the last `keep` are left. Raises StoreFull, StoreFailed."""

    def oldest_reader_age(self) -> float:
        """Seconds that the oldest open reader has been open; 0.0 where there is none."""

    def usage(self) -> Usage:
        """What the store takes now. Raises StoreClosed."""

    def close(self) -> None:
        """Waits for readers and writers, then closes. Closing again does nothing."""


__all__ = [
    "COLUMNS",
    "NO_SPACE",
    "UNIQUE",
    "Batch",
    "Compacted",
    "Conflict",
    "Copied",
    "Delete",
    "Fenced",
    "FormatTooNew",
    "Fresh",
    "Gone",
    "IndexDelete",
    "IndexPut",
    "Key",
    "KeyTooLong",
    "Last",
    "Member",
    "NotLeader",
    "PrivateDelete",
    "PrivatePut",
    "Put",
    "Reader",
    "Snapshot",
    "Store",
    "StoreClosed",
    "StoreFailed",
    "StoreFull",
    "StoreInUse",
    "Usage",
]
