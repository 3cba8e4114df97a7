"""No change without its row, no row without its change."""

import asyncio
import csv
import errno
import json
import logging
import os

import pytest

from callscreen.core.audit.files import AuditFiles, entry_key, entry_of, file_name
from callscreen.core.audit.rows import COLUMNS
from callscreen.core.commands.authenticate import authenticate
from callscreen.core.commands.revoke import revoke
from callscreen.core.commands.set_password import set_password
from callscreen.core.errors import AlreadyExists, Unauthenticated
from callscreen.core.origin import Origin, origin
from callscreen.core.store.contract import PrivateDelete, PrivatePut, StoreFailed, StoreFull
from callscreen.core.store.tables import encode_number

from .conftest import tenant

TODAY = "audit-2027.01.15.log"
MADE = ("pcs", TODAY)


def read(tmp_path, product="pcs", name=TODAY):
    path = tmp_path / "audit" / product / name
    with path.open(newline="") as file:
        return [dict(zip(COLUMNS, row, strict=True)) for row in csv.reader(file)]


def told(tmp_path, *columns):
    return [tuple(row[column] for column in columns) for row in read(tmp_path)]


async def test_each_object_of_a_change_has_a_row(owner, tmp_path):
    before = len(read(tmp_path))
    with origin(Origin("r-9", "192.0.2.1", "POST", "job-1")):
        await tenant(owner, "acme", "alice", "+15855550001")
        await owner.update("pcs/service_provider/acme", display_name="Acme")
        await owner.delete("pcs/service_provider/acme")
    found = told(tmp_path, "action", "object", "object_id")[before:]
    assert found[:4] == [
        ("create", "service_provider", "acme"),
        ("create", "subscriber", "acme/alice"),
        ("create", "number", "acme/alice/%2B15855550001"),
        ("update", "service_provider", "acme"),
    ]
    assert sorted(found[4:]) == [
        ("archive", "number", "acme/alice/%2B15855550001"),
        ("archive", "service_provider", "acme"),
        ("archive", "subscriber", "acme/alice"),
    ]
    rows = read(tmp_path)[before:]
    assert {(row["request_id"], row["source_ip"], row["job_id"]) for row in rows} == {
        ("r-9", "192.0.2.1", "job-1")
    }
    assert json.loads(rows[3]["changed_fields"]) == {"display_name": [None, "Acme"]}


async def test_a_rename_is_one_row_an_object(owner, tmp_path):
    await tenant(owner, "acme", "alice", "+15855550001")
    before = len(read(tmp_path))
    await owner.update("pcs/service_provider/acme", name="apex")
    rows = read(tmp_path)[before:]
    assert [(row["action"], row["object_id"].split("/")[0]) for row in rows] == [
        ("rename", "acme")
    ] * 3
    assert json.loads(rows[0]["changed_fields"]) == {"name": ["acme", "apex"]}


async def test_what_was_refused_has_no_row(owner, tmp_path):
    await owner.create("pcs/service_provider", name="acme")
    before = read(tmp_path)
    with pytest.raises(AlreadyExists):
        await owner.create("pcs/service_provider", name="acme")
    assert read(tmp_path) == before


async def test_the_first_start_is_told(core, tmp_path):
    assert told(tmp_path, "username", "action", "object")[0] == ("callscreen", "create", "settings")
    assert read(tmp_path, "cin")
    assert oct((tmp_path / "audit/pcs" / TODAY).stat().st_mode & 0o777) == "0o600"
    assert oct((tmp_path / "audit/pcs").stat().st_mode & 0o777) == "0o700"


async def test_log_duration_says_how_long_a_file_lasts(core, owner, clock, tmp_path):
    await owner.update("pcs/settings/", restworkx={"log_duration": 7})
    await owner.create("pcs/service_provider", name="acme")  # 2027-01-14 began a week
    names = sorted(path.name for path in (tmp_path / "audit/pcs").iterdir())
    assert names == ["audit-2027.01.14.log", TODAY]
    clock.now += 6 * 86400
    await owner.create("pcs/service_provider", name="apex")
    assert (tmp_path / "audit/pcs/audit-2027.01.21.log").exists()
    assert len(read(tmp_path, name="audit-2027.01.14.log")) == 1


