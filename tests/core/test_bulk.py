"""Imports and exports: what becomes of a file."""

import csv
from contextlib import AsyncExitStack

import pytest

from callscreen.core.audit.rows import COLUMNS
from callscreen.core.commands import jobs
from callscreen.core.errors import InvalidInput, NotFound, PermissionDenied
from callscreen.core.server import first_start
from callscreen.core.store.contract import COLUMNS as COLUMN_INDEX
from callscreen.core.store.contract import UNIQUE as UNIQUE_INDEX
from callscreen.core.store.memory import MemoryStore
from callscreen.core.store.memory_records import MemoryRecords
from callscreen.core.wiring import CoreConfig, wire
from callscreen.v1.jobs_pb2 import DONE, FAILED, INSERT, REPLACE, UPSERT
from callscreen.v1.object_pb2 import Change, Object

from .bulk import begin, dump, load, told
from .conftest import CHEAP, Desk, tenant

HEADER = "number,subscriber_name,service_provider_name,nickname,whitelist,blacklist\n"


@pytest.fixture
async def core(core):
    await core.jobs.start(core)
    return core


@pytest.fixture
async def acme(owner):
    await tenant(owner, "acme", "alice", "+15855550000")
    return owner


async def test_a_file_becomes_objects(core, acme):
    before = core.store.revision
    text = HEADER + "".join(
        f"585555{n:04},alice,acme,n{n},1900*;+1866xxxxxxx,\n" for n in range(1, 900)
    )
    job = await load(core, acme.caller, "pcs/number", text)
    assert (job.state, job.rows_total, job.rows_done, job.rows_created) == (DONE, 899, 899, 899), (
        job
    )
    assert acme.list("pcs/number").total == 900
    found = acme.get("pcs/number/acme/alice/%2B15855550007")
    assert found.number.nickname == "n7"
    assert list(found.number.whitelist) == ["+11900*", "+1866xxxxxxx"]
    assert found.stamps.created_by == "pcs_administrator"
    assert core.engine.screen(1, "+15855550007", "", False, "").subscriber_name == "alice"
    assert core.store.revision > before


async def test_one_wrong_line_writes_nothing_and_every_one_is_told(core, acme):
    text = (
        HEADER
        + "+15855550001,alice,acme,,,\n"
        + "no number,alice,acme,,,\n"
        + '"+15855550002",alice,acme,"two\nlines",,\n'
        + "+15855550003,alice,acme\n"
        + "+15855550004,,acme,,z,y\n"
    )
    before = core.store.revision
    job = await load(core, acme.caller, "pcs/number", text)
    assert (job.state, job.errors, job.rows_total) == (FAILED, 3, 5)
    assert job.message == "3 of 5 lines were refused: nothing was written."
    lines = await told(core, acme.caller, job)
    assert [line for line, _, _ in lines] == [3, 6, 7, 7]
    assert lines[0] == (3, "number", "Number(): Field 'number' must be a telephone number.")
    assert lines[1][2] == "The line has 3 cells, and there are 6 columns."
    assert {field for _, field, _ in lines[2:]} == {"whitelist[0]", "blacklist[0]"}
    assert acme.list("pcs/number").total == 1
    assert not any(each.name.startswith("staged") for each in core.jobs.files(job).folder.iterdir())
    assert core.feed.revision == core.store.revision > before


@pytest.mark.parametrize(("mode", "nickname"), [(UPSERT, "old"), (REPLACE, "")])
async def test_modes_change_what_they_say(core, acme, mode, nickname):
    name = "pcs/number/acme/alice/%2B15855550000"
    await acme.update(name, nickname="old", blacklist=["+1900*"])
    text = (
        "number,subscriber_name,service_provider_name,blacklist\n+15855550000,alice,acme,+1901*\n"
    )
    job = await load(core, acme.caller, "pcs/number", text, mode=mode)
    assert (job.state, job.rows_created, job.rows_changed) == (DONE, 0, 1)
    found = acme.get(name)
    assert (found.number.nickname, list(found.number.blacklist)) == (nickname, ["+1901*"])
    assert found.stamps.HasField("created")
    again = await load(core, acme.caller, "pcs/number", text, mode=mode)
    assert (again.state, again.rows_done, again.rows_changed) == (DONE, 1, 0)


