"""Only what is a whole backup becomes a data folder."""

import hashlib
import tarfile
from pathlib import Path

import pytest

from callscreen.core.errors import InvalidInput, Unavailable
from callscreen.core.store.contract import StoreFailed
from callscreen.core.store.lmdb import LmdbStore
from callscreen.core.upkeep.archive import (
    END,
    MANIFEST,
    Manifest,
    Member,
    decode_manifest,
    header,
    padding,
)
from callscreen.core.upkeep.restore import check_finished

from .backups import NOW, restored, taken


def archive(files, manifest=None, end=END):
    """An archive of these members, and a manifest that is right unless another is given."""
    parts, members = [], []
    for name, text in files:
        parts += [header(name, len(text), NOW), text, padding(len(text))]
        members.append(Member(name, len(text), hashlib.sha256(text).hexdigest()))
    text = manifest or Manifest("1", "id", 1, 5, "2027", tuple(members)).encode()
    parts += [header(MANIFEST, len(text), NOW), text, padding(len(text)), end]
    return b"".join(parts)


def link(name):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, "/etc"
    return info.tobuf(tarfile.GNU_FORMAT)


PEPPER = ("pepper", b"00")
WRONG = Manifest("1", "id", 1, 5, "2027", (Member("pepper", 2, "00" * 32),)).encode()


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (b"", "damaged"),
        (b"no archive at all" * 100, "damaged"),
        (archive([PEPPER])[:1500], "damaged"),
        (header("pepper", 2, NOW) + b"00" + padding(2) + END, "its end is missing"),
        (archive([PEPPER], WRONG), "'pepper' is not what it was"),
        (archive([PEPPER, PEPPER]), "'pepper' does not belong there"),
        (archive([PEPPER]), "'objects/data.mdb' is missing"),
        (archive([("../../outside", b"")]), "no file of a backup"),
        (archive([("/outside", b"")]), "no file of a backup"),
        (archive([("audio/../../outside", b"")]), "no file of a backup"),
        (archive([("audit/pcs/.bashrc", b"")]), "no file of a backup"),
        (link("audio") + archive([("audio/outside", b"")]), "'audio' does not belong there"),
        (archive([PEPPER], end=header("late", 0, NOW) + END), "'late' does not belong there"),
        (archive([], b"[]"), "cannot be read"),
        (archive([], b'{"format": 2}'), "A later release"),
        (archive([PEPPER], Manifest("1", "i", 1, 1, "", ()).encode()), "not in its manifest"),
    ],
)
def test_what_is_no_whole_backup_is_refused_and_leaves_nothing(tmp_path, octets, message):
    with pytest.raises(InvalidInput, match=message):
        restored(octets, tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
async def test_a_backup_that_was_cut_off_is_refused(server, tmp_path, cut):
    octets = await taken(server)
    with pytest.raises(InvalidInput, match="damaged"):
        restored(octets[: int(len(octets) * cut)], tmp_path / "again")
    assert not (tmp_path / "again").exists()


async def test_any_octet_that_changed_is_found(server, tmp_path):
    octets = bytearray(await taken(server))
    octets[len(octets) // 2] ^= 1
    with pytest.raises((InvalidInput, StoreFailed)):
        restored(bytes(octets), tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_folder_that_holds_anything_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(InvalidInput, match="not empty"):
        restored(archive([PEPPER]), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


async def test_an_empty_folder_is_filled(server, tmp_path):
    (tmp_path / "again").mkdir()
    restored(await taken(server), tmp_path / "again")
    assert (tmp_path / "again/objects/data.mdb").exists()


def test_a_restore_that_was_killed_is_noticed(tmp_path):
    check_finished(tmp_path)
    (tmp_path / "restoring").mkdir()
    with pytest.raises(Unavailable, match="did not end"):
        check_finished(tmp_path)


async def test_a_restore_that_fails_late_leaves_nothing(server, tmp_path, monkeypatch):
    octets, done, rename = await taken(server), [], Path.rename

    def failing(path, target):
        if path.name == "objects":
            raise OSError("the disk")
        done.append(path.name)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="the disk"):
        restored(octets, tmp_path / "new")
    assert "pepper" in done
    assert "audit" in done
    assert not (tmp_path / "new").exists()


def test_a_manifest_is_read_as_it_was_written():
    manifest = Manifest("1.2", "id", 3, 4, "2027", (Member("pepper", 2, "ab"),))
    assert decode_manifest(manifest.encode()) == manifest


async def test_two_restores_of_one_backup_are_two_histories(server, tmp_path):
    octets = await taken(server)
    epochs = set()
    for place in range(2):
        restored(octets, tmp_path / str(place), NOW + place)
        store = LmdbStore(tmp_path / str(place) / "objects")
        epochs.add(store.epoch)
        store.close()
    assert len(epochs) == 2
