"""The ring of call records against its plain twin, and between two threads."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.edge.entries import split_entries
from callscreen.fastpath import ring, ring_reference
from callscreen.v1 import records_pb2

SIZE = 4096
STEPS = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.integers(0, 3_000).map(lambda size: b"r" * size),
        st.tuples(st.integers(0, 5), st.integers(0, 3_000)),
    ),
    max_size=60,
)


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_both_do_the_same(steps: list[bytes | tuple[int, int]]) -> None:
    compiled, plain = ring.RingBuffer(SIZE), ring_reference.RingBuffer(SIZE)
    for step in steps:
        if isinstance(step, bytes):
            assert compiled.put(step) == plain.put(step)
        else:
            assert compiled.take(*step) == plain.take(*step)
        assert len(compiled) == len(plain)
    assert compiled.take(1_000, 10_000) == plain.take(1_000, 10_000)
    assert len(compiled) == 0


@pytest.mark.parametrize("kind", [ring, ring_reference])
def test_a_record_too_long_for_its_length_is_refused(kind) -> None:
    buffer = kind.RingBuffer(1 << 16)
    with pytest.raises(ValueError, match="16 KiB"):
        buffer.put(bytes(1 << 14))
    assert buffer.put(bytes((1 << 14) - 1))


@pytest.mark.parametrize("size", [0, 1, 2048, 5000, 1 << 31])
def test_a_size_that_no_ring_has_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        ring.RingBuffer(size)


def test_what_is_taken_is_a_message_as_it_stands() -> None:
    buffer = ring.RingBuffer(SIZE)
    for turn in range(3_000):  # many times round
        batch = records_pb2.AppendRequest()
        batch.records.add(cdr_id=str(turn), call_id="c" * (turn % 300))
        record = batch.records[0].SerializeToString()
        assert buffer.put(record)
        octets, count = buffer.take(10, SIZE)
        assert count == 1
        assert records_pb2.AppendRequest.FromString(octets) == batch


def test_nothing_is_lost_or_torn_between_two_threads() -> None:
    buffer = ring.RingBuffer(SIZE)
    count = 5_000

    def write() -> None:
        for number in range(count):
            record = number.to_bytes(4, "big") * (1 + number % 50)
            while not buffer.put(record):
                time.sleep(0)  # until there is room

    writer = threading.Thread(target=write)
    writer.start()
    found = 0
    while found < count:
        octets, taken = buffer.take(100, SIZE)
        entries = split_entries(octets)
        assert len(entries) == taken
        for entry in entries:
            assert entry[ring_reference.HEAD :] == found.to_bytes(4, "big") * (1 + found % 50)
            found += 1
    writer.join()
    assert len(buffer) == 0