async def test_an_empty_cell_clears_and_a_key_that_is_taken_is_refused(core, acme):
    name = "pcs/number/acme/alice/%2B15855550000"
    await acme.update(name, nickname="old")
    text = HEADER + "+15855550000,alice,acme,,,\n"
    job = await load(core, acme.caller, "pcs/number", text, mode=INSERT)
    assert (job.state, job.errors) == (FAILED, 1)
    assert await told(core, acme.caller, job) == [(2, "", "The object exists already.")]
    assert acme.get(name).number.nickname == "old"
    await load(core, acme.caller, "pcs/number", text)
    assert acme.get(name).number.nickname == ""


async def test_the_store_s_refusals_take_everything_back(core, acme, monkeypatch):
    monkeypatch.setattr("callscreen.core.bulk.lines.BLOCK_BYTES", 2_000)
    monkeypatch.setattr("callscreen.core.bulk.applying.GROUP_ROWS", 250)
    monkeypatch.setattr("callscreen.core.bulk.importing.GROUP_ROWS", 250)
    name = "pcs/number/acme/alice/%2B15855550000"
    await acme.update(name, nickname="as it was")
    was = acme.get(name)
    rows = [f"+1585555{n:04},alice,acme,new,,\n" for n in range(1_000)]
    rows[0] = "+15855550000,alice,acme,new,,\n"
    rows.append("+15856660000,nobody,acme,,,\n")
    job = await load(core, acme.caller, "pcs/number", HEADER + "".join(rows))
    assert (job.state, job.errors, job.rows_total) == (FAILED, 1, 1001)
    assert (job.rows_created, job.rows_changed) == (0, 0)
    message = "Number(): Field 'subscriber_name' must name an existing subscriber."
    assert await told(core, acme.caller, job) == [(1002, "subscriber_name", message)]
    assert acme.names("pcs/number") == [name]
    now = acme.get(name)
    assert now.number == was.number
    assert now.stamps == was.stamps
    assert now.revision > was.revision + 4
    assert core.engine.screen(1, "+15855550001", "", False, "").reason == "not_provisioned"
    assert core.store.scan("pcs", "job_undo") == []


async def test_a_file_of_a_thousand_rows_is_one_batch(core, acme):
    rows = "".join(f"+1585556{n:04},alice,acme,,,\n" for n in range(1_000))
    await load(core, acme.caller, "pcs/number", HEADER + rows)
    names = [name for name in acme.names("pcs/number") if "585556" in name]
    revisions = {acme.get(name).revision for name in names}
    assert len(revisions) == 1


async def test_a_dry_run_tells_all_and_writes_nothing(core, acme):
    text = (
        HEADER
        + "+15855550000,alice,acme,new,,\n"
        + "+15855550001,alice,acme,,,\n"
        + "+15855550002,nobody,acme,,,\n"
        + "+15855550003,alice,acme,,,\n"
        + "+15855550003,alice,acme,,,\n"
    )
    for mode, errors in ((UPSERT, [4]), (INSERT, [2, 4, 6])):
        job = await load(core, acme.caller, "pcs/number", text, mode=mode, dry_run=True)
        assert (job.state, job.errors) == (FAILED, len(errors))
        assert [line for line, _, _ in await told(core, acme.caller, job)] == errors
    good = text.replace("nobody", "alice")
    job = await load(core, acme.caller, "pcs/number", good, dry_run=True)
    assert (job.state, job.rows_done, job.rows_created, job.rows_changed) == (DONE, 5, 3, 1)
    assert acme.names("pcs/number") == ["pcs/number/acme/alice/%2B15855550000"]


async def test_rows_pass_the_gate_of_their_actor(core, acme, desk):
    await tenant(acme, "other", "bob", "+15866660000")
    theirs = "+15866660001,bob,other,,,\n"
    mine = "+15855550001,alice,acme,,,\n"
    own = desk("service_provider:acme").caller
    job = await load(core, own, "pcs/number", HEADER + mine + theirs)
    assert job.state == FAILED
    ((line, _, message),) = await told(core, own, job)
    assert (line, message) == (3, "You do not have permission to perform that operation.")
    assert (await load(core, own, "pcs/number", HEADER + mine)).state == DONE
    with pytest.raises(PermissionDenied):
        await begin(core, desk("subscriber:acme:alice").caller, "pcs/service_provider", "name\nx\n")
    with pytest.raises(PermissionDenied):
        await begin(core, own, "cin/number", "x")
    with pytest.raises(InvalidInput):
        await begin(core, acme.caller, "pcs/audio", "x")


