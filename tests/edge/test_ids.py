"""Record identifiers are UUIDs of version 7 that sort as they were made."""

import os
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from callscreen.edge.ids import RecordIds


def test_they_are_uuids_of_version_7_that_carry_the_time() -> None:
    made = UUID(RecordIds(os.urandom)(1_700_000_000.123))
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == 1_700_000_000_123


@given(st.lists(st.integers(0, 5), min_size=2, max_size=50), st.binary(min_size=10, max_size=10))
def test_they_sort_as_they_were_made_whatever_the_clock_does(
    steps: list[int], entropy: bytes
) -> None:
    record_id = RecordIds(lambda size: entropy[:size])
    made = [record_id(1_700_000_000 + step / 1000) for step in steps]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_two_makers_differ() -> None:
    assert RecordIds(os.urandom)(1.0) != RecordIds(os.urandom)(1.0)
