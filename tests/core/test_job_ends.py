"""Jobs and their ends: asked for in the midst of things, by a killed core, by callers who go."""

import asyncio

import pytest

from callscreen.core.bulk import importing
from callscreen.core.bulk.exporting import Export
from callscreen.core.bulk.records import load as load_record
from callscreen.core.commands import export_file, jobs
from callscreen.core.commands.context import Core
from callscreen.core.errors import TooMuch
from callscreen.core.store.contract import Key
from callscreen.v1.bulk_pb2 import UNDOING
from callscreen.v1.jobs_pb2 import CANCELLED, DONE, FAILED
from callscreen.v1.provisioning_pb2 import TableQuery

from .bulk import begin, ended, load, told, under_way
from .conftest import tenant

HEADER = "number,subscriber_name,service_provider_name,nickname\n"


@pytest.fixture
async def acme(owner, monkeypatch):
    monkeypatch.setattr("callscreen.core.bulk.lines.BLOCK_BYTES", 2_000)
    await tenant(owner, "acme", "alice", "+15855550000")
    return owner


@pytest.fixture
def slow(monkeypatch):
    """What is written is told of a good while after it is."""
    write = Core.write

    async def slowly(self, caller, work, dear=False):
        result = await write(self, caller, work, dear)
        await asyncio.sleep(0.05)
        return result

    monkeypatch.setattr(Core, "write", slowly)


def rows(count):
    return HEADER + "".join(f"+1585666{n:04},alice,acme,n\n" for n in range(count))


async def until(what):
    for _ in range(1_000_000):
        if what():
            return
        await asyncio.sleep(0)
    raise AssertionError("it does not come to that")


async def idle(core):
    """Jobs are taken, and none is run."""
    await core.jobs.start(core)
    for lane in core.jobs._lanes:
        lane.cancel()
    await asyncio.gather(*core.jobs._lanes, return_exceptions=True)


async def again(core):
    """As a core that begins anew."""
    await core.jobs.close()
    core.jobs.__init__(core.jobs.folder)
    await core.jobs.start(core)


async def test_a_job_that_works_on_while_its_end_is_stored_ends_so(core, acme, slow):
    await core.jobs.start(core)
    job = await begin(core, acme.caller, "pcs/number", rows(2_000), dry_run=True)
    await under_way(core, acme.caller, job)
    await jobs.cancel_job(core, acme.caller, job.name)
    assert (await ended(core, acme.caller, job)).state == CANCELLED


async def test_a_job_whose_outcome_nobody_kept_has_failed(core, acme):
    await idle(core)
    job = await begin(core, acme.caller, "pcs/number", rows(3))
    with core.store.read() as reader:
        record = load_record(reader, Key("pcs", "job", (job.name.rpartition("/")[2],)))
    record.phase = UNDOING
    key = Key("pcs", "job", (job.name.rpartition("/")[2],))
    data = record.SerializeToString()
    await core.write(acme.caller, lambda draft: draft.put_raw(key, data))
    await again(core)
    assert (await ended(core, acme.caller, job)).state == FAILED


async def test_refused_lines_are_told_once_whenever_the_core_is_killed(core, acme, monkeypatch):
    text = rows(3) + "+15859999999,nobody,acme,\n"

    def killed(*_):
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(importing.Log, "sort", killed)
        await core.jobs.start(core)
        job = await begin(core, acme.caller, "pcs/number", text)
        await asyncio.wait(core.jobs._lanes, return_when=asyncio.FIRST_COMPLETED)
    await again(core)
    job = await ended(core, acme.caller, job)
    assert (job.state, job.errors) == (FAILED, 1)
    assert [line for line, _, _ in await told(core, acme.caller, job)] == [5]


async def test_a_file_that_may_hold_secrets_goes_with_its_job(core, cin, monkeypatch):
    await tenant(cin, "acme", "alice", "+15855550000")
    header = "number,subscriber_name,service_provider_name,ivr_pin"
    await idle(core)
    waiting = await begin(core, cin.caller, "cin/number", f"{header}\n+15855550001,alice,acme,47\n")
    assert core.jobs.files(waiting).input.exists()
    assert (await jobs.cancel_job(core, cin.caller, waiting.name)).state == CANCELLED
    assert not core.jobs.files(waiting).input.exists()
    await again(core)
    text = f"{header},color\n+15855550001,alice,acme,4711,red\n"
    job = await load(core, cin.caller, "cin/number", text)
    assert job.state == FAILED
    assert not core.jobs.files(job).input.exists()


@pytest.mark.parametrize("kind", ["import", "export"])
async def test_a_caller_who_goes_leaves_a_whole_job(core, acme, slow, kind):
    await core.jobs.start(core)
    if kind == "import":
        work = begin(core, acme.caller, "pcs/number", rows(3))
    else:
        work = export_file.export_file(core, acme.caller, "pcs/number", TableQuery())
    asked = asyncio.create_task(work)
    await until(lambda: jobs.list_jobs(core, acme.caller, "pcs/job", 10, 0)[1])
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    assert asked.cancelled()
    (job,), _ = jobs.list_jobs(core, acme.caller, "pcs/job", 10, 0)
    await until(lambda: core.jobs.live(job.name))
    assert (await ended(core, acme.caller, job)).state == DONE


async def test_a_job_that_is_not_taken_keeps_no_files(core, acme, monkeypatch):
    async def full(self, caller, work, dear=False):
        raise TooMuch

    await core.jobs.start(core)
    monkeypatch.setattr(Core, "write", full)
    with pytest.raises(TooMuch):
        await begin(core, acme.caller, "pcs/number", rows(3))
    with pytest.raises(TooMuch):
        await export_file.export_file(core, acme.caller, "pcs/number", TableQuery())
    assert list(core.jobs.folder.iterdir()) == []


async def test_half_an_export_is_not_kept(core, acme, monkeypatch):
    def broken(self, file, *_):
        file.write("half")
        raise OSError("no room")

    monkeypatch.setattr(Export, "_fill", broken)
    await core.jobs.start(core)
    job = await export_file.export_file(core, acme.caller, "pcs/number", TableQuery())
    assert (await ended(core, acme.caller, job)).state == FAILED
    assert list(core.jobs.files(job).folder.iterdir()) == []


async def test_what_is_taken_back_is_so_in_steps_that_others_can_wait_for(core, acme, monkeypatch):
    monkeypatch.setattr("callscreen.core.bulk.undoing.GROUP_SECONDS", 0.0)
    monkeypatch.setattr("callscreen.core.bulk.applying.GROUP_ROWS", 50)
    monkeypatch.setattr("callscreen.core.bulk.importing.GROUP_ROWS", 50)
    await core.jobs.start(core)
    name = "pcs/number/acme/alice/%2B15855550000"
    before = acme.get(name)
    changed = "+15855550000,alice,acme,new\n"
    text = rows(150) + changed + "+15859999999,nobody,acme,\n"
    job = await begin(core, acme.caller, "pcs/number", text)
    await under_way(core, acme.caller, job)
    written = core.store.revision
    job = await ended(core, acme.caller, job)
    assert (job.state, job.errors) == (FAILED, 1)
    assert core.store.revision > written + 50
    assert acme.names("pcs/number") == [name]
    assert acme.get(name).number == before.number
    assert core.store.scan("pcs", "job_undo") == []
