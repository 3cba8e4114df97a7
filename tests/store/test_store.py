"""What every store promises: one suite, run on LMDB and on the twin in memory."""

import threading
from collections.abc import Callable

import pytest

from callscreen.core.store.contract import (
    Batch,
    Compacted,
    Conflict,
    Delete,
    IndexDelete,
    IndexPut,
    Key,
    KeyTooLong,
    PrivateDelete,
    PrivatePut,
    Put,
    Reader,
    Store,
    StoreClosed,
)

Putter = Callable[..., Batch]


def paths(store: Store, *prefix: str, **options: object) -> list[tuple[str, ...]]:
    return [key.path for key, _ in store.scan("pcs", "number", prefix, **options)]


def test_a_new_store_is_empty_and_has_a_random_name(make_store: Callable[..., Store]) -> None:
    one, other = make_store(), make_store()
    assert (one.revision, one.epoch, one.oldest()) == (0, 1, 1)
    assert one.tail(0) == []
    assert len(one.id) == 32
    assert one.id != other.id


def test_a_batch_is_read_back_with_its_record_and_revision(store: Store, put: Putter) -> None:
    assert store.commit(put("acme", "alice", value=b"one")) == 1
    assert store.get(Key("pcs", "number", ("acme", "alice"))) == b"one"
    assert store.get(Key("cin", "number", ("acme", "alice"))) is None
    assert store.tail(0) == [(1, b"1:acme/alice")]
    assert store.revision == 1


def test_an_object_is_replaced_and_removed(store: Store, put: Putter) -> None:
    key = Key("pcs", "number", ("a",))
    store.commit(put("a", value=b"one"))
    store.commit(put("a", value=b"two"))
    assert store.get(key) == b"two"
    assert store.commit(Batch([Delete(key), Delete(key)], lambda revision: b"gone")) == 3
    assert store.get(key) is None
    assert paths(store) == []


def test_the_writes_of_a_batch_apply_in_order(store: Store) -> None:
    key = Key("pcs", "number", ("a",))
    store.commit(Batch([Put(key, b"one"), Delete(key), Put(key, b"two")], lambda revision: b""))
    assert store.get(key) == b"two"
    assert paths(store) == [("a",)]


def test_a_function_sees_the_writes_of_those_before_it(store: Store, put: Putter) -> None:
    seen: list[tuple[int, bytes | None, int]] = []

    def look(reader: Reader) -> None:
        key = Key("pcs", "number", ("a",))
        seen.append((reader.revision, reader.get(key), reader.count("pcs", "number")))

    results = store.transact(
        [look, lambda reader: put("a", value=b"1"), look, lambda reader: put("b"), look]
    )
    assert results == [0, 1, 1, 2, 2]
    assert seen == [(0, None, 0), (1, b"1", 1), (2, b"1", 2)]


def test_a_function_that_raises_leaves_no_trace_and_the_rest_goes_on(
    store: Store, put: Putter
) -> None:
    def refuse(reader: Reader) -> Batch:
        raise Conflict

    def broken_record(revision: int) -> bytes:
        raise LookupError(revision)

    def broken_change(reader: Reader) -> Batch:
        private = [PrivatePut(b"token", b"1")]
        return Batch([Put(Key("pcs", "number", ("half",)), b"")], broken_record, private)

    results = store.transact(
        [lambda reader: put("a"), refuse, broken_change, lambda reader: put("b")]
    )
    assert isinstance(results[1], Conflict)
    assert isinstance(results[2], LookupError)
    assert (results[0], results[3]) == (1, 2)
    assert paths(store) == [("a",), ("b",)]
    with store.read() as reader:
        assert reader.private(b"token") is None
    assert [revision for revision, _ in store.tail(0)] == [1, 2]


def test_what_cannot_be_written_leaves_no_trace(store: Store, put: Putter) -> None:
    long = Key("pcs", "number", ("x" * 600,))
    fine = Put(Key("pcs", "number", ("fine",)), b"")

    def record(revision: int) -> bytes:
        return b""

    results = store.transact(
        [
            lambda reader: Batch([fine, Put(long, b"")], record),
            lambda reader: Batch([fine], record, [PrivatePut(b"k" * 600, b"")]),
            lambda reader: Batch([fine], record, [], [IndexPut("unique", b"", b"")]),
            lambda reader: Batch([fine], record, [], [IndexPut("other", b"k", b"")]),
            lambda reader: put("a"),
        ]
    )
    assert [type(result) for result in results[:3]] == [KeyTooLong] * 3
    assert isinstance(results[3], ValueError)
    assert results[4] == 1
    assert paths(store) == [("a",)]
    with pytest.raises(KeyTooLong):
        store.get(long)


