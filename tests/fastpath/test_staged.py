"""Staged blocks: what is written is read again, and octets that are no block are refused."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.fastpath.staged import Pen
from callscreen.fastpath.staged_read import Block
from callscreen.v1.bulk_pb2 import StagedBlock
from callscreen.v1.object_pb2 import Change, Object

STAMPS = Object(revision=7).SerializeToString()


def number(n: int, size: int = 1) -> Object:
    made = Object(name=f"pcs/number/acme/s{n // 3}/%2B{n}")
    made.number.number = f"+{n}"
    made.number.nickname = "x" * size
    return made


def block_of(count: int, shown: bool = False, size: int = 1) -> bytes:
    """Rows with one unique value and two entries of columns each."""
    pen = Pen()
    for n in range(count):
        obj = number(n, size)
        name = obj.name.encode()
        obj.ClearField("name")
        other = Object()
        other.number.number = f"+{n}"
        pen.add(
            n * 200,
            b"pcs\0number\0acme\0s%d\0+%d\0" % (n // 3, n),
            name,
            obj.SerializeToString(),
            other.SerializeToString() if shown else None,
            [b"u%d" % n],
            [b"c%d" % n, b"d%d" % n],
            b"row %d" % n,
        )
    assert pen.count == count
    return pen.whole()


@pytest.mark.parametrize("size", [1, 130, 20_000])
@pytest.mark.parametrize("shown", [False, True])
def test_a_block_is_the_message_that_it_says_it_is(shown, size):
    octets = block_of(7, shown, size)
    block, message = Block(octets), StagedBlock.FromString(octets)
    assert len(block) == len(message.at) == 7
    assert not block.keeps
    for field in ("line", "at", "name", "field", "unique", "columns"):
        assert getattr(block, field) == list(getattr(message, field))
    assert len(message.shown) == (7 if shown else 0)
    assert message.SerializeToString(deterministic=True) == octets
    message.kept.add(place=2, fields=["pin"])
    assert Block(message.SerializeToString()).keeps


@pytest.mark.parametrize("size", [1, 130, 20_000])
@pytest.mark.parametrize("shown", [False, True])
@pytest.mark.parametrize("rows", [None, [1, 4], []])
def test_what_is_put_is_what_single_writes_make(rows, shown, size):
    block = Block(block_of(7, shown, size))
    objects, unique, columns, mutations, audit = block.put(STAMPS, True, rows)
    chosen = list(range(7)) if rows is None else rows
    stored = [Object.FromString(value) for _, value in objects]
    wanted = [number(n, size) for n in chosen]
    for each in wanted:
        each.revision = 7
    assert stored == wanted
    assert [key for key, _ in objects] == [block.at[n] for n in chosen]
    assert unique == [(b"u%d" % n, block.name[n]) for n in chosen]
    assert columns == [(b"%s%d" % (c, n), b"") for n in chosen for c in (b"c", b"d")]
    assert audit == [b"row %d" % n for n in chosen]
    change = Change.FromString(mutations)
    assert [each.name.encode() for each in change.mutations] == [block.name[n] for n in chosen]
    for each, obj in zip(change.mutations, wanted, strict=True):
        if shown:
            obj.number.ClearField("nickname")
        assert each.put == obj
    assert block.put(STAMPS, False, rows)[3] == b""


def test_places_are_told_once_a_run():
    assert Block(block_of(7)).places() == [b"pcs\0number\0acme\0s%d\0" % n for n in range(3)]


@given(st.lists(st.binary(max_size=3), max_size=4), st.lists(st.binary(max_size=3), max_size=4))
def test_what_ascends_has_no_key_twice(keys, values):
    rows = min(len(keys), len(values))
    keys, values = keys[:rows], values[:rows]
    whole = StagedBlock(at=keys, name=keys, field=keys, unique=values).SerializeToString()
    rising = keys == sorted(set(keys)) and values == sorted(set(values))
    assert Block(whole).ascends() == rising


def test_rows_that_are_not_there_are_not_put():
    for row in (-1, 3):
        with pytest.raises(IndexError):
            Block(block_of(3)).put(STAMPS, True, [row])
    bare = Block(StagedBlock(at=[b"a\0"], name=[b"n"], field=[b""]).SerializeToString())
    with pytest.raises(ValueError, match="as they stand"):
        bare.put(STAMPS, True)


@pytest.mark.parametrize(
    "bad",
    [
        StagedBlock(at=[b"a"], name=[b"n"]),
        StagedBlock(at=[b"a", b"b"], name=[b"n", b"m"], field=[b"", b""], unique=[b"u"]),
        StagedBlock(at=[b"a"], name=[b"n"], field=[b""], audit=[b"u", b"v"]),
        StagedBlock(unique=[b"u"]),
    ],
)
def test_sections_that_do_not_fit_are_refused(bad):
    with pytest.raises(ValueError, match="block"):
        Block(bad.SerializeToString())


@given(st.binary(max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_octets_are_a_block_or_refused(octets):
    try:
        block = Block(octets)
    except ValueError:
        return
    assert len(block.name) == len(block.at) == len(block)


def test_a_block_that_is_cut_or_changed_is_refused_or_read():
    whole = block_of(7)
    chance = random.Random(3)
    for _ in range(3_000):
        octets = bytearray(whole[: chance.randrange(len(whole) + 1)])
        for _ in range(chance.randrange(3)):
            if octets:
                octets[chance.randrange(len(octets))] = chance.randrange(256)
        try:
            block = Block(bytes(octets))
            block.put(STAMPS, True)
        except ValueError:
            continue
        assert len(block.field) == len(block)
