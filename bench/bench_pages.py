"""Pages of a sorted and searched collection, small enough to run with the suite."""

from collections.abc import Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from callscreen.core.store.lmdb import LmdbStore

from . import pages

SUBSCRIBERS = 200
PLACE = pages.FIRST * SUBSCRIBERS // pages.PROVIDERS


@pytest.fixture(scope="module")
def store() -> Iterator[LmdbStore]:
    with pages.filled(SUBSCRIBERS) as store:
        yield store


@pytest.mark.parametrize(("title", "parent", "query", "page"), pages.QUERIES)
def test_a_page(
    benchmark: BenchmarkFixture,
    store: LmdbStore,
    title: str,
    parent: str,
    query: dict[str, str],
    page: dict[str, int],
) -> None:
    benchmark.group = title
    found = benchmark(pages.once, store, SUBSCRIBERS, PLACE, parent, query, page)
    assert found.total > 0
