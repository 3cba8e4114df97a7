"""Call records: kept once, counted exactly, found by what their rows say."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.core.store import record_runs, record_writing
from callscreen.core.store.contract import StoreClosed, StoreFull
from callscreen.core.store.limits import KIB, MIB
from callscreen.core.store.lmdb_records import LmdbRecords
from callscreen.core.store.memory_records import MemoryRecords
from callscreen.core.store.records import Arrived, RecordStore, during, same
from callscreen.fastpath.rows_types import (
    CALLED,
    DIGEST,
    END,
    ID_BYTES,
    PROVIDER,
    ROW,
    START,
    TIME_BYTES,
    UNSET,
    Condition,
)

DAY = 86_400


def name(text: str) -> bytes:
    """Stands for the digest of a name."""
    return text.encode().ljust(DIGEST, b"\0")


def identifier(number: int) -> bytes:
    return number.to_bytes(ID_BYTES, "big")


def arrived(
    *numbers: int, product: str = "pcs", provider: str = "acme", called: str = "+1", at: int = 0
) -> Arrived:
    """Records with these numbers, which began at that second, or at their number's."""
    rows = values = b""
    for number in numbers:
        value = f"{number} of {provider}".encode()
        time = (at or number).to_bytes(TIME_BYTES - 4, "big") + bytes(4)
        where = len(values).to_bytes(4, "big") + len(value).to_bytes(4, "big")
        names = name(provider) + name(provider + "/al") + name(called) + name("+2")
        rows += identifier(number) + bytes(8) + where + time + UNSET + names
        values += value
    assert len(rows) == len(numbers) * ROW
    return Arrived(product, rows, values)


def numbers(store: RecordStore, *conditions: Condition, **options: Any) -> list[int]:
    found = store.page(options.pop("product", "pcs"), conditions, **options)
    return [int.from_bytes(each.id, "big") for each in found]


