"""Jobs: taken, bounded, cancelled, taken up again, kept for a while."""

import asyncio

import pytest

from callscreen.core.bulk import jobs as jobs_module
from callscreen.core.bulk import past as past_module
from callscreen.core.bulk.exporting import found
from callscreen.core.bulk.jobs import Jobs
from callscreen.core.bulk.limits import FILE_BYTES
from callscreen.core.bulk.records import job_key
from callscreen.core.bulk.states import NEXT, SHOWN, move
from callscreen.core.commands import export_file, import_file, jobs
from callscreen.core.commands.names import collection
from callscreen.core.errors import InvalidInput, NotFound, TooMuch
from callscreen.core.store.contract import StoreFull
from callscreen.schema import TYPES, Invalid, compile_query
from callscreen.v1.bulk_pb2 import ENDED, STAGING, WAITING, JobPhase, JobRecord
from callscreen.v1.jobs_pb2 import (
    CANCELLED,
    DONE,
    QUEUED,
    RUNNING,
    ImportRequest,
    ImportSpec,
    JobState,
)
from callscreen.v1.provisioning_pb2 import TableQuery

from .bulk import begin, ended, load, under_way
from .conftest import tenant

HEADER = "number,subscriber_name,service_provider_name,nickname\n"
DAY = 86_400


@pytest.fixture
async def acme(owner):
    await tenant(owner, "acme", "alice", "+15855550000")
    return owner


def rows(count):
    return HEADER + "".join(f"+1585666{n:04},alice,acme,n\n" for n in range(count))


def test_the_tables_name_every_phase_and_state():
    assert set(NEXT) == set(SHOWN) == set(JobPhase.values())
    assert set().union(*SHOWN.values()) == set(JobState.values()) - {0}
    assert not NEXT[ENDED]
    record = JobRecord(phase=WAITING)
    with pytest.raises(ValueError, match="cannot be"):
        move(record, STAGING, QUEUED, 0.0)
    move(record, STAGING, RUNNING, 5.0)
    move(record, ENDED, DONE, 6.0)
    assert (record.job.started.seconds, record.job.ended.seconds) == (5, 6)
    with pytest.raises(ValueError, match="cannot go"):
        move(record, STAGING, RUNNING, 7.0)


async def test_a_job_that_waits_goes_on_after_a_restart(core, acme):
    core.jobs.folder.mkdir()
    core.jobs._waiting = {"import": asyncio.Queue(), "export": asyncio.Queue()}
    waiting = await begin(core, acme.caller, "pcs/number", rows(30))
    assert waiting.state == QUEUED
    (core.jobs.folder / "0123456789abcdef01234567").mkdir()  # of a job that was never made
    await core.jobs.close()
    core.jobs.__init__(core.jobs.folder)
    await core.jobs.start(core)
    assert (await ended(core, acme.caller, waiting)).state == DONE
    assert [path.name for path in core.jobs.folder.iterdir()] == [waiting.name.split("/")[2]]


async def test_a_job_that_waits_is_cancelled_at_once_and_for_good(core, acme):
    core.jobs.folder.mkdir()
    core.jobs._waiting = {"import": asyncio.Queue(), "export": asyncio.Queue()}
    waiting = await begin(core, acme.caller, "pcs/number", rows(30))
    assert (await jobs.cancel_job(core, acme.caller, waiting.name)).state == CANCELLED
    assert (await jobs.cancel_job(core, acme.caller, waiting.name)).state == CANCELLED
    await core.jobs.start(core)
    assert (await load(core, acme.caller, "pcs/number", rows(2))).state == DONE
    assert jobs.get_job(core, acme.caller, waiting.name).state == CANCELLED
    assert acme.list("pcs/number").total == 3


async def test_a_running_job_that_is_cancelled_leaves_nothing(core, acme, monkeypatch):
    monkeypatch.setattr("callscreen.core.bulk.lines.BLOCK_BYTES", 2_000)
    monkeypatch.setattr("callscreen.core.bulk.applying.GROUP_ROWS", 50)
    monkeypatch.setattr("callscreen.core.bulk.importing.GROUP_ROWS", 50)
    await core.jobs.start(core)
    job = await begin(core, acme.caller, "pcs/number", rows(1_500))
    await under_way(core, acme.caller, job)
    job = await jobs.cancel_job(core, acme.caller, job.name)
    assert (job.state, job.rows_created) == (CANCELLED, 0)
    assert acme.list("pcs/number").total == 1
    assert core.store.scan("pcs", "job_undo") == []
    found, total = jobs.list_jobs(core, acme.caller, "pcs/job", 10, 0)
    assert (found[0].name, total) == (job.name, 1)


