"""A store that takes no more writes says so once, not once a write."""

import errno
import logging
from contextlib import AsyncExitStack

import lmdb
import pytest

from callscreen.core.access import service
from callscreen.core.server import first_start
from callscreen.core.store.contract import Batch, Key, Put, StoreFailed, StoreFull
from callscreen.core.store.lmdb import LmdbStore
from callscreen.core.store.memory_records import MemoryRecords
from callscreen.core.wiring import CoreConfig, wire

from .conftest import CHEAP, PASSWORD, Desk

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


async def test_a_core_whose_store_is_full_reads_on_and_has_no_row_too_many(tmp_path, clock):
    async with AsyncExitStack() as stack:
        desk = await opened(tmp_path, clock, stack, 2 * MIB)
        place = await fill(desk)
        assert place > 10
        names = desk.names("pcs/service_provider")
        assert len(names) == place
        assert desk.get(names[-1]).service_provider.name == f"p{place - 1:03}"
    rows = [path.read_text() for path in (tmp_path / "audit/pcs").iterdir()]
    assert "".join(rows).count(",service_provider,") == place
    async with AsyncExitStack() as stack:  # with room again it goes on
        desk = await opened(tmp_path, clock, stack, 8 * MIB)
        await desk.create("pcs/service_provider", name="last", notes="x" * 900)
        assert len(desk.names("pcs/service_provider")) == place + 1


async def fill(desk):
    """How many providers fitted."""
    for place in range(1000):
        try:
            await desk.create("pcs/service_provider", name=f"p{place:03}", notes="x" * 900)
        except StoreFull:
            return place
    raise AssertionError("the store did not become full")


async def opened(folder, clock, stack, limit):
    """The desk of an internal service, at a core whose store has this limit."""
    store = LmdbStore(folder / "objects", map_bytes=MIB, map_limit_bytes=limit)
    stack.callback(store.close)
    core = wire(CoreConfig(folder, clock=clock, hasher=CHEAP), store, MemoryRecords(), stack)
    await first_start(core, PASSWORD)
    return Desk(core, service())


def test_a_write_cut_short_is_a_full_disk_only_where_there_is_no_room(store, monkeypatch):
    cut = lmdb.DiskError("short")
    cut.code = errno.EIO
    for room, error in ((0, StoreFull), (1 << 40, StoreFailed)):
        monkeypatch.setattr(store._environment, "_room", lambda room=room: room)
        with pytest.raises(error):
            store._environment._fail(cut)
