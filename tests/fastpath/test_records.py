"""Call records off the wire: the compiled reader and its plain twin answer the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.fastpath import records, records_reference
from callscreen.fastpath.rows_types import (
    CALLED,
    DIGEST,
    END,
    ID_BYTES,
    LENGTH,
    OFFSET,
    ROW,
    START,
    SUBSCRIBER,
    UNSET,
    Batch,
    Limits,
)
from callscreen.v1.records_pb2 import AppendRequest
from callscreen.v1.screening_pb2 import CallRecord

KEY = bytes(range(16))
LIMITS = Limits(chars=4, events=6, octets=120, steps=2)
IDS = [f"0190000{n}-0000-7000-8000-00000000000{n}" for n in range(3)]
TEXT = st.text("aé€😀\0", max_size=6)
TIME = st.none() | st.fixed_dictionaries(
    {
        "seconds": st.sampled_from([0, 1, -1, 253_402_300_799, 253_402_300_800, -(2**63)]),
        "nanos": st.sampled_from([0, 1, 999_999_999, 10**9, -1]),
    }
)
RECORD = st.fixed_dictionaries(
    {
        "cdr_id": st.sampled_from([*IDS, "", IDS[0].upper(), IDS[0][:-1], IDS[0][:-1] + "g"])
        | st.sampled_from(IDS),
        "product": st.sampled_from([0, 1, 2, 3]) | st.sampled_from([0, 1, 2]),
        "start_time": TIME,
        "end_time": TIME,
        "called_number": TEXT,
        "calling_number": TEXT,
        "service_provider_name": TEXT,
        "subscriber_name": TEXT,
        "events": st.text("aé", max_size=8),
        "verdict": st.fixed_dictionaries(
            {"trace": st.lists(st.just({"rule": "a"}), max_size=3), "revision": st.integers(0, 9)}
        ),
        "call_id": TEXT,
        "status": st.integers(0, 2**32 - 1),
        "edge": TEXT,
    },
    optional={
        "identity": st.fixed_dictionaries(
            {
                "state": TEXT,
                "code": st.integers(0, 999),
                "spc": st.lists(TEXT, max_size=2),
                "replayed": st.booleans(),
                "checks": st.lists(st.just({"name": "a", "passed": False}), max_size=2),
            }
        ),
        "signature": st.fixed_dictionaries(
            {"mask": TEXT, "dest": st.lists(TEXT, max_size=2), "iat": st.integers(0, 2**40)}
        ),
    },
)
TOLD = CallRecord(cdr_id=IDS[0], edge="e")
TOLD.identity.spc.extend(["1", "2"])
TOLD.identity.checks.add(name="a", passed=True, detail="b")
TOLD.signature.dest.extend(["3", "4"])
TOLD.signature.iat = 5


def same(data: bytes) -> object:
    found = records.read(data, KEY, LIMITS)
    assert found == records_reference.read(data, KEY, LIMITS)
    return found


@settings(max_examples=300, deadline=None)
@given(st.lists(RECORD, max_size=3))
def test_both_read_alike(made: list[dict[str, object]]) -> None:
    same(AppendRequest(id=7, records=made).SerializeToString())  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(RECORD, st.integers(0, 200), st.binary(max_size=3))
def test_octets_that_are_no_message_do_no_harm(
    made: dict[str, object], at: int, noise: bytes
) -> None:
    data = AppendRequest(records=[made]).SerializeToString()  # type: ignore[list-item]
    for broken in (data[:at], data[:at] + noise + data[at:], noise):
        try:
            found = records.read(broken, KEY, LIMITS)
        except ValueError:
            continue
        if isinstance(found, Batch):  # then it means what a protobuf library reads in it
            request = AppendRequest.FromString(broken)
            assert (found.id, found.size) == (request.id, len(request.records))
            assert len(found.pcs[0]) % ROW == 0
        else:
            assert found == 0


def test_an_identity_and_a_signature_are_read() -> None:
    found = same(AppendRequest(records=[TOLD]).SerializeToString())
    assert isinstance(found, Batch)
    assert found.pcs[1] == TOLD.SerializeToString()


@settings(max_examples=300, deadline=None)
@given(st.integers(0, TOLD.ByteSize() - 1), st.integers(0, 255))
def test_both_refuse_alike_what_another_octet_makes_of_it(at: int, octet: int) -> None:
    whole = TOLD.SerializeToString()
    record = whole[:at] + bytes([octet]) + whole[at + 1 :]
    data = b"\x12" + bytes([len(record)]) + record
    try:
        found = records.read(data, KEY, LIMITS)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            records_reference.read(data, KEY, LIMITS)
        return
    assert found == records_reference.read(data, KEY, LIMITS)
    if isinstance(found, Batch):  # then a protobuf library takes it too
        AppendRequest.FromString(data)


@given(st.binary(max_size=40), st.binary(min_size=16, max_size=16))
def test_both_digest_alike(text: bytes, key: bytes) -> None:
    made = records.digest(key, text)
    assert made == records_reference.digest(key, text)
    assert len(made) == DIGEST


def test_the_digest_is_siphash_with_128_bits() -> None:
    """The first two of the vectors that its authors publish, cut to DIGEST octets."""
    assert records.digest(KEY, b"").hex() == "a3817f04ba25a8e66df67214"
    assert records.digest(KEY, b"\0").hex() == "da87c1d86b99af4434765911"


def test_a_row_says_where_its_record_lies_and_what_it_is_found_by() -> None:
    both = CallRecord(cdr_id=IDS[0], called_number="+1", subscriber_name="al")
    only = CallRecord(cdr_id=IDS[1], product=2, service_provider_name="ac")  # type: ignore[arg-type]
    only.start_time.FromNanoseconds(5_000_000_007)
    found = same(AppendRequest(records=[both, only]).SerializeToString())
    assert isinstance(found, Batch)
    (pcs, pcs_values), (cin, cin_values) = found.pcs, found.cin
    assert pcs_values == both.SerializeToString()
    assert cin_values == both.SerializeToString() + only.SerializeToString()
    assert pcs == cin[:ROW]
    row = cin[ROW:]
    assert row[:ID_BYTES].hex() == IDS[1].replace("-", "")
    at, size = (int.from_bytes(row[part : part + 4], "big") for part in (OFFSET, LENGTH))
    assert cin_values[at : at + size] == only.SerializeToString()
    assert row[START:END] == (5).to_bytes(5, "big") + (7).to_bytes(4, "big")
    assert pcs[START:END] == UNSET
    assert pcs[SUBSCRIBER : SUBSCRIBER + DIGEST] == records.digest(KEY, b"\0al")
    assert pcs[CALLED : CALLED + DIGEST] == records.digest(KEY, b"+1")


def test_the_place_of_the_first_that_is_refused_is_told() -> None:
    good, bad = CallRecord(cdr_id=IDS[0]), CallRecord(cdr_id="no")
    assert same(AppendRequest(records=[good, good, bad, bad]).SerializeToString()) == 2


def test_a_key_has_its_length() -> None:
    with pytest.raises(ValueError, match="16 octets"):
        records.read(b"", b"short", LIMITS)
    with pytest.raises(ValueError, match="16 octets"):
        records.digest(b"short", b"")
