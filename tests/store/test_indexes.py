"""Indexes, and the first parts of paths: the same in both stores."""

from collections.abc import Callable
from pathlib import Path

import pytest

from callscreen.core.store.contract import (
    COLUMNS,
    UNIQUE,
    Batch,
    Delete,
    IndexDelete,
    IndexPut,
    Key,
    KeyTooLong,
    Put,
    Store,
    StoreClosed,
)
from callscreen.core.store.lmdb import LmdbStore
from callscreen.core.store.lmdb_environment import Environment
from callscreen.core.store.tables import META, OBJECT_TABLES, encode_number

Putter = Callable[..., Batch]


def entries(store: Store, table: str = COLUMNS, **given: object) -> list[bytes]:
    with store.read() as reader:
        found = reader.scan_index(table, **{"low": b"", "high": b"\xff" * 8, **given})
        return [key for key, _ in found]


def marks(*keys: bytes, table: str = COLUMNS) -> Batch:
    puts = [IndexPut(table, key, b"v" + key) for key in keys]
    return Batch([], lambda revision: b"", (), puts)


def test_an_index_is_scanned_from_a_key_to_another_both_ways(store: Store) -> None:
    store.commit(marks(b"b", b"a", b"ab", b"c\xff", b"c"))
    store.commit(marks(b"a", table=UNIQUE))
    assert entries(store) == [b"a", b"ab", b"b", b"c", b"c\xff"]
    assert entries(store, UNIQUE) == [b"a"]
    assert entries(store, low=b"ab", high=b"c") == [b"ab", b"b"]
    assert entries(store, low=b"aa", high=b"c\xff", reverse=True) == [b"c", b"b", b"ab"]
    assert entries(store, low=b"aa", limit=2) == [b"ab", b"b"]
    assert entries(store, limit=2, reverse=True) == [b"c\xff", b"c"]
    assert entries(store, low=b"d") == []
    assert entries(store, high=b"a", reverse=True) == []
    with store.read() as reader:
        assert list(reader.scan_index(COLUMNS, b"b", b"c")) == [(b"b", b"vb")]


def test_the_last_of_a_batch_counts(store: Store) -> None:
    store.commit(marks(b"a", b"b"))
    changes = [
        IndexDelete(COLUMNS, b"a"),
        IndexPut(COLUMNS, b"a", b"2"),
        IndexPut(COLUMNS, b"c", b""),
        IndexDelete(COLUMNS, b"c"),
        IndexDelete(COLUMNS, b"b"),
        IndexDelete(COLUMNS, b"nothing"),
    ]
    store.commit(Batch([], lambda revision: b"", (), changes))
    with store.read() as reader:
        assert list(reader.scan_index(COLUMNS, b"", b"z")) == [(b"a", b"2")]


def test_entries_are_made_anew_without_a_revision(store: Store) -> None:
    store.commit(marks(b"a"))
    store.reindex([IndexDelete(COLUMNS, b"a"), IndexPut(COLUMNS, b"b", b"")])
    assert entries(store) == [b"b"]
    assert (store.revision, len(store.tail(0))) == (1, 1)


@pytest.mark.parametrize("key", [b"", b"k" * 512])
def test_an_entry_that_no_key_can_be_is_refused(store: Store, key: bytes) -> None:
    for write in (lambda: store.commit(marks(b"a", key)), lambda: store.reindex(marks(key).index)):
        with pytest.raises(KeyTooLong):
            write()
    assert entries(store) == []


def test_an_unknown_index_is_refused(store: Store) -> None:
    for change in (IndexPut("nothing", b"a", b""), IndexDelete("nothing", b"a")):
        with pytest.raises(ValueError, match="no index table"):
            store.reindex([change])
    with pytest.raises(ValueError, match="no index table"):
        entries(store, "nothing")


def test_a_closed_store_makes_no_entries(store: Store) -> None:
    store.close()
    with pytest.raises(StoreClosed):
        store.reindex([IndexPut(COLUMNS, b"a", b"")])


def test_the_first_parts_of_paths_are_told_with_what_lies_below(store: Store, put: Putter) -> None:
    for path in [("b", "1"), ("a", "1"), ("a", "2"), ("a\x00",), ("ab", "1", "x"), ("",)]:
        store.commit(put(*path))
    store.commit(put("c", type="numbers"))
    store.commit(put("d", product="cin"))

    def firsts(*given: object) -> list[tuple[str, int]]:
        with store.read() as reader:
            return list(reader.firsts("pcs", "number", *given))

    assert firsts() == [("", 1), ("a", 2), ("a\x00", 1), ("ab", 1), ("b", 1)]
    assert firsts("a") == [("a\x00", 1), ("ab", 1), ("b", 1)]
    assert firsts("aa", 1) == [("ab", 1)]
    assert firsts("b") == []
    store.commit(Batch([Delete(Key("pcs", "number", ("b", "1")))], lambda revision: b"", (), ()))
    assert [first for first, _ in firsts()] == ["", "a", "a\x00", "ab"]


def test_entries_of_a_release_that_kept_none_are_dropped(tmp_path: Path, put: Putter) -> None:
    store = LmdbStore(tmp_path)
    store.commit(marks(b"declared", b"a"))
    store.close()
    again = LmdbStore(tmp_path)
    assert entries(again) == [b"a", b"declared"]
    again.close()
    # what a release does that knows of no such index: it writes, and tells nothing of it
    environment = Environment(tmp_path, OBJECT_TABLES)
    environment.write(lambda txn: txn.put(b"revision", encode_number(2), db=environment.dbs[META]))
    environment.close()
    for _ in range(2):
        later = LmdbStore(tmp_path)
        assert entries(later) == []
        later.reindex([IndexPut(COLUMNS, b"b", b"")])
        later.close()
        again = LmdbStore(tmp_path)
        assert entries(again) == [b"b"]
        again.reindex([IndexDelete(COLUMNS, b"b")])
        again.close()


def test_objects_and_entries_are_of_one_batch(store: Store) -> None:
    key = Key("pcs", "number", ("a",))
    wrong = Batch([Put(key, b"")], lambda revision: b"", (), [IndexPut(COLUMNS, b"k" * 600, b"")])
    with pytest.raises(KeyTooLong):
        store.commit(wrong)
    assert store.get(key) is None
