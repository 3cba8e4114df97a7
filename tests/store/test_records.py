"""Call records: kept once, counted exactly, found by product, provider and subscriber."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.core.store.contract import KeyTooLong, StoreClosed, StoreFull
from callscreen.core.store.limits import KIB, MIB
from callscreen.core.store.lmdb_records import LmdbRecords
from callscreen.core.store.memory_records import MemoryRecords
from callscreen.core.store.records import Record, RecordStore


def record(cdr_id: str, provider: str = "acme", subscriber: str = "alice") -> Record:
    return Record("pcs", cdr_id, provider, subscriber, f"{cdr_id} of {subscriber}".encode())


def test_a_record_is_found_by_its_id(records: RecordStore) -> None:
    assert records.append([record("1")]) == 1
    assert records.get("pcs", "1") == b"1 of alice"
    assert records.get("cin", "1") is None
    assert records.get("pcs", "2") is None


def test_a_record_sent_twice_is_kept_once(records: RecordStore) -> None:
    assert records.append([record("1"), record("1", subscriber="bob")]) == 1
    assert records.append([record("1"), record("2")]) == 1
    assert records.scan("pcs") == [("2", b"2 of alice"), ("1", b"1 of alice")]
    assert records.count("pcs", "acme", "bob") == 0
    assert records.count("pcs") == 2
    assert records.append([Record("cin", "1", "acme", "alice", b"")]) == 1


def test_pages_are_newest_first_within_their_scope(records: RecordStore) -> None:
    records.append([record(f"{n:02}", subscriber="ab"[n % 2]) for n in range(10)])
    records.append([record("99", provider="zeta"), record("98", "", "")])

    def ids(*scope: str, **options: object) -> str:
        return " ".join(cdr_id for cdr_id, _ in records.scan("pcs", *scope, **options))

    assert ids(limit=3) == "99 98 09"
    assert ids("acme", limit=2) == "09 08"
    assert ids("acme", start_after="08", limit=2) == "07 06"
    assert ids("acme", "a") == "08 06 04 02 00"
    assert ids("acme", "b", newest_first=False, limit=2) == "01 03"
    assert ids("acme", "b", newest_first=False, start_after="03", skip=1) == "07 09"
    assert ids("acme", skip=8) == "01 00"
    assert ids("acme", skip=100) == ""
    assert ids("acme", limit=0) == ""
    assert ids("", "") == "98"
    assert ids("ac") == ""
    assert records.count("pcs") == 12
    assert records.count("pcs", "acme") == 10
    assert records.count("pcs", "acme", "a") == 5
    assert records.count("cin") == 0


def test_a_subscriber_is_looked_up_with_its_provider_only(records: RecordStore) -> None:
    with pytest.raises(ValueError, match="together with its provider"):
        records.count("pcs", None, "alice")


def test_each_append_of_a_group_has_a_result_of_its_own(records: RecordStore) -> None:
    results = records.append_group(
        [[record("1"), record("2")], [record("3"), record("x" * 600)], [record("2"), record("4")]]
    )
    assert (results[0], results[2]) == (2, 1)
    assert isinstance(results[1], KeyTooLong)
    assert records.get("pcs", "3") is None
    assert records.count("pcs", "acme", "alice") == 3
    with pytest.raises(KeyTooLong):
        records.append([record("x" * 600)])


def test_closed_records_say_so(records: RecordStore) -> None:
    records.close()
    records.close()
    with pytest.raises(StoreClosed):
        records.append([record("1")])
    with pytest.raises(StoreClosed):
        records.get("pcs", "1")


def test_records_are_there_after_reopening(tmp_path: Path) -> None:
    store = LmdbRecords(tmp_path)
    store.append([record(str(n)) for n in range(100)])
    store.close()
    again = LmdbRecords(tmp_path)
    assert again.count("pcs", "acme") == len(again.scan("pcs", "acme")) == 100
    assert again.append([record("5")]) == 0
    again.close()


def test_full_records_refuse_a_group_whole_and_go_on_reading(tmp_path: Path) -> None:
    store = LmdbRecords(tmp_path, map_bytes=256 * KIB, map_limit_bytes=MIB)
    store.append([record("1")])
    big = Record("pcs", "3", "acme", "alice", b"x" * MIB)
    results = store.append_group([[record("2")], [big]])
    assert [type(result) for result in results] == [StoreFull, StoreFull]
    assert store.scan("pcs") == [("1", b"1 of alice")]
    assert store.count("pcs") == 1
    store.close()


TEXT = st.sampled_from(["", "a", "a\x00", "ab", "b"])
RECORD = st.builds(Record, st.sampled_from(["pcs", "cin"]), TEXT, TEXT, TEXT, TEXT.map(str.encode))
SCOPE = st.tuples(TEXT, TEXT) | st.tuples(TEXT) | st.just(())


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(RECORD, max_size=5), max_size=4),
    st.lists(
        st.tuples(SCOPE, st.none() | TEXT, st.integers(0, 3), st.integers(0, 5), st.booleans()),
        min_size=3,
        max_size=10,
    ),
)
def test_both_twins_answer_the_same(
    tmp_path_factory: pytest.TempPathFactory, group: list[list[Record]], asked: list[tuple]
) -> None:
    memory, disk = MemoryRecords(), LmdbRecords(tmp_path_factory.mktemp("records"))
    try:
        assert memory.append_group(group) == disk.append_group(group)
        for scope, start, skip, limit, newest in asked:
            assert memory.count("pcs", *scope) == disk.count("pcs", *scope)
            options = {
                "start_after": start,
                "skip": skip,
                "limit": limit,
                "newest_first": newest,
            }
            assert memory.scan("pcs", *scope, **options) == disk.scan("pcs", *scope, **options)
    finally:
        disk.close()