ACME, ZETA = (same(PROVIDER, name(each)) for each in ("acme", "zeta"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments, chunks and steps so small that a few records fill many."""
    monkeypatch.setattr(record_writing, "SEGMENT_ROWS", 7)
    for module in (record_runs, record_writing):
        monkeypatch.setattr(module, "CHUNK_ROWS", 3)
        monkeypatch.setattr(module, "CHUNK", 3 * ROW)
    monkeypatch.setattr(record_writing, "CHUNK_POSTINGS", 2)
    monkeypatch.setattr(record_runs, "FEW", 2)


@pytest.fixture(params=["small", "usual"])
def any_size(request: pytest.FixtureRequest) -> None:
    if request.param == "small":
        request.getfixturevalue("small")


@pytest.mark.usefixtures("any_size")
class TestBoth:
    """On either store, be segments small or not."""

    def test_a_record_is_found_by_its_identifier(self, records: RecordStore) -> None:
        assert records.append([arrived(1)]) == 1
        assert records.get("pcs", identifier(1)) == b"1 of acme"
        assert records.get("cin", identifier(1)) is None
        assert records.get("pcs", identifier(2)) is None

    def test_a_record_sent_twice_is_kept_once(self, records: RecordStore) -> None:
        assert records.append([arrived(1), arrived(1, 1, provider="zeta")]) == 1
        assert records.append([arrived(*range(20))]) == 19
        assert records.append([arrived(19, 20, 0, 7)]) == 1
        assert numbers(records) == list(range(20, -1, -1))
        assert records.get("pcs", identifier(1)) == b"1 of acme"
        assert records.count("pcs", [ZETA]) == 0
        assert records.count("pcs") == 21
        assert records.append([arrived(1, product="cin")]) == 1

    def test_pages_are_in_order_within_their_conditions(self, records: RecordStore) -> None:
        for number in range(10):
            records.append([arrived(number, provider=("zeta", "acme")[number % 2])])
        assert numbers(records, limit=3) == [9, 8, 7]
        assert numbers(records, ACME, start_after=identifier(7), limit=2) == [5, 3]
        assert numbers(records, ACME, start_after=identifier(6), limit=2) == [5, 3]
        assert numbers(records, ZETA, newest_first=False, start_after=identifier(2)) == [4, 6, 8]
        assert numbers(records, ZETA, newest_first=False, skip=1, limit=2) == [2, 4]
        assert numbers(records, skip=8) == [1, 0]
        assert numbers(records, skip=100) == []
        assert numbers(records, limit=0) == []
        assert numbers(records, ACME, ZETA) == []
        assert numbers(records, ACME, during(START, 3 * 10**9, 6 * 10**9)) == [5, 3]
        assert numbers(records, during(END, 0, 10**30)) == []
        assert records.count("pcs", [during(START, 3 * 10**9 + 1, 10**30)]) == 6
        assert records.count("cin") == 0

    def test_late_records_stand_in_their_place(self, records: RecordStore) -> None:
        for start in (30, 0, 20, 10, 5):
            records.append([arrived(*range(start, start + 9))])
        assert numbers(records) == sorted({*range(19), *range(20, 29), *range(30, 39)})[::-1]
        assert numbers(records, skip=12, limit=3) == [25, 24, 23]
        assert numbers(records, newest_first=False, start_after=identifier(16), limit=3) == [
            *(17, 18, 20)
        ]

    def test_each_append_of_a_group_has_a_result_of_its_own(self, records: RecordStore) -> None:
        group = [[arrived(1, 2)], [arrived(2, 3)], [], [arrived(4), arrived(4, product="cin")]]
        assert records.append_group(group) == [2, 1, 0, 2]

    def test_old_records_go_and_newer_ones_stay(
        self, clocked: Callable[[list[float]], RecordStore]
    ) -> None:
        now = [1000.0 * DAY]
        store = clocked(now)
        for day in range(6):
            now[0] = (1000.0 + day) * DAY
            store.append([arrived(*range(day * 10, day * 10 + 9))])
            store.append([arrived(day, product="cin")])
        now[0] += 30 * DAY
        while store.expire("pcs", 1003.5 * DAY):
            pass
        assert numbers(store) == [*range(58, 49, -1), *range(48, 39, -1)]
        assert store.get("pcs", identifier(3)) is None
        assert store.count("pcs", [ACME]) == 18
        assert store.count("cin") == 6
        while store.expire("pcs", now[0]):
            pass
        assert store.count("pcs") == 0
        assert store.append([arrived(1)]) == 1
        assert numbers(store) == [1]

    def test_closed_records_say_so(self, records: RecordStore) -> None:
        records.close()
        records.close()
        with pytest.raises(StoreClosed):
            records.append([arrived(1)])
        with pytest.raises(StoreClosed):
            records.get("pcs", identifier(1))


@pytest.fixture(params=["lmdb", "memory"])
def clocked(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[list[float]], RecordStore]]:
    made: list[RecordStore] = []

    def make(now: list[float]) -> RecordStore:
        made.append(
            MemoryRecords(lambda: now[0])
            if request.param == "memory"
            else LmdbRecords(tmp_path / "clocked", clock=lambda: now[0])
        )
        return made[0]

    yield make
    for store in made:
        store.close()


@pytest.mark.usefixtures("any_size")
def test_records_are_there_after_reopening(tmp_path: Path) -> None:
    for start in range(0, 60, 20):  # each time with rows of an open segment
        store = LmdbRecords(tmp_path)
        key = store.key
        assert store.append([arrived(*range(start, start + 15))]) == 15
        store.append([arrived(*range(start + 15, start + 20)), arrived(start, product="cin")])
        store.close()
    again = LmdbRecords(tmp_path)
    assert again.key == key
    assert numbers(again) == list(range(59, -1, -1))
    assert again.count("pcs", [ACME]) == 60
    assert numbers(again, product="cin") == [40, 20, 0]
    assert again.append([arrived(5, 45, 59)]) == 0
    again.close()


@pytest.mark.usefixtures("small")
def test_what_was_removed_takes_no_room(tmp_path: Path) -> None:
    now = [0.0]
    store = LmdbRecords(tmp_path, clock=lambda: now[0])
    for number in range(0, 100, 10):
        now[0] += DAY
        store.append([arrived(*range(number, number + 10))])
    while store.expire("pcs", now[0] + 1):
        pass
    with store._environment.read() as txn:
        left = {each.name: txn.stat(db)["entries"] for each, db in store._environment.dbs.items()}
    assert {table for table, entries in left.items() if entries} == {b"meta"}
    store.close()


@pytest.mark.usefixtures("small")
def test_a_removal_cut_short_goes_on_after_reopening(tmp_path: Path) -> None:
    now = [0.0]
    store = LmdbRecords(tmp_path, clock=lambda: now[0])
    store.append([arrived(*range(10))])
    now[0] += 2 * DAY
    store.append([arrived(*range(10, 15))])
    assert store.expire("pcs", 1.0 + DAY)  # out of every answer; its values are still there
    assert numbers(store) == [14, 13, 12, 11, 10]
    store.close()
    store = LmdbRecords(tmp_path, clock=lambda: now[0])
    assert store.expire("pcs", 1.0 + DAY)
    while store.expire("pcs", 1.0 + DAY):
        pass
    assert numbers(store) == [14, 13, 12, 11, 10]
    with store._environment.read() as txn:
        blocks = next(db for table, db in store._environment.dbs.items() if table.name == b"blocks")
        assert txn.stat(blocks)["entries"] == 1
    store.close()


def test_full_records_refuse_a_group_whole_and_go_on(tmp_path: Path) -> None:
    store = LmdbRecords(tmp_path, map_bytes=256 * KIB, map_limit_bytes=MIB)
    store.append([arrived(1)])
    big = arrived(3)._replace(values=b"x" * 2 * MIB)
    results = store.append_group([[arrived(2)], [big]])
    assert [type(result) for result in results] == [StoreFull, StoreFull]
    assert store.usage().refusing
    assert numbers(store) == [1]
    assert store.count("pcs") == 1
    assert store.append([arrived(2)]) == 1, "there is room for what is small"
    assert numbers(store) == [2, 1]
    assert not store.usage().refusing
    store.close()


def test_a_map_too_small_grows_under_the_records(tmp_path: Path) -> None:
    store = LmdbRecords(tmp_path, map_bytes=256 * KIB)
    for number in range(20):
        assert store.append([arrived(number)._replace(values=b"x" * 100_000)]) == 1
    assert store.count("pcs") == 20
    store.close()


def test_a_reader_s_answer_is_of_one_state(tmp_path: Path, small: None) -> None:
    store = LmdbRecords(tmp_path)
    store.append([arrived(*range(5))])
    with store._reading("pcs") as (txn, view):
        store.append([arrived(*range(5, 9))])  # seals
        store.append([arrived(9)])
        runs = store._runs(txn, "pcs", view)
        assert sum(run.tally([]) for run in runs) == 5
    assert store.count("pcs") == 10
    store.close()


@pytest.mark.usefixtures("small")
def test_readers_see_no_gap_while_records_come_and_go(tmp_path: Path) -> None:
    now = [0.0]
    store = LmdbRecords(tmp_path, map_bytes=256 * KIB, clock=lambda: now[0])
    done = threading.Event()
    faults: list[object] = []

    def watch() -> None:
        try:
            while not done.is_set():
                found = numbers(store)
                if found and found != list(range(found[0], found[0] - len(found), -1)):
                    faults.append(found)
                if store.count("pcs", [ZETA]):
                    faults.append("a record of nobody")
        except Exception as error:
            faults.append(error)

    def expire() -> None:
        try:
            while not done.is_set():
                store.expire("pcs", now[0] - 10)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for work in (watch, watch, expire)]
    for thread in threads:
        thread.start()
    for first in range(0, 450, 3):
        now[0] += 1
        assert store.append([arrived(*range(first, first + 3))]) == 3
    done.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert numbers(store, limit=3) == [449, 448, 447]
    while store.expire("pcs", now[0] - 10):
        pass
    assert 30 <= store.count("pcs") < 60
    store.close()


SPAN = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(
    lambda it: during(START, it[0] * 10**9, it[1] * 10**9)
)
WITHIN = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(
    lambda it: Condition(0, identifier(it[0]), identifier(it[1]))
)
ASKED = st.lists(
    st.sampled_from([ACME, ZETA, *(same(CALLED, name(each)) for each in ("+1", "+3", "+4"))])
    | SPAN
    | WITHIN,
    max_size=3,
)
APPENDED = st.lists(
    st.builds(
        arrived,
        st.integers(0, 30),
        st.integers(0, 30),
        product=st.sampled_from(["pcs", "pcs", "cin"]),
        provider=st.sampled_from(["acme", "zeta"]),
        called=st.sampled_from(["+1", "+3"]),
        at=st.integers(1, 12),
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(APPENDED, max_size=5),
    st.lists(
        st.tuples(
            ASKED,
            st.none() | st.integers(0, 30).map(identifier),
            st.integers(0, 8),
            st.integers(0, 40),
            st.booleans(),
        ),
        min_size=3,
        max_size=10,
    ),
)
def test_both_twins_answer_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    group: list[list[Arrived]],
    asked: list[tuple[Any, ...]],
) -> None:
    memory = MemoryRecords()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(record_writing, "SEGMENT_ROWS", 7)
        patched.setattr(record_runs, "FEW", 2)
        for module in (record_runs, record_writing):
            patched.setattr(module, "CHUNK_ROWS", 3)
            patched.setattr(module, "CHUNK", 3 * ROW)
        patched.setattr(record_writing, "CHUNK_POSTINGS", 2)
        disk = LmdbRecords(tmp_path_factory.mktemp("records"))
        try:
            assert memory.append_group(group) == disk.append_group(group)
            for conditions, start, skip, limit, newest in asked:
                assert memory.count("pcs", conditions) == disk.count("pcs", conditions)
                found = [
                    each.page("pcs", conditions, start, skip, limit, newest)
                    for each in (memory, disk)
                ]
                assert found[0] == found[1]
                for column in (START, END):
                    timed = [
                        each.page_by_time("pcs", conditions, column, newest, skip, limit)
                        for each in (memory, disk)
                    ]
                    assert timed[0] == timed[1]
        finally:
            disk.close()
