"""Call records on the wire, and their identifiers, which sort as they were made."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.fastpath.model import PCS
from callscreen.fastpath.recording_reference import RecordIds
from callscreen.v1 import records_pb2

from ..edge.messages import request
from ..edge.objects import CALLED, FRIEND, number
from .responding import KINDS, NOW, Bench

MILLISECOND = 1_000_000  # nanoseconds
SEED = b"0123456789abcdef"


def identifiers(kind: str, moments: list[int], seed: bytes = SEED) -> list[str]:
    """Of the records of calls at these moments."""
    bench = Bench(kind, seed=seed)
    given = (
        bench.give(request(call_id=f"call-{i}"), moment).made for i, moment in enumerate(moments)
    )
    return [record.cdr_id for record in given]


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_uuids_of_version_7_that_carry_the_time(kind: str) -> None:
    (made,) = identifiers(kind, [NOW + 123 * MILLISECOND])
    assert made == str(UUID(made))
    assert UUID(made).version == 7
    assert UUID(made).variant == "specified in RFC 4122"
    assert UUID(made).int >> 80 == NOW // MILLISECOND + 123


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=30), st.binary(min_size=16, max_size=16))
def test_they_sort_as_they_were_made_whatever_the_clock_does(steps: list[int], seed: bytes) -> None:
    moments = [NOW + step * MILLISECOND for step in steps]
    made = identifiers("compiled", moments, seed)
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    ids = RecordIds(seed)
    assert made == [ids(moment) for moment in moments]


def test_two_makers_differ() -> None:
    assert identifiers("compiled", [NOW], b"a" * 16) != identifiers("compiled", [NOW], b"b" * 16)


def test_a_record_on_the_wire_is_a_part_of_a_batch() -> None:
    """Records one after another behind an identifier are the message that the core takes."""
    bench = Bench("compiled")
    octets = b""
    for i in range(3):
        got = bench.responder.receive(request(call_id=f"call-{i}"), ("192.0.2.9", 5070), "udp", NOW)
        octets += got.record
    batch = records_pb2.AppendRequest.FromString(b"\x08\x2a" + octets)
    assert batch.id == 42
    assert [record.call_id for record in batch.records] == ["call-0", "call-1", "call-2"]
    again = records_pb2.AppendRequest.FromString(batch.SerializeToString())
    assert again == batch


@pytest.mark.parametrize("size", [1, 127, 128, 300, 1000])
def test_names_of_any_length_stand_in_it_whole(size: int) -> None:
    name = "é" * size
    bench = Bench("compiled", [])
    bench.index.put_number(PCS, name, name, CALLED, [], [])
    record = bench.give(request()).record
    if size == 1000:  # more than a record has room for: it is counted, not cut
        assert record is None
        counts = bench.counts
        assert (counts.records_made, counts.records_lost) == (0, 1)
        assert counts.answered == {302: 1}
        return
    assert record is not None
    assert record.service_provider_name == record.verdict.service_provider_name == name


@pytest.mark.parametrize("kind", KINDS)
def test_the_revision_and_the_moment_are_told_at_their_ends(kind: str) -> None:
    bench = Bench(kind)
    for revision, moment in ((1, 1), (2**63, 4_102_444_800_000_000_001), (127, 10**9)):
        bench.change(number(whitelist=[FRIEND]), revision=revision)
        record = bench.give(request(call_id=f"call-{revision}"), moment).made
        assert record.verdict.revision == revision
        assert record.start_time.ToNanoseconds() == record.end_time.ToNanoseconds() == moment
