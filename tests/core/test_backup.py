"""A backup is whole and of one moment; what is restored from it goes on."""

import asyncio
import hashlib
import io
import os
import tarfile
import threading
import time
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
import pytest

from callscreen.core.access import principal, service
from callscreen.core.audit.files import PREFIX
from callscreen.core.commands import backup as backup_command
from callscreen.core.commands.jobs import get_job
from callscreen.core.errors import Unavailable
from callscreen.core.indexing import make_complete
from callscreen.core.server import first_start
from callscreen.core.store.contract import Batch, Key, Put, StoreFailed
from callscreen.core.store.lmdb import LmdbStore
from callscreen.core.upkeep import backup as backup_module
from callscreen.core.upkeep.backup import Backup
from callscreen.core.upkeep.check import check
from callscreen.core.wiring import CoreConfig, build
from callscreen.v1 import (
    maintenance_pb2,
    maintenance_pb2_grpc,
    provisioning_pb2,
    replication_pb2,
    replication_pb2_grpc,
)
from callscreen.v1.jobs_pb2 import DONE, FAILED

from .backups import NOW, restored, taken
from .bulk import begin, ended
from .conftest import CHEAP, PASSWORD, Desk, running, tenant
from .remote import create, fill, log_in, provisioning, refused

OWNER = principal("pcs", "pcs_administrator", "platform_owner")


def names(octets):
    with tarfile.open(fileobj=io.BytesIO(octets)) as archive:
        return archive.getnames()


async def objects(server):
    page = await provisioning(server).List(
        provisioning_pb2.ListRequest(parent="pcs/number/acme/alice"), metadata=server.service
    )
    return [each.name for each in page.objects]


async def resume_token(server):
    stub = replication_pb2_grpc.ReplicationStub(server.channel)
    request = replication_pb2.SnapshotRequest()
    chunks = [chunk async for chunk in stub.Snapshot(request, metadata=server.service)]
    return getattr(chunks[0], "from")


