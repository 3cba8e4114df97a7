"""What the store on disk promises besides the contract: its folder, its growth, its failures."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from callscreen.core.store import lmdb_environment
from callscreen.core.store.contract import (
    Batch,
    Delete,
    FormatTooNew,
    Key,
    Put,
    Reader,
    Store,
    StoreFailed,
    StoreFull,
    StoreInUse,
)
from callscreen.core.store.limits import KIB, MIB
from callscreen.core.store.lmdb import LmdbStore
from callscreen.core.store.lmdb_environment import Environment
from callscreen.core.store.lmdb_reader import LmdbReader
from callscreen.core.store.lmdb_records import LmdbRecords
from callscreen.core.store.tables import (
    FORMAT,
    META,
    OBJECT_COUNTS,
    OBJECT_TABLES,
    encode_number,
)

Putter = Callable[..., Batch]


def test_what_was_committed_is_there_after_reopening(tmp_path: Path, put: Putter) -> None:
    store = LmdbStore(tmp_path)
    store.commit(put("a", value=b"one"))
    name = store.id
    store.close()
    again = LmdbStore(tmp_path)
    assert again.get(Key("pcs", "number", ("a",))) == b"one"
    assert (again.id, again.revision, again.tail(0)) == (name, 1, [(1, b"1:a")])
    again.close()


@pytest.mark.parametrize("kind", [LmdbStore, LmdbRecords])
def test_a_folder_has_one_opener(tmp_path: Path, kind: Callable[[Path], Store]) -> None:
    first = kind(tmp_path)
    with pytest.raises(StoreInUse, match="in use by another core"):
        kind(tmp_path)
    first.close()
    kind(tmp_path).close()


def test_another_process_is_refused_too(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path)
    code = "import sys; from callscreen.core.store.lmdb import LmdbStore; LmdbStore(sys.argv[1])"
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True)
    assert run.returncode == 1
    assert b"StoreInUse" in run.stderr
    store.close()


def test_nobody_else_may_look_into_the_folder(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path / "new" / "objects")
    assert (tmp_path / "new" / "objects").stat().st_mode & 0o777 == 0o700
    modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "new" / "objects").iterdir()}
    assert modes == {"data.mdb": 0o600, "lock.mdb": 0o600, "opener.lock": 0o600}
    store.close()


def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    LmdbStore(tmp_path).close()
    environment = Environment(tmp_path, OBJECT_TABLES)
    newer = encode_number(FORMAT + 1)
    environment.write(lambda txn: txn.put(b"format", newer, db=environment.dbs[META]))
    environment.close()
    for _ in range(2):  # and the folder is not held after the refusal
        with pytest.raises(FormatTooNew, match=f"has format {FORMAT + 1}; .* up to {FORMAT}"):
            LmdbStore(tmp_path)


def test_a_reader_too_many_is_refused_and_the_others_go_on(
    tmp_path: Path, put: Putter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lmdb_environment, "MAX_READERS", 1)
    store = LmdbStore(tmp_path)
    with store.read() as reader:
        with pytest.raises(StoreFailed):
            store.get(Key("pcs", "number", ("a",)))
        assert reader.revision == 0
    assert store.commit(put("a", value=b"one")) == 1
    assert store.get(Key("pcs", "number", ("a",))) == b"one"
    store.close()


def test_files_of_another_engine_or_of_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "data.mdb").write_bytes(b"something else" * 1000)
    (tmp_path / "later").mkdir()
    lmdb.open(str(tmp_path / "later"), lib_version=1).close()
    for name in ("none", "later"):
        with pytest.raises(StoreFailed, match="holds no data that this release can read"):
            LmdbStore(tmp_path / name)


def test_the_map_grows_by_itself_and_the_group_is_whole(tmp_path: Path, put: Putter) -> None:
    store = LmdbStore(tmp_path, map_bytes=256 * KIB)
    store.commit(put("small"))
    value = b"x" * (100 * KIB)
    results = store.transact([lambda reader, n=n: put(str(n), value=value) for n in range(100)])
    assert results == list(range(2, 102))
    assert [revision for revision, _ in store.tail(0)] == list(range(1, 102))
    assert len(store.scan("pcs", "number")) == 101
    store.close()
    again = LmdbStore(tmp_path, map_bytes=256 * KIB)  # less than what is there
    assert again.commit(put("more", value=value)) == 102
    again.close()


def test_growth_waits_for_readers_and_does_not_disturb_them(tmp_path: Path, put: Putter) -> None:
    store = LmdbStore(tmp_path, map_bytes=256 * KIB)
    store.commit(put("a", value=b"one"))
    with store.read() as reader:
        group = [lambda reader: put("b", value=b"x" * MIB)]
        writer = threading.Thread(target=store.transact, args=(group,))
        writer.start()
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline:
            assert reader.get(Key("pcs", "number", ("a",))) == b"one"
            assert store.get(Key("pcs", "number", ("a",))) == b"one"  # a second one, same thread
        assert writer.is_alive()
    writer.join()
    assert store.revision == 2
    store.close()


def test_a_full_store_refuses_all_of_a_group_and_goes_on(tmp_path: Path, put: Putter) -> None:
    store = LmdbStore(tmp_path, map_bytes=256 * KIB, map_limit_bytes=MIB)
    store.commit(put("a"))
    published: list[int] = []

    def big(reader: Reader) -> Batch:
        writes = [Put(Key("pcs", "number", ("big",)), b"x" * MIB)]
        return Batch(writes, lambda revision: published.append(revision) or b"")

    results = store.transact([lambda reader: put("b"), big, lambda reader: None])
    assert [type(result) for result in results] == [StoreFull] * 3
    assert results[0] is not results[1]
    assert "limit of 1048576 octets" in str(results[0])
    assert store.revision == 1
    assert [key.path for key, _ in store.scan("pcs", "number")] == [("a",)]
    assert store.commit(put("b")) == 2
    assert store.tail(0) == [(1, b"1:a"), (2, b"2:b")]
    store.close()


FAILING_DISK = """
import resource, sys
from callscreen.core.store.contract import Batch, Key, Put, StoreFailed, StoreFull
from callscreen.core.store.lmdb import LmdbStore