async def test_jobs_of_others_look_not_provisioned(core, acme, desk):
    await tenant(acme, "other", "bob", "+15866660000")
    one, two = desk("service_provider:acme"), desk("service_provider:other")
    job = await load(core, one.caller, "pcs/number", HEADER + "+15855550001,alice,acme,,,\n")
    for caller in (two.caller, desk("platform_owner", "cin").caller):
        with pytest.raises(NotFound):
            jobs.get_job(core, caller, job.name)
        with pytest.raises(NotFound):
            await jobs.cancel_job(core, caller, job.name)
        with pytest.raises(NotFound):
            await told(core, caller, job)
        assert jobs.list_jobs(core, caller, f"{caller.product}/job", None, 0) == ([], 0)
    for caller in (one.caller, acme.caller):
        assert jobs.get_job(core, caller, job.name).state == DONE
        found, total = jobs.list_jobs(core, caller, "pcs/job", None, 0)
        assert ([each.name for each in found], total) == ([job.name], 1)


async def test_what_was_exported_imports_to_the_same(core, owner):
    await owner.create(
        "pcs/service_provider",
        name="acme",
        address='1 Main St\nRochester, "NY"',
        blacklist=["+1900*", "+1866xxxxxxx"],
        notes="ends in a break\r\n",
    )
    await owner.create("pcs/subscriber/acme", name="al,ice", service_enabled=False)
    await owner.create("pcs/administrator", role_id="service_provider:acme", username="ann")
    for kind in ("service_provider", "subscriber", "administrator"):
        text = await dump(core, owner.caller, f"pcs/{kind}")
        before = [owner.get(name) for name in owner.names(f"pcs/{kind}")]
        job = await load(core, owner.caller, f"pcs/{kind}", text)
        assert (job.state, job.rows_changed, job.rows_done) == (DONE, 0, len(before)), job
        assert [owner.get(name) for name in owner.names(f"pcs/{kind}")] == before
    rows = (await dump(core, owner.caller, "pcs/subscriber", search="name:nobody")).splitlines()
    assert len(rows) == 1


async def test_pins_are_kept_hashed_and_never_leave(core, cin, owner):
    await tenant(cin, "acme", "alice", "+15855550000")
    name = "cin/number/acme/alice/%2B15855550000"
    header = "number,subscriber_name,service_provider_name,ivr_pin,vip\n"
    line = "+15855550000,alice,acme,4711,+1700*\n"
    job = await load(core, cin.caller, "cin/number", header + line)
    assert job.state == DONE
    assert not core.jobs.files(job).input.exists()
    text = await dump(core, cin.caller, "cin/number")
    assert text.splitlines()[1] == "+15855550000,alice,acme,,,,+1700*,"
    held = core.store.scan("cin", "number")
    assert b"4711" not in held[0][1]
    await load(core, cin.caller, "cin/number", text)
    assert cin.get(name).number.ivr_pin == "********"
    forged = header + "+15855550000,alice,acme,hmac-sha256$00$00,\n"
    assert (await load(core, cin.caller, "cin/number", forged)).state == FAILED
    await load(core, cin.caller, "cin/number", text, mode=REPLACE)
    assert cin.get(name).number.ivr_pin == ""


async def test_the_path_fills_the_key_and_must_agree(core, acme):
    text = "number\n585-555-0009\n"
    assert (await load(core, acme.caller, "pcs/number/acme/alice", text)).state == DONE
    assert acme.get("pcs/number/acme/alice/%2B15855550009").number.subscriber_name == "alice"
    other = "number,subscriber_name\n+15855550010,bob\n"
    job = await load(core, acme.caller, "pcs/number/acme/alice", other)
    message = "Number(): Field 'subscriber_name' must be that of the path."
    assert await told(core, acme.caller, job) == [(2, "subscriber_name", message)]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("number,number\n", 1, "Number(): Field 'number' is named twice by the header row."),
        ("number,color\n", 1, "Number(): Field 'color' is unknown."),
        (
            "number,nickname\n",
            1,
            "Number(): Field 'service_provider_name' is required, but missing from the header row.",
        ),
        (HEADER + '"+1585,alice,acme,,,\n', 2, "The line is not CSV: unexpected end of data."),
        (HEADER.encode() + b"+1585\0,alice,acme,,,\n", 2, "The line holds a null character."),
        (HEADER.encode() + b"+1585,\xff,acme,,,\n", 2, "The line is not UTF-8."),
    ],
)
async def test_files_that_are_none(core, acme, text, line, message):
    job = await load(core, acme.caller, "pcs/number", text)
    assert (job.state, job.errors) == (FAILED, 1)
    assert [(n, m) for n, _, m in await told(core, acme.caller, job)] == [(line, message)]


