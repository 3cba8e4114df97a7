"""Records on disk: what is given back is what was put, in order, up to the first damage."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.edge import spool as spool_module
from callscreen.edge.entries import Block, halves, readable, split_entries
from callscreen.edge.spool import Spool

BLOCKS = st.lists(
    st.tuples(st.binary(min_size=1, max_size=300), st.integers(1, 1_000)), max_size=20
)


def blocks(count: int, size: int = 100) -> list[Block]:
    return [Block(bytes([number % 256]) * size, number + 1) for number in range(count)]


def emptied(spool: Spool) -> list[tuple[bytes, int]]:
    """Everything, taken segment by segment."""
    found = []
    while (segment := spool.oldest()) is not None:
        found += [(block.entries, block.records) for block in spool.read(segment)]
        spool.drop()
    assert (spool.records, spool.octets) == (0, 0)
    return found


@given(BLOCKS, st.integers(100, 2_000), st.sets(st.integers(0, 20)))
@settings(max_examples=30, deadline=None)
def test_what_is_put_is_given_back_also_by_the_next_process(
    tmp_path_factory: pytest.TempPathFactory,
    given_blocks: list[tuple[bytes, int]],
    segment: int,
    restarts: set[int],
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool_module, "SEGMENT_OCTETS", segment)
        spool = Spool(folder)
        for turn, (entries, count) in enumerate(given_blocks):
            assert spool.append(Block(entries, count))
            if turn in restarts:
                spool.close()
                spool = Spool(folder)
        assert spool.records == sum(count for _, count in given_blocks)
        spool.sync()
        assert emptied(spool) == given_blocks
        spool.close()
    assert [path.name for path in folder.iterdir()] == []


def test_a_process_that_ends_without_a_word_loses_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    put = blocks(5)
    for block in put:
        spool.append(block)
    os.close(spool._lock)  # as if its holder were gone
    after = Spool(tmp_path)
    assert after.records == 15
    assert emptied(after) == [(block.entries, block.records) for block in put]


def test_a_folder_serves_one_process(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    with pytest.raises(OSError, match="another edge uses"):
        Spool(tmp_path)
    first.close()
    Spool(tmp_path).close()


def test_files_are_their_owner_s_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "records")
    spool.append(blocks(1)[0])
    folder = tmp_path / "records"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_the_limit_refuses_the_newest(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1_000)
    taken = [spool.append(block) for block in blocks(20)]
    assert taken == sorted(taken, reverse=True)
    assert 1 <= sum(taken) < 10
    assert spool.octets <= 1_000
    assert len(emptied(spool)) == sum(taken)
    assert spool.append(blocks(1)[0]), "there is room again"


@pytest.mark.parametrize("damage", ["cut", "flipped", "token"])
def test_damage_ends_its_segment_and_no_other(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    damage: str,
) -> None:
    monkeypatch.setattr(spool_module, "SEGMENT_OCTETS", 350)
    spool = Spool(tmp_path)
    for block in blocks(9):
        spool.append(block)
    spool.close()
    first = min(path for path in tmp_path.glob("records-*"))
    octets = bytearray(first.read_bytes())
    if damage == "cut":
        del octets[-1]
    else:
        octets[-1 if damage == "flipped" else 20] ^= 1
    first.write_bytes(octets)
    found = [records for _, records in emptied(Spool(tmp_path))]
    assert found == ([4, 5, 6, 7, 8, 9] if damage == "token" else [1, 2, 4, 5, 6, 7, 8, 9])
    assert len([line for line in caplog.messages if "is damaged" in line]) == 1


@pytest.mark.parametrize("ended", [True, False])
def test_what_cannot_be_read_at_all_is_set_aside_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, ended: bool
) -> None:
    first = Spool(tmp_path)
    first.append(Block(b"x" * 100, 3))
    if ended:
        first.close()
    else:
        os.close(first._lock)  # its process was killed
    (path,) = tmp_path.glob("records-*")
    octets = bytearray(path.read_bytes())
    octets[40] ^= 1
    unnumbered = tmp_path / "records-0000000001"
    path.rename(unnumbered)
    unnumbered.write_bytes(octets)
    spool = Spool(tmp_path)
    assert spool.records == 0
    assert "records-0000000001.damaged" in caplog.text
    spool.append(Block(b"y", 1))
    spool.close()
    names = sorted(each.name for each in tmp_path.iterdir())
    assert names == ["records-0000000001.damaged", "records-0000000002-1"]
    assert (tmp_path / names[0]).read_bytes() == octets
    again = Spool(tmp_path)
    assert emptied(again) == [(b"y", 1)]
    again.close()


def unreadable(monkeypatch: pytest.MonkeyPatch, path: Path, from_octet: int) -> None:
    """From there on the disk gives no more of a file."""
    opened = Path.open

    class Failing:
        def __init__(self, file: Any) -> None:
            self.file, self.at = file, 0

        def __enter__(self) -> "Failing":
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def read(self, size: int) -> bytes:
            self.at += size
            if self.at > from_octet:
                raise OSError(errno.EIO, "Input/output error")
            octets: bytes = self.file.read(size)
            return octets

    def open_(self: Path, *arguments: Any) -> Any:
        file = opened(self, *arguments)
        return Failing(file) if self == path else file

    monkeypatch.setattr(Path, "open", open_)


@pytest.mark.parametrize("where", ["start", "middle"])
def test_a_bad_sector_ends_its_segment_and_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    first = Spool(tmp_path)
    for block in blocks(3):
        first.append(block)
    os.close(first._lock)  # its process was killed
    path = tmp_path / "records-0000000001"
    unreadable(monkeypatch, path, 0 if where == "start" else 200)
    spool = Spool(tmp_path)
    spool.append(Block(b"y", 7))
    found = [records for _, records in emptied(spool)]
    assert found == ([7] if where == "start" else [1, 7])
    spool.close()
    assert [each.name for each in tmp_path.glob("*.damaged")], "perhaps it can be read later"


def test_a_segment_that_somebody_removed_holds_back_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(spool_module, "SEGMENT_OCTETS", 350)
    spool = Spool(tmp_path)
    for block in blocks(9):
        spool.append(block)
    min(tmp_path.glob("records-*")).unlink()
    assert [records for _, records in emptied(spool)] == [4, 5, 6, 7, 8, 9]
    assert "6 call records are lost" in caplog.text
    spool.close()


def test_a_segment_that_cannot_be_ended_takes_each_block_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block that is on disk is never said not to be, or it would be counted and sent twice."""
    monkeypatch.setattr(spool_module, "SEGMENT_OCTETS", 150)
    spool = Spool(tmp_path)

    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", full)
        assert all(spool.append(block) for block in blocks(4))
    assert spool.records == 1 + 2 + 3 + 4
    assert [records for _, records in emptied(spool)] == [1, 2, 3, 4]
    spool.close()


