"""A store that takes no more writes says so once, not once a write."""

import logging

import pytest

from callscreen.core.store.contract import Batch, Key, Put, StoreFull
from callscreen.core.store.lmdb import LmdbStore

MIB = 1 << 20


@pytest.fixture
def store(tmp_path):
    made = LmdbStore(tmp_path / "objects", map_bytes=MIB, map_limit_bytes=MIB)
    yield made
    made.close()


def put(size, name="a"):
    return Batch([Put(Key("pcs", "number", (name,)), b"x" * size)], lambda revision: b"")


def refused_members(store):
    """A transaction that goes through and changes nothing."""

    def member(reader):
        raise LookupError

    assert isinstance(store.transact([member])[0], LookupError)


def errors(caplog):
    found = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]
    caplog.clear()
    return found


def test_only_the_first_refused_write_is_logged_until_one_succeeds(store, caplog):
    for _ in range(3):
        with pytest.raises(StoreFull):
            store.commit(put(4 * MIB))
        refused_members(store)
    assert errors(caplog) == [
        "objects takes no writes: The store has reached its limit of 1048576 octets."
    ]
    store.commit(put(10))
    for _ in range(2):
        with pytest.raises(StoreFull):
            store.commit(put(4 * MIB))
    assert len(errors(caplog)) == 1


def test_what_the_disk_said_is_in_the_log(store, caplog, monkeypatch):
    def write(work):
        raise StoreFull from OSError("No space left on device")

    monkeypatch.setattr(store._environment, "_write", write)
    for _ in range(2):
        with pytest.raises(StoreFull):
            store.commit(put(10))
    assert errors(caplog) == ["objects takes no writes: No space left on device"]