@pytest.mark.parametrize(
    ("seconds", "days", "name"),
    [
        (0.0, 1, "audit-1970.01.01.log"),
        (86_399.9, 1, "audit-1970.01.01.log"),
        (86_400.0, 1, "audit-1970.01.02.log"),
        (86_400.0 * 13, 7, "audit-1970.01.08.log"),
        (-1.0, 1, "audit-1969.12.31.log"),
    ],
)
def test_a_file_is_named_by_the_first_day_of_its_period(seconds, days, name):
    assert file_name(seconds, days) == name


async def test_a_log_that_cannot_be_written_refuses_changes_and_only_those(
    core, owner, tmp_path, caplog
):
    await owner.create("pcs/service_provider", name="acme")
    folder, aside = tmp_path / "audit/pcs", tmp_path / "aside"
    folder.rename(aside)
    folder.write_text("no folder")
    for _ in range(2):
        with pytest.raises(StoreFailed, match="audit log cannot be written"):
            await owner.create("pcs/service_provider", name="apex")
    assert owner.names("pcs/service_provider") == ["pcs/service_provider/acme"]
    folder.unlink()
    aside.rename(folder)
    await owner.create("pcs/service_provider", name="apex")
    assert [row["object_id"] for row in read(tmp_path)][-2:] == ["acme", "apex"]


async def test_a_log_that_somebody_removed_begins_anew(owner, tmp_path, caplog):
    await owner.create("pcs/service_provider", name="acme")
    (tmp_path / "audit/pcs" / TODAY).unlink()
    await owner.create("pcs/service_provider", name="apex")
    assert told(tmp_path, "object_id") == [("apex",)]
    assert "was removed" in caplog.text


async def test_a_log_that_somebody_emptied_goes_on(owner, tmp_path, caplog):
    await owner.create("pcs/service_provider", name="acme")
    os.truncate(tmp_path / "audit/pcs" / TODAY, 0)
    await owner.create("pcs/service_provider", name="apex")
    assert told(tmp_path, "object_id") == [("apex",)]
    assert "has lost" in caplog.text


class Disk:
    """Files of one product whose transactions the test ends."""

    def __init__(self, folder, entries=()):
        self.folder = folder
        self.now = 1_800_000_000.0
        self.files = AuditFiles(folder, entries, lambda product: 1, lambda: self.now)

    def text(self, name=TODAY):
        return (self.folder / "pcs" / name).read_bytes()


@pytest.fixture
def disk(tmp_path):
    made = Disk(tmp_path / "audit")
    yield made
    made.files.close()


def entries(size, name=TODAY):
    return [PrivatePut(entry_key(("pcs", name)), encode_number(size))]


def test_the_length_is_an_entry_of_the_transaction(disk):
    assert disk.files.append({"pcs": b"one\n"}) == entries(4)
    disk.files.keep()
    assert disk.files.append({"pcs": b"two\n"}) == entries(8)
    assert entry_of(entry_key(MADE)) == MADE


def test_rows_of_a_run_that_was_repeated_are_there_once(disk):
    disk.files.append({"pcs": b"first run\n"})
    assert disk.files.append({"pcs": b"second\n"}) == entries(7)
    disk.files.keep()
    assert disk.text() == b"second\n"


def test_rows_of_what_failed_are_gone_at_once(disk):
    disk.files.append({"pcs": b"kept\n"})
    disk.files.keep()
    disk.files.append({"pcs": b"failed\n"})
    disk.files.undo()
    assert disk.text() == b"kept\n"


