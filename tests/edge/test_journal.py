"""A file of changes: what is read is what was appended, up to the first thing that is not whole."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.edge import journal as journal_module
from callscreen.edge.journal import Journal, read_journal

TOKEN = b"where it begins"


def read(path: Path) -> list[bytes] | None:
    found = read_journal(path)
    if found is None:
        return None
    assert found[0] == TOKEN
    return [each.change for each in found[2]]


def made(path: Path, changes: list[bytes]) -> Journal:
    journal = Journal(path, TOKEN)
    journal.append(changes)
    journal.close()
    return journal


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=20))
@settings(max_examples=30, deadline=None)
def test_what_is_appended_is_read(
    tmp_path_factory: pytest.TempPathFactory, changes: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "changes"
    journal = Journal(path, TOKEN)
    for change in changes:
        journal.append([change])
    journal.append([])
    journal.sync()
    journal.close()
    assert read(path) == changes
    assert (journal.size, journal.count) == (path.stat().st_size, len(changes))
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_cut_off_anywhere_ends_with_the_last_whole_change(tmp_path: Path) -> None:
    path = tmp_path / "changes"
    changes = [b"one", b"two and two", b"three" * 30]
    made(path, changes)
    octets = path.read_bytes()
    for end in range(len(octets)):
        path.write_bytes(octets[:end])
        found = read(path)
        assert found is None or found == changes[: len(found)]
        path.write_bytes(octets[:end] + bytes(5000))  # as some file systems leave it
        assert read(path) == found


def test_a_file_damaged_anywhere_ends_before_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "changes"
    changes = [b"one", b"two and two", b"three" * 30]
    made(path, changes)
    octets = path.read_bytes()
    for at in range(len(octets)):
        for bit in (1, 128):
            changed = bytearray(octets)
            changed[at] ^= bit
            path.write_bytes(changed)
            found = read_journal(path)
            whole = [] if found is None else [each.change for each in found[2]]
            assert whole == changes[: len(whole)]
            assert len(whole) < 3


def test_a_file_goes_on_where_it_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "changes"
    made(path, [b"one", b"two"])
    path.write_bytes(path.read_bytes()[:-1])
    found = read_journal(path)
    assert found is not None
    ends = [each.end for each in found[2]]
    journal = Journal.resume(path, ends[-1], len(ends))
    journal.append([b"three"])
    journal.close()
    assert read(path) == [b"one", b"three"]
    assert journal.count == 2


def test_what_could_not_be_written_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "changes"
    journal = Journal(path, TOKEN)
    journal.append([b"one"])
    write = os.write

    def half(fd: int, octets: bytes) -> int:
        if len(octets) < 4:
            raise OSError(errno.ENOSPC, "no space")
        return write(fd, octets[: len(octets) // 2])

    monkeypatch.setattr(journal_module.os, "write", half)
    with pytest.raises(OSError, match="no space"):
        journal.append([b"two" * 20])
    monkeypatch.undo()
    assert read(path) == [b"one"]
    journal.append([b"three"])
    journal.close()
    assert read(path) == [b"one", b"three"]


def test_a_full_disk_is_an_error() -> None:
    with pytest.raises(OSError, match="No space"):
        Journal(Path("/dev/full"), TOKEN)
