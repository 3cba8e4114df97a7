"""An image of the index: what is read is what was written, or nothing."""

import os
import random
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.fastpath import blocks, blocks_reference, image_reference
from callscreen.fastpath.image_read import ImageError, read_image
from callscreen.fastpath.image_write import write_image
from callscreen.fastpath.index import Index, Operation, PlanStep
from callscreen.fastpath.model import METHODS
from callscreen.fastpath.reference import Index as PlainIndex
from callscreen.fastpath.watching import Watch

from .provisioning import call, operation

TOLD = frozenset(f"{verb}_{kind}" for verb in ("put", "drop") for kind in ("number", "subscriber"))
TOLD |= {"put_provider", "drop_provider"}
HEAD, OBJECTS = b'{"revision": 7}', [b"one", b"", b"three and more"]


class Written(NamedTuple):
    index: Index
    rest: list[Operation]  # what an image does not tell of
    octets: bytes


def image_of(index: Index, folder: Path, head: bytes = HEAD) -> bytes:
    path = folder / "image"
    with path.open("wb") as file:
        size = write_image(index, file.fileno(), head, OBJECTS)
    assert path.stat().st_size == size
    return path.read_bytes()


def read(octets: bytes, folder: Path) -> Index:
    path = folder / "read"
    path.write_bytes(octets)
    index = Index()
    with path.open("rb") as file:
        assert read_image(index, file.fileno())[:2] == (HEAD, OBJECTS)
    return index


def written(operations: Iterable[Operation], folder: Path) -> Written:
    index, rest = Index(), []
    for each in operations:
        index.commit([each], 1)
        if each[0] not in TOLD:
            rest.append(each)
    return Written(index, rest, image_of(index, folder))