def test_revisions_have_no_gap_whatever_fails_between(store: Store, put: Putter) -> None:
    def refuse(reader: Reader) -> Batch:
        raise Conflict

    for number in range(20):
        store.transact([refuse, lambda reader, n=number: put(str(n)), refuse])
    assert [revision for revision, _ in store.tail(0)] == list(range(1, 21))
    assert store.revision == 20


def test_commit_holds_the_expected_revision(store: Store, put: Putter) -> None:
    assert store.commit(put("a"), expected_revision=0) == 1
    with pytest.raises(Conflict):
        store.commit(put("b"), expected_revision=0)
    assert store.commit(put("b"), expected_revision=1) == 2


def test_private_entries_and_unique_values_change_with_the_batch(store: Store) -> None:
    def record(revision: int) -> bytes:
        return b""

    private = [PrivatePut(b"token/1", b"a"), PrivatePut(b"token/2", b"b"), PrivatePut(b"pw", b"c")]
    store.commit(Batch([], record, private, [IndexPut("unique", b"+1555", b"alice")]))
    with store.read() as reader:
        assert reader.private(b"token/1") == b"a"
        assert list(reader.scan_private(b"token/")) == [(b"token/1", b"a"), (b"token/2", b"b")]
        assert len(list(reader.scan_private())) == 3
        assert reader.unique(b"+1555") == b"alice"
    store.commit(Batch([], record, [PrivateDelete(b"token/1")], [IndexDelete("unique", b"+1555")]))
    with store.read() as reader:
        assert list(reader.scan_private(b"token/")) == [(b"token/2", b"b")]
        assert reader.unique(b"+1555") is None


def test_a_unique_value_is_refused_to_the_second_of_one_group(store: Store) -> None:
    def claim(owner: str) -> Callable[[Reader], Batch]:
        def member(reader: Reader) -> Batch:
            if reader.unique(b"+1555") is not None:
                raise Conflict
            mark = IndexPut("unique", b"+1555", owner.encode())
            return Batch([Put(Key("pcs", "number", (owner,)), b"")], lambda r: b"", [], [mark])

        return member

    first, second = store.transact([claim("alice"), claim("bob")])
    assert first == 1
    assert isinstance(second, Conflict)
    assert paths(store) == [("alice",)]


def test_a_scan_takes_exactly_the_paths_that_begin_with_the_parts(
    store: Store, put: Putter
) -> None:
    for path in [("a",), ("a", ""), ("a", "1"), ("a", "2"), ("a\x00", "1"), ("ab", "1"), ("b",)]:
        store.commit(put(*path))
    store.commit(put("a", "1", type="numbers"))
    assert paths(store, "a") == [("a",), ("a", ""), ("a", "1"), ("a", "2")]
    assert paths(store, "a", "1") == [("a", "1")]
    assert paths(store, "a\x00") == [("a\x00", "1")]
    assert paths(store, "none") == []
    assert paths(store, "x" * 700) == []
    with store.read() as reader:
        assert reader.count("pcs", "number", ("a",)) == 4
        assert reader.count("pcs", "number") == 7
        assert reader.count("pcs", "nothing") == 0


def test_a_scan_goes_both_ways_from_a_place_and_stops_at_its_limit(
    store: Store, put: Putter
) -> None:
    for name in "abcde":
        store.commit(put("acme", name))
    for outside in ("ab", "zeta"):
        store.commit(put(outside, "z"))

    def found(**options: object) -> str:
        return "".join(path[1] for path in paths(store, "acme", **options))

    assert found() == "abcde"
    assert found(limit=2) == "ab"
    assert found(limit=0) == ""
    assert found(start_after=("acme", "b")) == "cde"
    assert found(start_after=("acme", "bb"), limit=1) == "c"
    assert found(reverse=True) == "edcba"
    assert found(reverse=True, start_after=("acme", "c")) == "ba"
    assert found(reverse=True, start_after=("acme", "cc"), limit=2) == "cb"
    assert found(start_after=("zz",)) == ""
    assert found(reverse=True, start_after=("zz",)) == "edcba"
    assert found(start_after=("a",)) == "abcde"