async def test_what_somebody_else_changed_meanwhile_stays(core, acme, monkeypatch):
    monkeypatch.setattr("callscreen.core.bulk.lines.BLOCK_BYTES", 2_000)
    monkeypatch.setattr("callscreen.core.bulk.applying.GROUP_ROWS", 50)
    monkeypatch.setattr("callscreen.core.bulk.importing.GROUP_ROWS", 50)
    await core.jobs.start(core)
    text = rows(1_500) + "+15859999999,nobody,acme,\n"
    job = await begin(core, acme.caller, "pcs/number", text)
    await under_way(core, acme.caller, job)
    name = "pcs/number/acme/alice/%2B15856660000"
    await acme.update(name, nickname="mine")
    job = await ended(core, acme.caller, job)
    assert acme.names("pcs/number") == ["pcs/number/acme/alice/%2B15855550000", name]
    assert acme.get(name).number.nickname == "mine"
    told = [line.message async for line in jobs.read_log(core, acme.caller, job.name)]
    assert any("was changed while" in message for message in told)


async def test_what_cannot_be_a_job_is_refused_before_a_file_is_kept(core, acme, monkeypatch):
    await core.jobs.start(core)

    async def requests(*parts):
        for part in parts:
            yield part, acme.caller

    spec = ImportRequest(spec=ImportSpec(parent="pcs/number"))
    data = ImportRequest(data=b"x")
    large = ImportRequest(spec=ImportSpec(parent="pcs/number", size=FILE_BYTES + 1))
    long = ImportRequest(spec=ImportSpec(parent="pcs/number", file="x" * 251))
    no_role = ImportRequest(spec=ImportSpec(parent="pcs/administrator/null%2Cnull"))
    no_type = ImportRequest(spec=ImportSpec(parent="pcs/nothing"))
    empty = ImportRequest(data=b"")
    for wrong, error in (
        ((), InvalidInput),
        ((data,), InvalidInput),
        ((large,), TooMuch),
        ((long,), InvalidInput),
        ((no_type,), NotFound),
        ((no_role,), Invalid),
        ((spec, spec), InvalidInput),
        ((spec, data, empty), InvalidInput),
        ((spec, ImportRequest(data=b"\x89PNG\r\n\x1a\n\0")), InvalidInput),
        ((spec, ImportRequest(data=b"number\0\n")), InvalidInput),
    ):
        with pytest.raises(error):
            await import_file.import_file(core, requests(*wrong))
    with pytest.raises(Invalid):
        await export_file.export_file(core, acme.caller, no_role.spec.parent, TableQuery())
    monkeypatch.setattr(import_file, "FILE_BYTES", 2)
    with pytest.raises(import_file.TooLarge):
        await import_file.import_file(core, requests(spec, data, data, data))
    monkeypatch.setattr(jobs_module, "JOBS_WAITING", 0)
    with pytest.raises(TooMuch):
        await import_file.import_file(core, requests(spec, data))
    with pytest.raises(TooMuch):
        await export_file.export_file(core, acme.caller, "pcs/number", TableQuery())
    assert list(core.jobs.folder.iterdir()) == []


def test_only_the_first_line_of_a_file_must_be_text_to_begin():
    for text in (b"name\n\x89\0", b"\xef\xbb\xbfname\n", b"n" * 511 + b"\xc3", b""):
        assert import_file.is_text(text)
    for other in (b"\x89PNG", b"n\0", b"n\xff\n", b"n" * 510 + b"\xff"):
        assert not import_file.is_text(other)


async def test_jobs_are_kept_as_long_as_is_said(core, acme, cin, clock):
    await core.jobs.start(core)
    await tenant(cin, "acme", "alice", "+15855550000")
    await cin.update("cin/settings/", cin_settings={"csv_retention_days": 5})
    mine = await load(core, acme.caller, "pcs/number", rows(1))
    theirs = await load(core, cin.caller, "cin/number", rows(1))
    clock.now += 6 * DAY
    await core.jobs.sweep(core)
    assert jobs.get_job(core, acme.caller, mine.name).state == DONE
    with pytest.raises(NotFound):
        jobs.get_job(core, cin.caller, theirs.name)
    assert len(list(core.jobs.folder.iterdir())) == 1
    clock.now += 25 * DAY
    await core.jobs.sweep(core)
    assert jobs.list_jobs(core, acme.caller, "pcs/job", None, 0) == ([], 0)
    assert list(core.jobs.folder.iterdir()) == []


async def test_older_jobs_of_a_tenant_give_way(core, acme, cin, monkeypatch, caplog):
    await core.jobs.start(core)
    monkeypatch.setattr(past_module, "JOBS_KEPT", 2)
    caplog.set_level("INFO", "callscreen.core")
    await tenant(cin, "acme", "alice", "+15855550000")
    theirs = await load(core, cin.caller, "cin/number", rows(1))
    mine = [(await load(core, acme.caller, "pcs/number", rows(1))).name for _ in range(3)]
    await gone(core, mine[:1])
    found, _ = jobs.list_jobs(core, acme.caller, "pcs/job", None, 0)
    assert {job.name for job in found} == set(mine[1:])
    assert jobs.get_job(core, cin.caller, theirs.name).state == DONE
    assert "newer ones are kept" in caplog.text
    await core.jobs.close()
    core.jobs.__init__(core.jobs.folder)
    await core.jobs.start(core)
    monkeypatch.setattr(past_module, "KEPT_BYTES", 0)  # the last is kept all the same
    mine.append((await load(core, acme.caller, "pcs/number", rows(1))).name)
    await gone(core, mine[:3])
    assert jobs.get_job(core, acme.caller, mine[3]).state == DONE
    assert len(list(core.jobs.folder.iterdir())) == 2


