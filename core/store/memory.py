"""The store in memory: the plain twin that says what the contract means.

Invariants, besides those of the contract:
1. Nothing here knows of octets on disk: keys are tuples, ordered as Python orders them.
2. A state that readers can see never changes: a group of writes works on a copy, then takes its
   place. That makes a write as dear as the store is large; this is a twin, not a database.
"""

import secrets
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from .contract import (
    UNIQUE,
    Batch,
    Compacted,
    Conflict,
    Key,
    Member,
    PrivatePut,
    Put,
    Reader,
    Snapshot,
    StoreClosed,
)
from .gate import Gate
from .limits import (
    CHUNK_ENTRIES,
    LOG_RECORDS,
    READER_DRAIN_SECONDS,
    TAIL_BYTES,
    TAIL_RECORDS,
)
from .tables import checked, encode_key


@dataclass
class State:
    """One revision of everything."""

    objects: dict[Key, bytes] = field(default_factory=dict)
    order: list[Key] = field(default_factory=list)  # the keys of objects, sorted
    private: dict[bytes, bytes] = field(default_factory=dict)
    unique: dict[bytes, bytes] = field(default_factory=dict)
    log: dict[int, bytes] = field(default_factory=dict)  # in order of revisions
    revision: int = 0

    def copy(self) -> "State":
        return State(
            dict(self.objects),
            list(self.order),
            dict(self.private),
            dict(self.unique),
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

    def unique(self, key: bytes) -> bytes | None:
        return self._state.unique.get(checked(key))


def check_batch(batch: Batch) -> None:
    """Raises KeyTooLong, and ValueError for an unknown index table."""
    for write in batch.writes:
        encode_key(write.key)
    for entry in batch.private:
        checked(entry.key)
    for mark in batch.index:
        if mark.table != UNIQUE:
            raise ValueError(f"no index table {mark.table!r}")
        checked(mark.key)


def apply_batch(state: State, batch: Batch, record: bytes) -> None:
    """Writes a checked batch into a state as its next revision."""
    for write in batch.writes:
        known = write.key in state.objects
        if isinstance(write, Put):
            state.objects[write.key] = write.value
            if not known:
                insort(state.order, write.key)
        elif known:
            del state.objects[write.key]
            del state.order[bisect_left(state.order, write.key)]
    for entry in batch.private:
        if isinstance(entry, PrivatePut):
            state.private[entry.key] = entry.value
        else:
            state.private.pop(entry.key, None)
    for mark in batch.index:
        if len(mark) == 3:
            state.unique[mark.key] = mark.value
        else:
            state.unique.pop(mark.key, None)
    state.revision += 1
    state.log[state.revision] = record


class MemoryStore:
    """A contract Store that forgets everything when it is closed."""

    def __init__(self, log_records: int = LOG_RECORDS) -> None:
        self.id = secrets.token_hex(16)
        self.epoch = 1
        self._log_records = log_records
        self._state = State()
        self._gate = Gate()
        self._writing = threading.Lock()
        self._closed = False

    @property
    def revision(self) -> int:
        return self._state.revision

    def transact(self, group: Sequence[Member]) -> list[int | Exception]:
        with self._writing:
            if self._closed:
                raise StoreClosed
            state = self._state.copy()
            results = [self._run(state, member) for member in group]
            prune(state, state.revision - self._log_records)
            self._state = state
        return results

    def _run(self, state: State, member: Member) -> int | Exception:
        try:
            batch = member(MemoryReader(state))
            if batch is None:
                return state.revision
            check_batch(batch)
            record = batch.change(state.revision + 1)
        except Exception as error:
            return error
        apply_batch(state, batch, record)
        return state.revision

    def commit(self, batch: Batch, expected_revision: int | None = None) -> int:
        def member(reader: Reader) -> Batch:
            if expected_revision is not None and reader.revision != expected_revision:
                raise Conflict
            return batch

        result = self.transact([member])[0]
        if isinstance(result, Exception):
            raise result
        return result

    @contextmanager
    def read(self) -> Iterator[Reader]:
        with self._gate.reader():
            yield MemoryReader(self._state)

    def get(self, key: Key) -> bytes | None:
        with self.read() as reader:
            return reader.get(key)

    def scan(
        self,
        product: str,
        type: str,
        prefix: tuple[str, ...] = (),
        start_after: tuple[str, ...] | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> list[tuple[Key, bytes]]:
        with self.read() as reader:
            return list(reader.scan(product, type, prefix, start_after, limit, reverse))

    def tail(self, after: int, limit: int = TAIL_RECORDS) -> list[tuple[int, bytes]]:
        with self._gate.reader():
            state = self._state
        if not state.oldest() - 1 <= after <= state.revision:
            raise Compacted
        records: list[tuple[int, bytes]] = []
        size = 0
        for revision in range(after + 1, min(after + limit, state.revision) + 1):
            records.append((revision, state.log[revision]))
            size += len(state.log[revision])
            if size >= TAIL_BYTES:
                break
        return records

    def snapshot(self, products: Collection[str], types: Collection[str]) -> Snapshot:
        ranges = [(product, type) for product in sorted(products) for type in sorted(types)]
        return Snapshot(self.revision, self._chunks(ranges))

    def _chunks(self, ranges: Sequence[tuple[str, str]]) -> Iterator[list[tuple[Key, bytes]]]:
        for product, type_name in ranges:
            last: tuple[str, ...] | None = None
            while chunk := self.scan(product, type_name, start_after=last, limit=CHUNK_ENTRIES):
                yield chunk
                last = chunk[-1][0].path

    def oldest(self) -> int:
        with self._gate.reader():
            return self._state.oldest()

    def compact(self, keep: int) -> None:
        with self._writing:
            if self._closed:
                raise StoreClosed
            state = self._state.copy()
            prune(state, state.revision - max(keep, 0))
            self._state = state

    def oldest_reader_age(self) -> float:
        return self._gate.oldest_age()

    def close(self) -> None:
        with self._writing:
            self._gate.close()
            with self._gate.alone(READER_DRAIN_SECONDS):
                self._closed = True


def prune(state: State, upto: int) -> None:
    """Drops log records up to a revision."""
    for revision in range(state.oldest(), min(upto, state.revision) + 1):
        del state.log[revision]


__all__ = ["MemoryStore"]
