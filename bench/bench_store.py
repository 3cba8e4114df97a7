"""The store's benchmarks, small enough to run with the suite."""

from collections.abc import Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from callscreen.core.store.contract import Key
from callscreen.core.store.lmdb import LmdbStore

from .store import filled, grouped, opened, single

OBJECTS = 2_000


@pytest.fixture
def store() -> Iterator[LmdbStore]:
    with opened() as store:
        yield store


def test_one_fsync_a_write(benchmark: BenchmarkFixture, store: LmdbStore) -> None:
    assert benchmark(single, store, 50) > 0
    assert store.revision >= 50


def test_group_commit(benchmark: BenchmarkFixture, store: LmdbStore) -> None:
    assert benchmark(grouped, store, 1_000) > 0
    assert store.revision >= 1_000


def test_get(benchmark: BenchmarkFixture, store: LmdbStore) -> None:
    key: Key = filled(store, OBJECTS)[OBJECTS // 2]
    assert benchmark(store.get, key) is not None


def test_scan(benchmark: BenchmarkFixture, store: LmdbStore) -> None:
    filled(store, OBJECTS)
    assert len(benchmark(store.scan, "pcs", "number", ("acme",))) == OBJECTS


def test_count(benchmark: BenchmarkFixture, store: LmdbStore) -> None:
    filled(store, OBJECTS)

    def count() -> int:
        with store.read() as reader:
            return reader.count("pcs", "number", ("acme",))

    assert benchmark(count) == OBJECTS