def test_what_cannot_be_cut_off_spoils_nothing_that_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    spool.append(Block(b"first", 1))
    write = os.write

    def half(fd: int, octets: bytes) -> int:
        if len(octets) < 20:
            raise OSError(errno.EIO, "Input/output error")
        return write(fd, octets[: len(octets) // 2])

    def uncut(fd: int, size: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        patch.setattr(os, "ftruncate", uncut)
        with pytest.raises(OSError, match="Input/output"):
            spool.append(Block(b"x" * 50, 1))
    assert spool.append(Block(b"second", 1))
    assert emptied(spool) == [(b"first", 1), (b"second", 1)]
    spool.close()


def test_entries_are_split_and_halved() -> None:
    entries = [b"\x12\x02ab", b"\x12\x81\x00c", b"\x12\x00"]
    assert split_entries(b"".join(entries)) == entries
    assert halves(Block(b"".join(entries), 3, spooled=True)) == [
        Block(entries[0], 1, spooled=True),
        Block(entries[1] + entries[2], 2, spooled=True),
    ]
    assert readable(Block(entries[2], 1))


@pytest.mark.parametrize("octets", [b"\x12\x03ab", b"\x13\x00", b"\x12", b"\x12\x80"])
def test_what_is_no_entry_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r"record|cut off"):
        split_entries(octets)
    assert not readable(Block(octets, 1))
