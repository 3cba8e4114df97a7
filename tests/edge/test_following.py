"""Changes are taken apart as protobuf puts them together; what is no message raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.edge.following import numbered, revision_of, split
from callscreen.v1.object_pb2 import Change
from callscreen.v1.replication_pb2 import Changes

REVISIONS = st.one_of(st.integers(1, 300), st.integers(1, 2**64 - 1))


def made(revision: int, size: int) -> Change:
    change = Change(revision=revision)
    change.mutations.add(name="n" * size)
    return change


@given(st.lists(st.tuples(REVISIONS, st.sampled_from([0, 1, 100, 130, 20_000])), max_size=5))
def test_changes_are_taken_apart(given: list[tuple[int, int]]) -> None:
    changes = [made(*each) for each in given]
    octets = Changes(changes=changes).SerializeToString()
    found = split(octets)
    assert [Change.FromString(each) for each in found] == changes
    assert [revision_of(each) for each in found] == [revision for revision, _ in given]
    for change in found:
        assert numbered(change, single=True) == [(revision_of(change), change)]
    if given:
        assert numbered(octets, single=False) == [(revision_of(each), each) for each in found]
        first = Changes(changes=changes[:1]).SerializeToString()
        for end in range(1, min(len(first), 50)):
            with pytest.raises(ValueError, match="cut off"):
                split(octets[:end])


@given(st.binary(max_size=40))
def test_any_octets_are_changes_or_refused(octets: bytes) -> None:
    try:
        found = split(octets)
    except ValueError:
        return
    assert sum(map(len, found)) <= len(octets)


def test_what_says_no_revision_has_none() -> None:
    assert revision_of(b"") == 0
    assert revision_of(Change().SerializeToString()) == 0
    with pytest.raises(ValueError, match="cut off"):
        revision_of(b"\x08\xff")
    with pytest.raises(ValueError, match="cut off"):
        revision_of(b"\x08" + b"\xff" * 11)
    with pytest.raises(ValueError, match="without a change"):
        numbered(b"", single=False)
