"""Whatever is done to both stores, they answer the same."""

import tempfile

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from callscreen.core.errors import CallscreenError
from callscreen.core.store.contract import (
    Batch,
    Conflict,
    Delete,
    IndexDelete,
    IndexPut,
    Key,
    PrivateDelete,
    PrivatePut,
    Put,
    Reader,
    Store,
)
from callscreen.core.store.lmdb import LmdbStore
from callscreen.core.store.memory import MemoryStore

LOG_RECORDS = 6
PART = st.sampled_from(["", "a", "ab", "b", "a\x00", "a\x01", "é"])
PATH = st.lists(PART, max_size=3).map(tuple)
KEY = st.builds(Key, st.sampled_from(["pcs", "cin"]), st.sampled_from(["n", "number"]), PATH)
OCTETS = st.sampled_from([b"", b"a", b"ab", b"b\x00"])
NAME = st.sampled_from([b"a", b"ab", b"b", b"\xff", b"k" * 512])
TABLE = st.sampled_from(["unique", "columns"])
BATCH = st.tuples(
    st.lists(st.builds(Put, KEY, OCTETS) | st.builds(Delete, KEY), max_size=4),
    st.lists(st.builds(PrivatePut, NAME, OCTETS) | st.builds(PrivateDelete, NAME), max_size=2),
    st.lists(
        st.builds(IndexPut, TABLE, NAME, OCTETS) | st.builds(IndexDelete, TABLE, NAME),
        max_size=3,
    ),
)
MEMBER = st.none() | st.just(Conflict("refused")) | BATCH


def outcome(result: object) -> object:
    return (type(result), str(result)) if isinstance(result, Exception) else result


def attempt(call: object, *arguments: object) -> object:
    try:
        return call(*arguments)
    except CallscreenError as error:
        return outcome(error)


def member(wanted: object, seen: list[object]) -> object:
    def run(reader: Reader) -> Batch | None:
        seen.append((reader.revision, list(reader.scan("pcs", "n")), reader.unique(b"a")))
        if wanted is None:
            return None
        if isinstance(wanted, Exception):
            raise wanted
        writes, private, index = wanted
        return Batch(writes, lambda revision: b"%d:%d" % (revision, len(writes)), private, index)

    return run


class Twins(RuleBasedStateMachine):
    @initialize()
    def make(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.stores: tuple[Store, Store] = (
            LmdbStore(self.folder.name, log_records=LOG_RECORDS),
            MemoryStore(log_records=LOG_RECORDS),
        )

    def both(self, call: object) -> None:
        one, other = (call(store) for store in self.stores)
        assert one == other

    @rule(group=st.lists(MEMBER, max_size=4))
    def transact(self, group: list[object]) -> None:
        def run(store: Store) -> object:
            seen: list[object] = []
            results = store.transact([member(wanted, seen) for wanted in group])
            return [outcome(result) for result in results], seen

        self.both(run)

    @rule(keep=st.integers(-1, 8))
    def compact(self, keep: int) -> None:
        self.both(lambda store: store.compact(keep))

    @rule(
        prefix=PATH,
        start=st.none() | PATH,
        limit=st.none() | st.integers(0, 3),
        reverse=st.booleans(),
    )
    def scan(self, prefix: object, start: object, limit: object, reverse: bool) -> None:
        self.both(lambda store: store.scan("pcs", "number", prefix, start, limit, reverse))

    @rule(prefix=PATH, start=st.none() | PATH, limit=st.integers(0, 3))
    def page(self, prefix: tuple[str, ...], start: tuple[str, ...] | None, limit: int) -> None:
        def run(store: Store) -> object:
            with store.read() as reader:
                return reader.page("pcs", "number", prefix, start, limit)

        self.both(run)

    @rule(prefix=PATH, octets=OCTETS)
    def read(self, prefix: tuple[str, ...], octets: bytes) -> None:
        def run(store: Store) -> object:
            with store.read() as reader:
                count = reader.count("cin", "n", prefix)
                got = attempt(reader.get, Key("cin", "n", prefix))
                return count, got, list(reader.scan_private(octets)), reader.revision

        self.both(run)

    @rule(
        table=TABLE,
        low=OCTETS,
        high=st.sampled_from([b"ab", b"b", b"\xff\xff"]),
        limit=st.none() | st.integers(0, 2),
        reverse=st.booleans(),
        start=st.none() | PART,
    )
    def indexes(self, table: str, low: bytes, high: bytes, start: object, **given: object) -> None:
        def run(store: Store) -> object:
            with store.read() as reader:
                entries = list(reader.scan_index(table, low, high, **given))
                return entries, list(reader.firsts("pcs", "n", start, given["limit"]))

        self.both(run)

    @rule(key=st.sampled_from([b"a", b"ab"]), put=st.booleans())
    def reindex(self, key: bytes, put: bool) -> None:
        mark = IndexPut("columns", key, b"x") if put else IndexDelete("columns", key)
        self.both(lambda store: store.reindex([mark]))

    @rule(after=st.integers(0, 12), limit=st.integers(0, 4))
    def tail(self, after: int, limit: int) -> None:
        self.both(lambda store: attempt(store.tail, after, limit))

    @rule()
    def snapshot(self) -> None:
        self.both(lambda store: list(store.snapshot(["pcs"], ["n"]).chunks))

    @rule()
    def reopen(self) -> None:
        lmdb, memory = self.stores
        name = lmdb.id
        lmdb.close()
        self.stores = (LmdbStore(self.folder.name, log_records=LOG_RECORDS), memory)
        assert self.stores[0].id == name

    @invariant()
    def same_place(self) -> None:
        self.both(lambda store: (store.revision, store.oldest(), store.epoch))

    def teardown(self) -> None:
        for store in getattr(self, "stores", ()):
            store.close()
        if hasattr(self, "folder"):
            self.folder.cleanup()


Twins.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestTwins = Twins.TestCase
