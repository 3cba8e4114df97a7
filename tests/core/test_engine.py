"""The core's own index follows every change, or is made anew; edges are told all the same."""

from contextlib import AsyncExitStack

import pytest

from callscreen.core.engine import Engine
from callscreen.core.store.contract import Batch, Key, Put
from callscreen.core.store.memory import MemoryStore
from callscreen.core.store.memory_records import MemoryRecords
from callscreen.core.wiring import CoreConfig, wire
from callscreen.v1.object_pb2 import Change, Object

from .conftest import CHEAP, obj


def provider(store, name):
    """Commits a provider past every feed: its change, as it would be published."""
    held = obj("service_provider", name=name)
    held.name = f"pcs/service_provider/{name}"

    def change(revision):
        made = Change(revision=revision)
        made.mutations.add(name=held.name).put.CopyFrom(held)
        return made.SerializeToString()

    key = Key("pcs", "service_provider", (name,))
    revision = store.commit(Batch([Put(key, held.SerializeToString())], change))
    return store.tail(revision - 1)


def builds(engine, monkeypatch):
    """Counts how often the index is built anew."""
    seen, build = [], engine._build

    def counted():
        seen.append(engine.revision)
        return build()

    monkeypatch.setattr(engine, "_build", counted)
    return seen


def test_changes_in_order_are_applied_and_known_ones_passed_over(monkeypatch):
    store = MemoryStore()
    engine = Engine(store)
    built = builds(engine, monkeypatch)
    first, second = provider(store, "a"), provider(store, "b")
    engine.publish(first)
    engine.publish(first + second)
    assert (engine.revision, built) == (2, [])


def test_a_change_over_a_gap_is_not_applied_the_index_is_built_anew(monkeypatch):
    store = MemoryStore()
    engine = Engine(store)
    built = builds(engine, monkeypatch)
    provider(store, "missed")
    engine.publish(provider(store, "b"))
    assert (engine.revision, built) == (2, [0])


def test_while_building_fails_the_old_index_answers_and_each_change_tries_again(monkeypatch):
    store = MemoryStore()
    engine = Engine(store)
    build = engine._build

    def fail():
        raise OSError("no disk")

    monkeypatch.setattr(engine, "_build", fail)
    for _ in range(2):
        with pytest.raises(OSError, match="no disk"):
            engine.publish([(provider(store, "x")[0][0], b"\xff no change")])
        assert engine.revision == 0
        assert engine.screen(1, "+1585", "+1", False, "").reason == "not_provisioned"
    monkeypatch.setattr(engine, "_build", build)
    engine.publish(provider(store, "y"))
    assert engine.revision == store.revision == 3


async def test_a_change_that_the_core_s_own_index_fails_on_still_goes_to_the_edges(
    tmp_path, monkeypatch, caplog
):
    def fail(changes):
        raise OSError("no index")

    async with AsyncExitStack() as stack:
        config = CoreConfig(tmp_path, service_token="service", hasher=CHEAP)
        core = wire(config, MemoryStore(), MemoryRecords(), stack)
        monkeypatch.setattr(core.engine, "publish", fail)
        value = Object(name="x").SerializeToString()
        batch = Batch([Put(Key("pcs", "audio", ("x",)), value)], lambda revision: b"change")
        assert await core.committer.submit(lambda reader: batch) == 1
        assert core.feed.revision == 1
    assert "publishing revisions up to 1 failed" in caplog.text