def test_a_reader_keeps_its_revision_while_others_write(store: Store, put: Putter) -> None:
    store.commit(put("a"))
    with store.read() as reader:
        writer = threading.Thread(target=store.commit, args=(put("b"),))
        writer.start()
        writer.join()
        assert reader.revision == 1
        assert [key.path for key, _ in reader.scan("pcs", "number")] == [("a",)]
        assert store.oldest_reader_age() > 0
    assert store.revision == 2
    assert store.oldest_reader_age() == 0


def test_the_tail_is_read_in_steps(store: Store, put: Putter) -> None:
    for number in range(10):
        store.commit(put(str(number)))
    assert [revision for revision, _ in store.tail(0, limit=4)] == [1, 2, 3, 4]
    assert [revision for revision, _ in store.tail(8, limit=4)] == [9, 10]
    assert store.tail(10) == []
    assert store.tail(3, limit=0) == []


def test_a_step_of_the_tail_has_a_limit_in_octets(store: Store) -> None:
    for _ in range(4):
        store.commit(Batch([], lambda revision: b"x" * (3 << 20)))
    assert [revision for revision, _ in store.tail(0)] == [1, 2]


def test_a_compacted_log_says_so(store: Store, put: Putter) -> None:
    for number in range(10):
        store.commit(put(str(number)))
    store.compact(keep=3)
    assert store.oldest() == 8
    assert [revision for revision, _ in store.tail(7)] == [8, 9, 10]
    with pytest.raises(Compacted):
        store.tail(6)
    with pytest.raises(Compacted):
        store.tail(11)
    store.compact(keep=0)
    assert store.oldest() == 11
    assert store.tail(10) == []
    with pytest.raises(Compacted):
        store.tail(9)
    assert store.commit(put("next")) == 11
    assert store.oldest() == 11


def test_the_log_keeps_its_length_by_itself(make_store: Callable[..., Store], put: Putter) -> None:
    store = make_store(log_records=5)
    for number in range(12):
        store.commit(put(str(number)))
    assert store.oldest() == 8
    assert len(store.tail(7)) == 5
    store.transact([lambda reader, n=n: put(str(n)) for n in range(20)])
    assert (store.oldest(), store.revision) == (28, 32)


def test_a_snapshot_holds_what_was_asked_for(store: Store, put: Putter) -> None:
    store.transact([lambda reader, n=n: put(f"{n:05}") for n in range(2500)])
    store.commit(put("x", product="cin"))
    store.commit(put("y", type="subscriber"))
    store.commit(put("z", type="audio"))
    revision, chunks = store.snapshot(["pcs", "cin"], ["number", "subscriber"])
    sizes = [len(chunk) for chunk in chunks]
    assert (revision, sum(sizes), max(sizes)) == (2503, 2502, 1000)


def test_a_snapshot_and_the_log_converge_under_writes(store: Store, put: Putter) -> None:
    """What a follower does: load the chunks, then apply the log from the revision at the start."""
    numbers = [f"{number:04}" for number in range(3000)]
    store.transact([lambda reader, n=n: put(n, value=b"0") for n in numbers])

    def write() -> None:
        for turn in range(1, 60):
            group = []
            for number in numbers[turn % 7 :: 97]:
                key, value = Key("pcs", "number", (number,)), str(turn).encode()
                write = Delete(key) if turn % 3 == 0 else Put(key, value)
                record = number.encode() + (b"" if turn % 3 == 0 else b"=" + value)
                group.append(lambda reader, w=write, c=record: Batch([w], lambda revision: c))
            store.transact(group)

    writer = threading.Thread(target=write)
    revision, chunks = store.snapshot(["pcs"], ["number"])
    writer.start()
    copy = {key.path[0]: value for chunk in chunks for key, value in chunk}
    writer.join()
    applied = revision
    while tail := store.tail(applied):
        for _, record in tail:
            number, _, value = record.decode().partition("=")
            copy.pop(number, None)
            if value:
                copy[number] = value.encode()
        applied = tail[-1][0]
    assert copy == {key.path[0]: value for key, value in store.scan("pcs", "number")}
    assert applied == store.revision


def test_the_revision_is_never_behind_what_a_reader_saw(store: Store, put: Putter) -> None:
    """Else a snapshot would be called whole at a revision that its last chunk has passed."""
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            store.commit(put("a"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(500):
            with store.read() as reader:
                seen = reader.revision
            assert store.revision >= seen
    finally:
        stop.set()
        writer.join()


def test_a_closed_store_says_so(store: Store, put: Putter) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreClosed):
        store.commit(put("a"))
    with pytest.raises(StoreClosed):
        store.get(Key("pcs", "number", ("a",)))
    with pytest.raises(StoreClosed):
        store.compact(1)