async def gone(core, names):
    """Waits until these jobs are kept no more, nor their files."""
    for _ in range(3_000):
        with core.store.read() as reader:
            left = [name for name in names if reader.get(job_key(name)) is not None]
        if not left and not any((core.jobs.folder / name[-24:]).exists() for name in names):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"still there: {left}")


async def test_a_store_that_is_full_keeps_old_jobs_and_runs_new_ones(
    core, acme, monkeypatch, caplog
):
    await core.jobs.start(core)
    monkeypatch.setattr(past_module, "JOBS_KEPT", 1)
    first = await load(core, acme.caller, "pcs/number", rows(1))

    def full(key, draft):
        raise StoreFull

    monkeypatch.setattr(jobs_module, "_forget", full)
    await load(core, acme.caller, "pcs/number", rows(1))
    last = await load(core, acme.caller, "pcs/number", rows(1))
    assert "jobs that are too many stay" in caplog.text
    monkeypatch.undo()
    assert {first.name, last.name} <= {
        job.name for job in jobs.list_jobs(core, acme.caller, "pcs/job", None, 0)[0]
    }


async def test_a_tenant_s_jobs_leave_places_for_others(core, acme, cin, monkeypatch):
    await core.jobs.start(core)
    await tenant(cin, "acme", "alice", "+15855550000")
    monkeypatch.setattr(jobs_module, "JOBS_WAITING_EACH", 2)
    coming = asyncio.Event()
    spec = ImportRequest(spec=ImportSpec(parent="pcs/number", file="x.csv"))

    async def slow():
        yield spec, acme.caller
        await coming.wait()
        yield ImportRequest(data=rows(1).encode()), acme.caller

    tasks = [asyncio.create_task(import_file.import_file(core, slow())) for _ in range(2)]
    async with asyncio.timeout(20):
        while len(list(core.jobs.folder.iterdir())) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
    with pytest.raises(TooMuch):
        await import_file.import_file(core, slow())
    assert (await load(core, cin.caller, "cin/number", rows(1))).state == DONE
    coming.set()
    for job in await asyncio.gather(*tasks):
        assert (await ended(core, acme.caller, job)).state == DONE
    assert (await load(core, acme.caller, "pcs/number", rows(1))).state == DONE


async def test_names_that_are_none_and_pages(core, acme):
    await core.jobs.start(core)
    for name in ("pcs/job/../../x", "pcs/job/", "xyz/job/" + "0" * 24, "pcs/number/" + "0" * 24):
        with pytest.raises(NotFound):
            jobs.get_job(core, acme.caller, name)
    made = [(await load(core, acme.caller, "pcs/number", rows(1))).name for _ in range(3)]
    found, total = jobs.list_jobs(core, acme.caller, "pcs/job", 1, 1)
    assert ([job.name for job in found], total) == (sorted(made)[1:2], 3)
    with pytest.raises(InvalidInput):
        jobs.list_jobs(core, acme.caller, "pcs/job", -1, 0)
    with pytest.raises(NotFound):
        jobs.list_jobs(core, acme.caller, "pcs/number", None, 0)
    with pytest.raises(NotFound):
        async for _ in jobs.download(core, acme.caller, made[0], 0):
            pass
    assert isinstance(core.jobs, Jobs)


async def test_files_are_durable_before_what_speaks_of_them(core, acme, monkeypatch):
    synced = []

    def sync(folder):
        synced.append({path.name for path in folder.iterdir()})

    monkeypatch.setattr("callscreen.core.bulk.records.sync_folder", sync)
    await core.jobs.start(core)
    job = await begin(core, acme.caller, "pcs/number", rows(2))
    assert synced[0] == {"input.csv"}
    assert job.name.rpartition("/")[2] in synced[1]
    await ended(core, acme.caller, job)
    synced.clear()
    job = await export_file.export_file(core, acme.caller, "pcs/number", TableQuery())
    await ended(core, acme.caller, job)
    assert synced[0] == {"export.csv"}


async def test_a_sorted_export_hears_of_its_end_while_it_scans(core, acme, monkeypatch):
    monkeypatch.setattr("callscreen.core.bulk.exporting.EXPORT_ROWS", 1)
    await core.jobs.start(core)
    await load(core, acme.caller, "pcs/number", rows(3))
    query = compile_query(TableQuery(sort="number"), TYPES["number"].columns("pcs"), default_cc="")
    steps = [*found(core.store, acme.caller, collection("pcs/number"), query)]
    assert [len(step) for step in steps] == [0] * 4 + [1] * 4