async def test_what_is_restored_is_what_was_there(server, clock, tmp_path):
    await fill(server)
    digest = hashlib.sha256(b"RIFF").hexdigest()
    (server.data / "audio" / digest[:2]).mkdir(parents=True)
    (server.data / "audio" / digest[:2] / digest).write_bytes(b"RIFF")
    before = await resume_token(server)
    octets = await taken(server)
    await create(server, "pcs/number/acme/alice", number="+15855550002")  # after the backup
    manifest = restored(octets, tmp_path / "again", clock.now)
    assert manifest.store_id == before.store_id
    assert manifest.revision == before.revision
    again = tmp_path / "again"
    assert (again / "pepper").read_text() == (server.data / "pepper").read_text()
    assert (again / "service.token").read_text().strip() != server.token
    assert (again / "audio" / digest[:2] / digest).read_bytes() == b"RIFF"
    for path in [again, *again.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
    kept, goes_on = (
        next((folder / "audit/pcs").iterdir()).read_bytes() for folder in (again, server.data)
    )
    assert goes_on.startswith(kept)
    assert len(goes_on) > len(kept)
    async with running(again, clock=clock) as other:
        assert await objects(other) == ["pcs/number/acme/alice/%2B15855550001"]
        await log_in(other)
        token = await resume_token(other)
        assert token.epoch > before.epoch
        watch = replication_pb2_grpc.ReplicationStub(other.channel).Watch(
            replication_pb2.WatchRequest(after=before), metadata=other.service
        )
        error = await refused(watch.read())
        assert error.code() is grpc.StatusCode.OUT_OF_RANGE


async def test_call_records_may_be_left_out(server):
    assert "records/data.mdb" in names(await taken(server))
    assert "records/data.mdb" not in names(await taken(server, without_records=True))


async def test_the_key_of_mail_that_waits_is_in_no_backup(server, tmp_path, clock):
    key = (server.data / "mail.key").read_bytes()
    octets = await taken(server)
    assert "mail.key" not in names(octets)
    assert key.strip() not in octets
    restored(octets, tmp_path / "again", clock.now)
    async with running(tmp_path / "again", clock=clock):
        assert (tmp_path / "again" / "mail.key").read_bytes() != key


async def test_only_internal_services_may(server):
    _, owner = await log_in(server)
    stub = maintenance_pb2_grpc.MaintenanceStub(server.channel)
    error = await refused(stub.Backup(maintenance_pb2.BackupRequest(), metadata=owner).read())
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_backup_while_changes_are_made_is_of_one_moment(server, tmp_path):
    await fill(server)
    numbers = [f"+1585555{n:04}" for n in range(10, 300)]

    async def change():
        for number in numbers:
            await create(server, "pcs/number/acme/alice", number=number)

    changing = asyncio.create_task(change())
    await asyncio.sleep(0)
    backups = [await taken(server) for _ in range(3)]
    await changing
    for place, octets in enumerate(backups):
        folder = tmp_path / f"again{place}"
        manifest = restored(octets, folder)
        store = LmdbStore(folder / "objects")
        assert store.revision == manifest.revision
        found = [key.path[-1] for key, _ in store.scan("pcs", "number")][1:]
        assert found == numbers[: len(found)]
        with store.read() as reader:
            lengths = dict(reader.scan_private(PREFIX))
        store.close()
        rows = b"".join(path.read_bytes() for path in (folder / "audit/pcs").iterdir())
        assert rows.count(b",number,") == len(found) + 1
        assert lengths


class Source:
    """A store whose copy goes on until nobody reads it."""

    def __init__(self, error=None, pause=0.0):
        self.error = error
        self.pause = pause
        self.begun = threading.Event()
        self.ended = threading.Event()

    def copy(self, file):
        self.begun.set()
        try:
            if self.error:
                raise self.error
            while True:
                os.write(file, bytes(65536))
                time.sleep(self.pause)
        except OSError as error:
            raise StoreFailed from error
        finally:
            self.ended.set()


def made(tmp_path, source):
    return Backup(tmp_path, source, None, ("1", "id", 1), dict, NOW)


def test_a_backup_that_is_given_up_lets_the_store_go(tmp_path):
    source = Source()
    backup = made(tmp_path, source)
    threading.Timer(0.05, backup.cancel).start()
    with pytest.raises(Unavailable, match="given up"):
        list(backup.pieces())
    assert source.ended.wait(10)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_fails_fails_the_backup(tmp_path):
    with pytest.raises(StoreFailed, match="broken"):
        list(made(tmp_path, Source(StoreFailed("broken"))).pieces())


def test_a_copy_is_no_old_reader_and_growth_waits_for_its_end(tmp_path):
    store = LmdbStore(tmp_path / "objects", map_bytes=1 << 20)
    store.commit(put("a", 300_000))
    taking, giving = os.pipe()
    copier = threading.Thread(target=store.copy, args=(giving,))
    copier.start()
    assert os.read(taking, 1)
    assert store.oldest_reader_age() == 0.0
    assert store.commit(put("b", 10)) == 2
    drain = threading.Thread(target=read_all, args=(taking,))
    threading.Timer(0.05, drain.start).start()
    assert store.commit(put("c", 3_000_000)) == 3
    copier.join(10)
    os.close(giving)
    drain.join(10)
    store.close()


def put(name, size):
    return Batch([Put(Key("pcs", "number", (name,)), b"x" * size)], lambda revision: b"")


def read_all(file):
    while os.read(file, 1 << 20):
        continue
    os.close(file)


async def test_one_backup_at_a_time(server, monkeypatch):
    go = threading.Event()
    pieces = Backup.pieces

    def waiting(self):
        assert go.wait(10)
        return (yield from pieces(self))

    monkeypatch.setattr(backup_module.Backup, "pieces", waiting)
    stub = maintenance_pb2_grpc.MaintenanceStub(server.channel)
    first = stub.Backup(maintenance_pb2.BackupRequest(), metadata=server.service)
    reading = asyncio.ensure_future(first.read())
    await asyncio.sleep(0.1)
    second = stub.Backup(maintenance_pb2.BackupRequest(), metadata=server.service)
    error = await refused(second.read())
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    go.set()
    assert (await reading).data
    first.cancel()


async def test_who_leaves_half_way_is_in_nobodys_way(server):
    stub = maintenance_pb2_grpc.MaintenanceStub(server.channel)
    first = stub.Backup(maintenance_pb2.BackupRequest(), metadata=server.service)
    assert (await first.read()).data
    first.cancel()
    for _ in range(100):
        try:
            return await taken(server)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
            await asyncio.sleep(0.05)
    raise AssertionError("the first backup never ended")


async def test_a_stop_waits_for_no_backup(tmp_path, monkeypatch):
    source = Source(pause=0.001)
    monkeypatch.setattr(LmdbStore, "copy", lambda self, file: source.copy(file))
    async with running(tmp_path) as server:
        stub = maintenance_pb2_grpc.MaintenanceStub(server.channel)
        call = stub.Backup(maintenance_pb2.BackupRequest(), metadata=server.service)
        reading = asyncio.ensure_future(call.read())
        assert await asyncio.to_thread(source.begun.wait, 10)
        server.stop.set()
        await server.ended
        await refused(reading)
    assert await asyncio.to_thread(source.ended.wait, 10)


async def test_an_import_that_was_under_way_leaves_nothing_half(tmp_path, clock):
    lines = "\n".join(f"+1585{n:07},alice,acme" for n in range(6_000))
    async with on_disk(tmp_path / "data", clock) as core:
        await tenant(Desk(core, OWNER), "acme", "alice", "+15865550001")
        job = await begin(core, OWNER, "pcs/number", lines)
        for _ in range(10_000):
            if get_job(core, OWNER, job.name).rows_done:
                break
            await asyncio.sleep(0.001)
        pieces = [piece async for piece in backup_command.backup(core, service(), True)]
        assert (await ended(core, OWNER, job)).state == DONE
    restored(b"".join(pieces), tmp_path / "again", clock.now)
    async with on_disk(tmp_path / "again", clock) as core:
        again = await ended(core, OWNER, job)
        with core.store.read() as reader:
            numbers = reader.count("pcs", "number")
        assert (again.state, numbers) in ((DONE, 6_001), (FAILED, 1))
    assert list(check(tmp_path / "again")) == []


@asynccontextmanager
async def on_disk(folder, clock):
    """A core on a folder, with its jobs."""
    async with AsyncExitStack() as stack:
        core = build(CoreConfig(folder, clock=clock, hasher=CHEAP), stack)
        make_complete(core.store, lambda: False)
        await first_start(core, PASSWORD)
        await core.jobs.start(core)
        yield core