def batch(name, size):
    return Batch([Put(Key("pcs", "number", (name,)), b"x" * size)], lambda revision: b"")

store = LmdbStore(sys.argv[1])
store.commit(batch("before", 10))
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, most))
results = store.transact([lambda reader: batch("a", 10), lambda reader: batch("b", 4 << 20)])
assert all(isinstance(result, (StoreFailed, StoreFull)) for result in results), results
assert store.revision == 1 and store.tail(1) == []
assert [key.path for key, _ in store.scan("pcs", "number")] == [("before",)]
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
assert store.commit(batch("after", 4 << 20)) == 2
store.close()
store = LmdbStore(sys.argv[1])
assert store.revision == 2 and len(store.scan("pcs", "number")) == 2
"""


def test_a_failing_disk_refuses_writes_and_leaves_the_store_readable(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FAILING_DISK, str(tmp_path)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_compacting_gives_room_back_to_later_writes(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, map_bytes=4 * MIB, map_limit_bytes=4 * MIB)

    def batch() -> Batch:
        return Batch([], lambda revision: b"x" * (100 * KIB))

    for _ in range(200):  # five times the limit passes through
        store.commit(batch())
        store.compact(keep=5)
    assert (store.revision, store.oldest()) == (200, 196)
    store.close()


def test_a_reader_that_stays_is_seen_by_its_age(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path)
    assert store.oldest_reader_age() == 0.0
    with store.read():
        time.sleep(0.05)
        assert store.oldest_reader_age() >= 0.05
    assert store.oldest_reader_age() == 0.0
    store.close()


def test_a_folder_of_before_there_were_counts_is_counted_once(tmp_path: Path, put: Putter) -> None:
    store = LmdbStore(tmp_path)
    for path in (("a", "x"), ("a", "y"), ("b", "x"), ("c",)):
        store.commit(put(*path))
    store.close()
    environment = Environment(tmp_path, OBJECT_TABLES)
    counts = environment.dbs[OBJECT_COUNTS]
    environment.write(lambda txn: txn.drop(counts, delete=False))
    environment.close()
    for left in (2, 1):
        again = LmdbStore(tmp_path)
        with again.read() as reader:
            assert reader.count("pcs", "number", ("a",)) == left
            assert reader.count("pcs", "number") == left + 2
            assert reader.count("pcs", "number", ("c",)) == 1
        again.commit(Batch([Delete(Key("pcs", "number", ("a", "x")))], lambda revision: b""))
        again.close()


def test_counting_a_large_collection_is_one_look_up(tmp_path: Path, put: Putter) -> None:
    """A count that went through the objects would hold a read transaction for as long."""
    store = LmdbStore(tmp_path)
    store.transact([lambda reader, n=n: put("acme", str(n)) for n in range(50)])
    with store.read() as reader:
        assert isinstance(reader, LmdbReader)
        objects = next(table for table in reader._dbs if table.name == b"objects")
        reader._dbs = {table: db for table, db in reader._dbs.items() if table != objects}
        assert reader.count("pcs", "number") == reader.count("pcs", "number", ("acme",)) == 50
        assert reader.count("pcs", "number", ("other",)) == reader.count("cin", "number") == 0
    store.close()