def test_a_start_cuts_what_was_not_committed(tmp_path, disk, caplog):
    caplog.set_level(logging.INFO)
    disk.files.append({"pcs": b"kept\n"})
    disk.files.keep()
    disk.files.append({"pcs": b"killed\n"})
    disk.now += 86_400
    disk.files.append({"pcs": b"killed on the first of its day\n"})
    again = Disk(tmp_path / "audit", [(each.key, each.value) for each in entries(5)])
    again.files.close()
    assert again.text() == b"kept\n"
    left = sorted(path.name for path in (tmp_path / "audit/pcs").iterdir())
    assert left == [TODAY, "audit-2027.01.16.log.unknown"]


def test_the_length_of_a_file_that_is_gone_is_forgotten(tmp_path):
    old = entries(9, "audit-2020.01.01.log")
    disk = Disk(tmp_path / "audit", [(each.key, each.value) for each in old])
    assert disk.files.append({"pcs": b"row\n"}) == [*entries(4), PrivateDelete(old[0].key)]
    disk.files.keep()
    assert disk.files.append({"pcs": b"row\n"}) == entries(8)
    disk.files.close()


def test_the_clock_may_go_back(disk):
    for now in (1_800_000_000.0, 1_800_086_400.0, 1_800_000_000.0):
        disk.now = now
        disk.files.append({"pcs": b"row\n"})
        disk.files.keep()
    assert disk.text() == b"row\nrow\n"


def test_a_full_disk_leaves_no_part_of_a_row(disk, monkeypatch):
    disk.files.append({"pcs": b"kept\n"})
    disk.files.keep()
    write = os.write

    def full(file, data):
        if len(data) < 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[:3])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreFull, match="no room for the audit log"):
        disk.files.append({"pcs": b"never\n"})
    assert disk.text() == b"kept\n"
    monkeypatch.undo()
    assert disk.files.append({"pcs": b"now\n"}) == entries(9)


def test_a_log_that_could_not_be_opened_is_opened_when_it_can(tmp_path, caplog):
    (tmp_path / "audit").write_text("no folder")
    disk = Disk(tmp_path / "audit")
    assert "cannot be opened" in caplog.text
    with pytest.raises(StoreFailed):
        disk.files.append({"pcs": b"never\n"})
    (tmp_path / "audit").unlink()
    assert disk.files.append({"pcs": b"row\n"}) == entries(4)
    disk.files.close()


def test_a_link_is_not_followed(tmp_path, disk):
    (tmp_path / "audit/pcs" / TODAY).symlink_to(tmp_path / "elsewhere")
    disk.files.append({"pcs": b"row\n"})
    assert not (tmp_path / "elsewhere").exists()
    assert disk.text() == b"row\n"


async def test_rows_of_one_group_stand_in_the_order_of_revisions(owner, tmp_path):
    before = len(read(tmp_path))
    names = [f"p{n}" for n in range(50)]
    made = await asyncio.gather(
        *(owner.create("pcs/service_provider", name=each) for each in names)
    )
    ordered = [each.service_provider.name for each in sorted(made, key=lambda one: one.revision)]
    assert told(tmp_path, "object_id")[before:] == [(name,) for name in ordered]


async def test_log_ins_and_passwords_are_told_of_without_their_secrets(core, owner, tmp_path):
    before = len(read(tmp_path))
    name = "pcs/administrator/platform_owner/pcs_administrator"
    await set_password(core, owner.caller, name, "another horse")
    login = await authenticate(core, "pcs", "pcs_administrator", "another horse")
    await revoke(core, core.sessions.check(login.token))
    found = told(tmp_path, "action", "object_id", "username", "role_id")[before:]
    of = ("platform_owner/pcs_administrator", "pcs_administrator", "platform_owner")
    assert found == [("password", *of), ("login", *of), ("logout", *of)]
    text = (tmp_path / "audit/pcs" / TODAY).read_text()
    assert "another horse" not in text
    assert login.token not in text


async def test_a_log_in_that_fails_has_no_row(core, owner, tmp_path):
    before = read(tmp_path)
    with pytest.raises(Unauthenticated):
        await authenticate(core, "pcs", "pcs_administrator", "wrong")
    assert read(tmp_path) == before
