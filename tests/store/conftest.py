"""The two stores under one name: every test that takes `store` runs on both."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from callscreen.core.store.contract import Batch, Key, Put, Store
from callscreen.core.store.lmdb import LmdbStore
from callscreen.core.store.lmdb_records import LmdbRecords
from callscreen.core.store.memory import MemoryStore
from callscreen.core.store.memory_records import MemoryRecords
from callscreen.core.store.records import RecordStore


@pytest.fixture(params=["lmdb", "memory"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Store]]:
    made: list[Store] = []

    def make(**options: int) -> Store:
        if request.param == "memory":
            made.append(MemoryStore(**options))
        else:
            made.append(LmdbStore(tmp_path / f"objects{len(made)}", **options))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(make_store: Callable[..., Store]) -> Store:
    return make_store()


@pytest.fixture(params=["lmdb", "memory"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RecordStore]:
    made = MemoryRecords() if request.param == "memory" else LmdbRecords(tmp_path / "records")
    yield made
    made.close()


@pytest.fixture
def put() -> Callable[..., Batch]:
    """A batch that sets one number; its record is `<revision>:<path joined by />`."""

    def make(*path: str, value: bytes = b"v", product: str = "pcs", type: str = "number") -> Batch:
        record = "/".join(path)
        return Batch(
            [Put(Key(product, type, path), value)], lambda revision: f"{revision}:{record}".encode()
        )

    return make