async def test_empty_lines_leave_no_rows_in_the_audit_log(core, acme, monkeypatch):
    monkeypatch.setattr("callscreen.core.bulk.applying.GROUP_ROWS", 0)  # each block is a group
    folder = core.data / "audit" / "pcs"
    before = sum(path.read_bytes().count(b"\n") for path in folder.iterdir())
    text = HEADER + "+15855550001,alice,acme,,,\n" + "\n" * 200_000
    assert (await load(core, acme.caller, "pcs/number", text)).rows_created == 1
    assert sum(path.read_bytes().count(b"\n") for path in folder.iterdir()) == before + 1


async def test_an_empty_file_is_told(core, acme):
    for text in ("", "\r\n\n", HEADER):
        job = await load(core, acme.caller, "pcs/number", text)
        assert (job.state, job.message) == (FAILED, "The file holds no line that can be read.")


def entries(core, table):
    with core.store.read() as reader:
        return list(reader.scan_index(table, b"", b"\xff" * 600))


def audited(core, action):
    """Product, object, id, action, code and fields of the rows of an action, sorted."""
    rows = []
    for path in (core.data / "audit" / "pcs").iterdir():
        found = csv.DictReader(path.read_text().splitlines(), fieldnames=COLUMNS)
        rows += [row for row in found if row["action"] == action]
    kept = ("product", "object", "object_id", "action", "code", "changed_fields")
    return sorted(tuple(row[name] for name in kept) for row in rows)


@pytest.mark.parametrize("quick", [True, False])
async def test_what_is_imported_is_what_single_writes_make(
    core, acme, tmp_path, clock, monkeypatch, quick
):
    if not quick:
        monkeypatch.setattr("callscreen.core.bulk.staging.quick_of", lambda *given: None)
    config = CoreConfig(tmp_path / "other", service_token="service", clock=clock, hasher=CHEAP)
    config.data.mkdir()
    async with AsyncExitStack() as stack:
        other = wire(config, MemoryStore(), MemoryRecords(), stack)
        await first_start(other, "correct horse")
        desk = Desk(other, acme.caller)
        await tenant(desk, "acme", "alice", "+15855550000")
        subscribers, numbers = ["-bob", "=c d"], ["+15855550001", "+15855550002"]
        for name in subscribers:
            await desk.create("pcs/subscriber/acme", name=name, voicemail="vm@example.net")
        for number in numbers:
            lists = [f"+1{n:04}" for n in range(25)]
            owner = {"service_provider_name": "acme", "subscriber_name": "-bob"}
            await desk.create(
                "pcs/number", number=number, nickname="n" * 200, whitelist=lists, **owner
            )
        text = "name,service_provider_name,voicemail\n"
        text += "".join(f"{name},acme,vm@example.net\n" for name in subscribers)
        assert (await load(core, acme.caller, "pcs/subscriber", text)).rows_created == 2
        text = "".join(f"{n},-bob,acme,{'n' * 200},{';'.join(lists)}\n" for n in numbers)
        assert (await load(core, acme.caller, "pcs/number", text)).rows_created == 2
        for kind in ("subscriber", "number"):
            mine, theirs = core.store.scan("pcs", kind), other.store.scan("pcs", kind)
            assert len(mine) == len(theirs) == 3
            for (key, value), (other_key, other_value) in zip(mine, theirs, strict=True):
                one, two = Object.FromString(value), Object.FromString(other_value)
                one.revision = two.revision
                assert (key, one) == (other_key, two)
                assert len(value) == len(other_value)
        for table in (UNIQUE_INDEX, COLUMN_INDEX):
            assert entries(core, table) == entries(other, table)
        assert audited(core, "create") == audited(other, "create")
    published = Change.FromString(core.store.tail(core.store.revision - 1)[0][1])
    assert [each.name for each in published.mutations] == [
        each.put.name for each in published.mutations
    ]
    assert [each.put.number.number for each in published.mutations] == numbers
