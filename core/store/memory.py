"""The store in memory: the plain twin that says what the contract means.

Invariants, besides those of the contract:
1. Nothing here knows of octets on disk: keys are tuples, ordered as Python orders them.
2. A state that readers can see never changes: a group of writes works on a copy, then takes its
   place. That makes a write as dear as the store is large; this is a twin, not a database.
"""

import secrets
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from .contract import (
    Batch,
    Compacted,
    Conflict,
    IndexDelete,
    IndexPut,
    Key,
    Last,
    Member,
    Reader,
    Snapshot,
    StoreClosed,
    StoreFailed,
    StoreFull,
    Usage,
)
from .gate import Gate
from .limits import (
    CHUNK_ENTRIES,
    LOG_RECORDS,
    READER_DRAIN_SECONDS,
    TAIL_BYTES,
    TAIL_RECORDS,
)
from .memory_state import (
    MemoryReader,
    State,
    apply_batch,
    apply_index,
    apply_private,
    check_batch,
    check_index,
    prune,
)


class MemoryStore:
    """A contract Store that forgets everything when it is closed."""

    def __init__(self, log_records: int = LOG_RECORDS) -> None:
        self.id = secrets.token_hex(16)
        self.epoch = 1
        self.fatal = False
        self._log_records = log_records
        self._state = State()
        self._gate = Gate()
        self._writing = threading.Lock()
        self._closed = False

    @property
    def revision(self) -> int:
        return self._state.revision

    def transact(self, group: Sequence[Member], last: Last | None = None) -> list[int | Exception]:
        with self._writing:
            if self._closed:
                raise StoreClosed
            state = self._state.copy()
            results = [self._run(state, member) for member in group]
            if last is not None and state.revision > self._state.revision:
                try:
                    apply_private(state, last(results))
                except (StoreFull, StoreFailed) as error:
                    return [type(error)(str(error)) for _ in group]
            prune(state, state.revision - self._log_records)
            self._state = state
        return results

    def _run(self, state: State, member: Member) -> int | Exception:
        try:
            batch = member(MemoryReader(state))
            if batch is None:
                return state.revision
            check_batch(state, batch)
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

    def reindex(self, changes: Sequence[IndexPut | IndexDelete]) -> None:
        with self._writing:
            if self._closed:
                raise StoreClosed
            state = self._state.copy()
            check_index(state, changes)
            apply_index(state, changes)
            self._state = state

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

    def usage(self) -> Usage:
        with self._gate.reader():
            state = self._state
        octets = sum(map(len, state.objects.values())) + sum(map(len, state.log.values()))
        return Usage(octets, 0, 0, self.fatal)

    def close(self) -> None:
        with self._writing:
            self._gate.close()
            with self._gate.alone(READER_DRAIN_SECONDS):
                self._closed = True


__all__ = ["MemoryStore"]