def random_world(seed: int, folder: Path, size: int = 120) -> Written:
    world = random.Random(seed)
    return written([operation(world) for _ in range(size)], folder)


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_an_index_that_was_read_decides_as_the_one_written(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("image")
    original, rest, octets = random_world(seed, folder)
    copy, plain = read(octets, folder), PlainIndex()
    contents = image_reference.read_image(octets)
    assert (contents.head, contents.objects) == (HEAD, OBJECTS)
    plain.commit(contents.operations, 1)
    for index in (copy, plain):
        index.commit(rest, 1)
    world = random.Random(seed)
    for _ in range(150):
        arguments = call(world)
        verdict = original.screen(*arguments)
        assert copy.screen(*arguments) == verdict
        assert plain.screen(*arguments) == verdict
    for each in ("numbers", "subscribers", "entries"):
        assert copy.counts()[each] == original.counts()[each]


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_an_index_that_was_read_changes_as_the_one_written(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("image")
    original, rest, octets = random_world(seed, folder)
    copy = read(octets, folder)
    copy.commit(rest, 1)
    world = random.Random(seed + 1)
    for _ in range(100):
        change = operation(world)
        original.commit([change], 2)
        copy.commit([change], 2)
    for _ in range(100):
        arguments = call(world)
        assert copy.screen(*arguments) == original.screen(*arguments)
    assert copy.counts()["subscribers"] == original.counts()["subscribers"]


def test_long_lists_and_long_records_are_whole(tmp_path: Path) -> None:
    """A record longer than a block has a block to itself."""
    index = Index()
    many = [f"+1{i:010}" for i in range(0, 300_000, 1)]
    masks = [f"+44{i:05}xx" for i in range(40)]
    index.put_provider(1, "acme", many[:150_000] + masks, many[150_000:])
    index.put_number(1, "acme", "alice", "+15855551234", many[:33], masks)
    octets = image_of(index, tmp_path)
    copy = read(octets, tmp_path)
    assert copy.counts() == index.counts()
    operations = dict(image_reference.read_image(octets).operations)
    provider, number = operations["put_provider"], operations["put_number"]
    assert set(provider[2]) == {*many[:150_000], *masks}
    assert set(provider[3]) == set(many[150_000:])
    assert (set(number[4]), number[5]) == (set(many[:33]), masks)


def held(i: int) -> str:
    return f"+1585{i:07}"


def small_change(world: random.Random) -> Operation:
    """Of the numbers and subscribers of `many`, and of some that are new."""
    number, owner = held(world.randrange(60_000)), ("acme", f"sub{world.randrange(5_500):05}")
    lists = [held(world.randrange(9)) for _ in range(3)], [held(world.randrange(9))]
    kind = world.randrange(8)
    if kind < 4:
        return "put_number", (1, *owner, number, *lists)
    if kind < 6:
        return "drop_number", (1, number, world.choice((None, owner)))
    if kind == 6:
        return "put_subscriber", (1, *owner, world.random() < 0.5, frozenset(), *lists, "v@x.net")
    return world.choice(
        [
            ("drop_subscriber", (1, *owner)),
            ("put_provider", (1, "acme", *lists)),
            ("put_number", (1, world.choice(("beta", "zeta")), "one", number, *lists)),
        ]
    )


@pytest.fixture(scope="module")
def many() -> list[Operation]:
    entries = [held(i) for i in range(12)]
    return [
        ("put_number", (1, "acme", f"sub{i % 5_000:05}", held(i), entries, []))
        for i in range(24_000)
    ]


WAITING = """
import os, threading
from callscreen.fastpath.image_write import write_image
from callscreen.fastpath.index import Index

source, sink = os.pipe()
index, objects = Index(), [b"." * 500_000] * 8

def write():
    write_image(index, sink, b"head", objects)
    os.close(sink)

threading.Thread(target=write).start()
print(sum(map(len, iter(lambda: os.read(source, 10_000), b""))))
"""


def test_who_waits_for_a_write_lets_others_run() -> None:
    """The reader of the pipe is a thread of the same process."""
    asked = [sys.executable, "-c", WAITING]
    done = subprocess.run(asked, capture_output=True, timeout=20, check=True)
    assert int(done.stdout) > 4_000_000


@pytest.mark.parametrize("seed", range(4))
def test_an_image_written_while_changes_come_is_whole_with_them(
    tmp_path: Path, many: list[Operation], seed: int
) -> None:
    """A pipe that is read slowly keeps the writer waiting while the index changes under it."""
    world = random.Random(seed)
    index = Index()
    index.commit(
        [*many, ("put_plan", ("acme", [PlanStep("blacklist", 1, personal=True)], None))], 1
    )
    changes: list[Operation] = []
    source, sink = os.pipe()
    with ThreadPoolExecutor() as pool, open(source, "rb", 0) as reading:

        def write() -> None:
            with open(sink, "wb", 0) as file:
                write_image(index, file.fileno(), HEAD, OBJECTS)

        writing = pool.submit(write)
        octets = b""
        while part := reading.read(40_000):
            octets += part
            for _ in range(40):
                changes.append(small_change(world))
                index.commit([changes[-1]], 1 + len(changes))
        writing.result()
    (tmp_path / "written").write_bytes(octets)
    copy = Index()
    with (tmp_path / "written").open("rb") as file:
        complete = read_image(copy, file.fileno())[2]
    assert 500 < complete <= 1 + len(changes)
    for revision, each in enumerate(changes, 2):
        copy.commit([each], revision)
    copy.commit([("put_plan", ("acme", [PlanStep("blacklist", 1, personal=True)], None))], 9)
    for i in range(60_000):
        assert copy.owner(1, held(i)) == index.owner(1, held(i))
    for _ in range(3_000):
        call = 1, held(world.randrange(60_000)), held(world.randrange(12)), False
        assert copy.screen(*call)._replace(revision=0) == index.screen(*call)._replace(revision=0)
    for each in ("numbers", "subscribers", "entries"):
        assert copy.counts()[each] == index.counts()[each]


def test_every_kind_of_change_is_told_or_kept() -> None:
    kept = {"plan", "criteria", "source", "settings", "number_sources", "stir_settings"}
    assert {method.split("_", 1)[1] for method in METHODS - TOLD - {"put_numbers"}} == kept


def test_an_empty_index_is_an_image_too(tmp_path: Path) -> None:
    octets = image_of(Index(), tmp_path)
    assert read(octets, tmp_path).counts()["numbers"] == 0


def test_an_image_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    octets = random_world(3, tmp_path, 12).octets
    for end in range(len(octets)):
        with pytest.raises(ImageError):
            read(octets[:end], tmp_path)
        with pytest.raises(blocks_reference.DamagedError):
            image_reference.read_image(octets[:end])
    with pytest.raises(ImageError):
        read(octets + bytes(8), tmp_path)


def test_an_image_with_an_octet_changed_anywhere_is_refused(tmp_path: Path) -> None:
    octets = random_world(3, tmp_path, 12).octets
    world = random.Random(1)
    for at in range(len(octets)):
        changed = bytearray(octets)
        changed[at] ^= world.randint(1, 255)
        with pytest.raises(ImageError):
            read(bytes(changed), tmp_path)


@given(st.integers(0, 2**32), st.data())
@settings(max_examples=60, deadline=None)
def test_what_no_writer_says_is_refused_or_read_with_the_right_checksum_too(
    tmp_path_factory: pytest.TempPathFactory, seed: int, data: st.DataObject
) -> None:
    """Nothing in a file makes a reader leave its bounds, not even a file made to do so."""
    folder = tmp_path_factory.mktemp("image")
    made = [
        (kind, bytearray(payload))
        for kind, payload in blocks_reference.read_blocks(random_world(seed, folder, 20).octets)
    ]
    for _ in range(data.draw(st.integers(1, 4))):
        _, payload = made[data.draw(st.integers(0, len(made) - 1))]
        if payload:
            payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    path = folder / "read"
    path.write_bytes(blocks_reference.write_blocks((kind, bytes(p)) for kind, p in made))
    index = Index()
    with path.open("rb") as file:
        try:
            read_image(index, file.fileno())
        except ImageError:
            return
    world = random.Random(seed)
    for _ in range(20):
        index.screen(*call(world))


def test_an_index_that_shrank_is_read_again(tmp_path: Path) -> None:
    """However many rows of subscribers are free, and wherever those in use lie."""
    index = Index()
    names = [f"s{i:05}" for i in range(20_000)]
    index.commit([("put_number", (1, "acme", each, f"+1{each[1:]}", [], [])) for each in names], 1)
    index.commit([("drop_number", (1, f"+1{each[1:]}")) for each in names[:-10]], 2)
    copy = read(image_of(index, tmp_path), tmp_path)
    assert copy.counts()["subscribers"] == 10
    assert copy.screen(1, "+119995", "", False) == index.screen(1, "+119995", "", False)._replace(
        revision=0
    )


def changed(octets: bytes, kind: int, place: int, word: int) -> bytes:
    """With another word in the first block of a kind, and with right checksums."""
    made = [(each, bytearray(payload)) for each, payload in blocks_reference.read_blocks(octets)]
    payload = next(payload for each, payload in made if each == kind)
    payload[8 * place : 8 * place + 8] = word.to_bytes(8, "little")
    return blocks_reference.write_blocks((each, bytes(payload)) for each, payload in made)


def test_what_has_gone_since_it_was_counted_is_not_missed(tmp_path: Path) -> None:
    octets = random_world(3, tmp_path).octets
    for place in (0, 1, 2):
        read(changed(octets, image_reference.COUNTS, place, 1 << 40), tmp_path)


def test_no_memory_is_taken_that_the_file_does_not_fill(tmp_path: Path) -> None:
    octets = random_world(3, tmp_path).octets
    for kind, place, word in (
        (image_reference.COUNTS, 3, (1 << 22) + 1),
        (image_reference.PROVIDER, 1, 4096),
        (image_reference.SUBSCRIBER, 1, 1 | 4096 << 32),
        (image_reference.SUBSCRIBER, 0, 1 << 20 | 1 << 32),
    ):
        with pytest.raises(ImageError):
            read(changed(octets, kind, place, word), tmp_path)


ENTRIES = ["+15855551234", "+15855551235", "+1585555xxxx", "+44*", "*"]
NO_NUMBERS = (0, 16 << 56, 0x1A << 56 | 2, 0x123 << 52 | 2, 0xF << 4 | 15)
NO_MASKS = ((0, 2**64 - 1), (0x12 << 56 | 2, 0xF7 << 56 | 15), (0x12 << 56 | 2, 0xF << 60 | 15),
            (0x1 << 60 | 1, 0xFF << 56), (0x1B << 56 | 2, 0xFF << 56), (0, 1))  # fmt: skip


def test_entries_that_no_index_holds_are_refused(tmp_path: Path) -> None:
    """A table of masks counts on digits: others would fill it, and no search in it would end."""
    index = Index()
    index.put_provider(1, "acme", ENTRIES, [])
    index.put_number(1, "acme", "alice", "+15855551234", ENTRIES, ENTRIES)
    octets = image_of(index, tmp_path)
    read(octets, tmp_path)
    first = 2 + 1 + 2  # words of a provider's record before its lists, which begin with 2
    for word in NO_NUMBERS:
        with pytest.raises(ImageError):
            read(changed(octets, image_reference.PROVIDER, first, word), tmp_path)
        with pytest.raises(ImageError):
            read(changed(octets, image_reference.NUMBER, 0, word), tmp_path)
    for value, care in NO_MASKS:
        other = changed(octets, image_reference.PROVIDER, first + 2, value)
        with pytest.raises(ImageError):
            read(changed(other, image_reference.PROVIDER, first + 3, care), tmp_path)


def test_an_image_is_read_into_an_index_of_its_own(tmp_path: Path) -> None:
    octets = random_world(3, tmp_path).octets
    path, read_by_others, full = tmp_path / "read", Index(), Index()
    path.write_bytes(octets)
    reader = Watch(read_by_others, [])
    full.put_number(1, "acme", "alice", "+15551230001", [], [])
    for index in (read_by_others, full):
        with path.open("rb") as file, pytest.raises(ValueError, match="index of its own"):
            read_image(index, file.fileno())
    assert reader.rounds == 0


def test_blocks_that_are_missing_or_elsewhere_are_refused(tmp_path: Path) -> None:
    octets = random_world(3, tmp_path, 12).octets
    made, at = [], 0
    for _, payload in blocks_reference.read_blocks(octets):
        made.append(octets[at : at + 32 + len(payload)])
        at += len(made[-1])
    for first in range(len(made) - 1):
        swapped = [*made]
        swapped[first], swapped[first + 1] = swapped[first + 1], swapped[first]
        with pytest.raises(ImageError):
            read(b"".join(swapped), tmp_path)
        with pytest.raises(ImageError):
            read(b"".join(made[:first] + made[first + 1 :]), tmp_path)
        with pytest.raises(ImageError):
            read(b"".join(made[: first + 1] + made[first:]), tmp_path)


@given(st.binary(max_size=200), st.integers(0, 2**32 - 1), st.integers(0, 2**63))
def test_both_make_the_same_checksum(payload: bytes, kind: int, place: int) -> None:
    payload = payload[: len(payload) // 8 * 8]
    assert blocks.checksum(payload, kind, place) == blocks_reference.checksum(payload, kind, place)


def test_both_write_the_same_blocks(tmp_path: Path) -> None:
    octets = random_world(5, tmp_path).octets
    assert blocks_reference.write_blocks(blocks_reference.read_blocks(octets)) == octets


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full, pytest.raises(OSError, match="not written"):
        write_image(Index(), full.fileno(), HEAD, OBJECTS)


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not read"):
        read_image(Index(), -1)
    with Path(os.devnull).open("rb") as nothing, pytest.raises(ImageError):
        read_image(Index(), nothing.fileno())


def test_a_name_that_no_index_holds_is_refused(tmp_path: Path) -> None:
    """The longest that one does is 2,040 octets, and the next is no lack of memory."""
    index = Index()
    index.put_number(1, "acme", "a" * 2_040, "+15855551234", [], [])
    octets = image_of(index, tmp_path)
    assert read(octets, tmp_path).counts() == index.counts()
    size = 1 | 2_041 << 32
    made = []
    for kind, payload in blocks_reference.read_blocks(octets):
        if kind == image_reference.SUBSCRIBER:
            head = payload[:8] + size.to_bytes(8, "little") + payload[16:24]
            payload = head + b"a" * 2_041 + bytes(7)
        made.append((kind, payload))
    with pytest.raises(ImageError):
        read(blocks_reference.write_blocks(made), tmp_path)


@pytest.fixture(scope="module")
def large() -> Index:
    """Of an image that a second thread goes ahead of."""
    index = Index()
    entries = [held(i) for i in range(30)]
    index.commit(
        [("put_number", (1, "acme", f"sub{i:05}", held(i), entries, [])) for i in range(60_000)], 1
    )
    return index


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def test_a_large_image_is_read_whole_and_leaves_no_thread(large: Index, tmp_path: Path) -> None:
    before = threads()
    octets = image_of(large, tmp_path)
    assert len(octets) > 16 << 20
    copy = read(octets, tmp_path)
    copy.revision = large.revision
    assert threads() == before
    assert copy.counts() == large.counts()
    assert [copy.owner(1, held(i)) for i in range(60_000)] == [
        large.owner(1, held(i)) for i in range(60_000)
    ]
    assert image_of(copy, tmp_path) == octets
    spare = sum(copy.memory().values()) - sum(large.memory().values())
    assert spare < 16 << 20  # what is opened ahead is no more than the file could need


def test_a_large_image_that_is_damaged_is_refused_and_leaves_no_thread(
    large: Index, tmp_path: Path
) -> None:
    before = threads()
    octets = image_of(large, tmp_path)
    for part in range(1, 8):
        with pytest.raises(ImageError):
            read(octets[: len(octets) * part // 8 // 8 * 8], tmp_path)
    assert threads() == before


def test_a_large_image_may_hold_more_than_it_counts(large: Index, tmp_path: Path) -> None:
    """Tables that turn out too small give way to others while a thread goes ahead in them."""
    octets = image_of(large, tmp_path)
    for place in (0, 2):
        octets = changed(octets, image_reference.COUNTS, place, 10_000)
    assert read(octets, tmp_path).counts() == large.counts()
