"""What is written with a whole group, as its last word: private entries, or its refusal."""

import pytest

from callscreen.core.store.contract import (
    Batch,
    Conflict,
    Key,
    PrivateDelete,
    PrivatePut,
    Put,
    StoreFailed,
    StoreFull,
)
from callscreen.core.store.lmdb import LmdbStore

KEY = b"audit\0a"


def refused(reader):
    raise Conflict


def private(store):
    with store.read() as reader:
        return reader.private(KEY)


def test_it_sees_every_result_and_its_entries_are_in_force(store, put):
    seen = []

    def last(results):
        seen.append(list(results))
        return [PrivatePut(KEY, b"1")]

    results = store.transact([lambda reader: put("a"), refused, lambda reader: None], last)
    (told,) = seen
    assert results[0] == told[0] == results[2] == told[2] == 1
    assert isinstance(told[1], Conflict)
    assert private(store) == b"1"
    store.transact([lambda reader: put("b")], lambda results: [PrivateDelete(KEY)])
    assert private(store) is None


def test_it_is_not_asked_where_nothing_was_written(store):
    def last(results):
        raise AssertionError

    assert store.transact([lambda reader: None], last) == [0]
    assert isinstance(store.transact([refused], last)[0], Conflict)


@pytest.mark.parametrize("error", [StoreFull, StoreFailed])
def test_its_refusal_is_that_of_the_whole_group(store, put, error):
    def last(results):
        raise error("no room for it")

    results = store.transact([lambda reader: put("a"), refused], last)
    assert [(type(each), str(each)) for each in results] == [(error, "no room for it")] * 2
    assert store.revision == 0
    assert store.get(Key("pcs", "number", ("a",))) is None
    assert store.transact([lambda reader: put("a")], lambda results: []) == [1]


def test_it_is_asked_again_when_the_map_grows(tmp_path):
    store = LmdbStore(tmp_path, map_bytes=1 << 18)
    seen = []
    large = Batch([Put(Key("pcs", "number", ("a",)), b"x" * 100_000)], lambda revision: b"r")

    def last(results):
        seen.append(list(results))
        return [PrivatePut(b"audit\0" + bytes([len(seen)]), b"y" * 200_000)]

    assert store.transact([lambda reader: large], last) == [1]
    assert seen == [[1]] * len(seen)
    assert len(seen) > 1
    with store.read() as reader:
        assert [key[-1] for key, _ in reader.scan_private(b"audit\0")] == [len(seen)]
    store.close()
