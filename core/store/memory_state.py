"""One state of the store in memory: how it is read, and what a batch makes of it.

Invariants:
1. Nothing here knows of octets on disk: keys are tuples, ordered as Python orders them.
2. What cannot be written raises before anything of its batch is.
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .contract import (
    COLUMNS,
    UNIQUE,
    Batch,
    Fresh,
    Gone,
    IndexDelete,
    IndexPut,
    Key,
    PrivateDelete,
    PrivatePut,
    Put,
)
from .tables import checked, decode_key, encode_key


@dataclass
class State:
    """One revision of everything."""

    objects: dict[Key, bytes] = field(default_factory=dict)
    order: list[Key] = field(default_factory=list)  # the keys of objects, sorted
    private: dict[bytes, bytes] = field(default_factory=dict)
    indexes: dict[str, dict[bytes, bytes]] = field(
        default_factory=lambda: {UNIQUE: {}, COLUMNS: {}}
    )
    log: dict[int, bytes] = field(default_factory=dict)  # in order of revisions
    revision: int = 0

    def copy(self) -> "State":
        return State(
            dict(self.objects),
            list(self.order),
            dict(self.private),
            {name: dict(index) for name, index in self.indexes.items()},
            dict(self.log),
            self.revision,
        )

    def oldest(self) -> int:
        return next(iter(self.log), self.revision + 1)


class MemoryReader:
    """A contract Reader of one state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.revision = state.revision

    def get(self, key: Key) -> bytes | None:
        encode_key(key)  # the same keys are too long in both twins
        return self._state.objects.get(key)

    def present(self, keys: Sequence[bytes]) -> list[bytes]:
        return [key for key in keys if self.get(decode_key(key)) is not None]

    def claimed(self, keys: Sequence[bytes]) -> list[bytes]:
        return [key for key in keys if self.unique(key) is not None]

    def scan(
        self,
        product: str,
        type: str,
        prefix: tuple[str, ...] = (),
        start_after: tuple[str, ...] | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> Iterator[tuple[Key, bytes]]:
        keys = self._below(product, type, prefix)
        if start_after is not None and reverse:
            keys = keys[: bisect_left(keys, Key(product, type, start_after))]
        elif start_after is not None:
            keys = keys[bisect_right(keys, Key(product, type, start_after)) :]
        if reverse:
            keys.reverse()
        for key in keys[:limit]:
            yield key, self._state.objects[key]

    def page(
        self,
        product: str,
        type: str,
        prefix: tuple[str, ...],
        start_after: tuple[str, ...] | None,
        limit: int,
    ) -> tuple[list[bytes], tuple[str, ...] | None]:
        found = list(self.scan(product, type, prefix, start_after, limit))
        return [value for _, value in found], found[-1][0].path if found else None

    def _below(self, product: str, type: str, prefix: tuple[str, ...]) -> list[Key]:
        order = self._state.order
        end = start = bisect_left(order, Key(product, type, prefix))
        while (
            end < len(order)
            and order[end][:2] == (product, type)
            and order[end].path[: len(prefix)] == prefix
        ):
            end += 1
        return order[start:end]

    def count(self, product: str, type: str, prefix: tuple[str, ...] = ()) -> int:
        return len(self._below(product, type, prefix))

    def private(self, key: bytes) -> bytes | None:
        return self._state.private.get(checked(key))

    def scan_private(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        for key in sorted(self._state.private):
            if key.startswith(prefix):
                yield key, self._state.private[key]

    def firsts(
        self, product: str, type: str, start_after: str | None = None, limit: int | None = None
    ) -> Iterator[tuple[str, int]]:
        paths = (key.path for key in self._below(product, type, ()) if key.path)
        counts = Counter(path[0] for path in paths)
        yield from [
            (first, count)
            for first, count in counts.items()
            if start_after is None or first > start_after
        ][:limit]

    def unique(self, key: bytes) -> bytes | None:
        return self._state.indexes[UNIQUE].get(checked(key))

    def scan_index(
        self,
        table: str,
        low: bytes,
        high: bytes,
        limit: int | None = None,
        reverse: bool = False,
    ) -> Iterator[tuple[bytes, bytes]]:
        index = index_of(self._state, table)
        keys = sorted((key for key in index if low <= key < high), reverse=reverse)
        for key in keys[:limit]:
            yield key, index[key]


def index_of(state: State, table: str) -> dict[bytes, bytes]:
    """An index by its name. Raises ValueError for an unknown one."""
    if table not in state.indexes:
        raise ValueError(f"no index table {table!r}")
    return state.indexes[table]


def check_batch(state: State, batch: Batch) -> None:
    """Raises KeyTooLong, and ValueError for an unknown index."""
    for write in batch.writes:
        encode_key(write.key)
    for entry in batch.private:
        checked(entry.key)
    check_index(state, batch.index)


def check_index(state: State, marks: Sequence[IndexPut | IndexDelete]) -> None:
    """Raises KeyTooLong, and ValueError for an unknown index."""
    for mark in marks:
        index_of(state, mark.table)
        checked(mark.key)


def apply_batch(state: State, batch: Batch, record: bytes) -> None:
    """Writes a checked batch into a state as its next revision."""
    if batch.fresh is not None:
        apply_fresh(state, batch.fresh)
    if batch.gone is not None:
        apply_gone(state, batch.gone)
    for write in batch.writes:
        known = write.key in state.objects
        if isinstance(write, Put):
            state.objects[write.key] = write.value
            if not known:
                insort(state.order, write.key)
        elif known:
            del state.objects[write.key]
            del state.order[bisect_left(state.order, write.key)]
    apply_private(state, batch.private)
    apply_index(state, batch.index)
    state.revision += 1
    state.log[state.revision] = record


def apply_fresh(state: State, fresh: Fresh) -> None:
    """Writes what is not there yet. Raises ValueError where it is."""
    for octets, value in fresh.objects:
        key = decode_key(octets)
        if key in state.objects:
            raise ValueError("an object that was said to be new is there already")
        state.objects[key] = value
        insort(state.order, key)
    state.indexes[UNIQUE].update(fresh.unique)
    state.indexes[COLUMNS].update(fresh.columns)


def apply_gone(state: State, gone: Gone) -> None:
    """Removes what is there. Raises ValueError where it is not."""
    for octets in gone.objects:
        key = decode_key(octets)
        if key not in state.objects:
            raise ValueError("an object that was said to be there is not")
        del state.objects[key]
        del state.order[bisect_left(state.order, key)]
    for table, keys in ((UNIQUE, gone.unique), (COLUMNS, gone.columns)):
        for entry in keys:
            state.indexes[table].pop(entry, None)


def apply_index(state: State, marks: Sequence[IndexPut | IndexDelete]) -> None:
    """Sets and removes checked index entries."""
    for mark in marks:
        if isinstance(mark, IndexPut):
            state.indexes[mark.table][mark.key] = mark.value
        else:
            state.indexes[mark.table].pop(mark.key, None)


def apply_private(state: State, entries: Sequence[PrivatePut | PrivateDelete]) -> None:
    """Sets and removes private entries."""
    for entry in entries:
        if isinstance(entry, PrivatePut):
            state.private[entry.key] = entry.value
        else:
            state.private.pop(entry.key, None)


def prune(state: State, upto: int) -> None:
    """Drops log records up to a revision."""
    for revision in range(state.oldest(), min(upto, state.revision) + 1):
        del state.log[revision]


__all__ = [
    "MemoryReader",
    "State",
    "apply_batch",
    "apply_index",
    "apply_private",
    "check_batch",
    "check_index",
    "prune",
]
