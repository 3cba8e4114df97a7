"""The core as a process: health, start, restart and stop."""

import asyncio
import logging
import sys
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from callscreen.core.errors import Unavailable
from callscreen.core.limits import STOP_SECONDS, SWITCH_SECONDS
from callscreen.core.server import SERVICES, check_readers, serve
from callscreen.core.services.registry import Streams, handler
from callscreen.core.store.contract import StoreInUse
from callscreen.core.wiring import CoreConfig
from callscreen.v1 import (
    provisioning_pb2,
    replication_pb2,
    replication_pb2_grpc,
    screening_pb2,
    screening_pb2_grpc,
)

from .conftest import CHEAP, PASSWORD, running
from .remote import create, fill, log_in, provisioning, refused

pb = provisioning_pb2
NAMES = [descriptor.full_name for descriptor, _ in SERVICES]


async def test_health_and_reflection_need_no_token(server):
    health = health_pb2_grpc.HealthStub(server.channel)
    for name in ("", *NAMES):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    stub = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    async for answer in stub.ServerReflectionInfo(iter([asked])):
        listed = {each.name for each in answer.list_services_response.service}
        assert set(NAMES) < listed


async def test_what_was_written_is_there_after_a_restart(tmp_path, capsys):
    data = tmp_path / "data"
    async with running(data, admin_password=None) as first:
        printed = capsys.readouterr().out
        password = printed.removeprefix("administrator password: ").strip()
        _, metadata = await log_in(first, password=password)
        await fill(first)
        token = first.token
    async with running(data, admin_password=None) as second:
        assert capsys.readouterr().out == ""
        assert second.token == token
        request = pb.GetRequest(name="pcs/number/acme/alice/5855550001")
        assert (await provisioning(second).Get(request, metadata=metadata)).revision
        stub = screening_pb2_grpc.ScreeningStub(second.channel)
        call = screening_pb2.ScreenRequest(call={"called": "+15855550001"})
        verdict = (await stub.Screen(call, metadata=metadata)).verdict
        assert verdict.subscriber_name == "alice"
        await log_in(second, password=password)


async def test_the_files_of_the_data_folder_are_its_owner_s_alone(server):
    for name in ("service.token", "pepper"):
        assert (server.data / name).stat().st_mode & 0o777 == 0o600


async def test_a_given_service_token_takes_the_place_of_the_old_one(tmp_path):
    async with running(tmp_path / "data") as first:
        old = first.service
    async with running(tmp_path / "data", service_token="given") as second:
        assert second.token == "given"
        await create(second, "pcs/service_provider", name="acme")
        request = pb.GetRequest(name="pcs/service_provider/acme")
        error = await refused(provisioning(second).Get(request, metadata=old))
        assert error.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_stop_ends_watchers_and_calls_in_time(tmp_path):
    async with running(tmp_path / "data") as started:
        stub = replication_pb2_grpc.ReplicationStub(started.channel)
        watches = [await watching(started, stub) for _ in range(5)]
        opened = provisioning(started).Write(metadata=started.service)
        await opened.write(pb.WriteRequest(id=1, parent="pcs/service_provider"))
        assert (await opened.read()).id == 1
        started.stop.set()
        await asyncio.wait_for(asyncio.shield(started.ended), 20)
        for watch in watches:
            error = await refused(watch.read())
            assert error.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_stop_under_streams_idle_or_busy_is_short_and_no_fault(tmp_path, caplog):
    async with running(tmp_path / "data") as started:
        metadata, channel = started.service, started.channel
        screening = screening_pb2_grpc.ScreeningStub(channel)
        await watching(started, replication_pb2_grpc.ReplicationStub(channel))
        batch = screening_pb2.ScreenBatchRequest(calls=[{"called": "+15855550001"}] * 200)

        async def idle():
            await asyncio.Event().wait()
            yield batch

        async def endless():
            while True:
                yield batch

        async def write():
            while True:
                yield pb.WriteRequest(parent="pcs/service_provider")

        calls = [
            screening.ScreenBatches(idle(), metadata=metadata),
            screening.ScreenBatches(endless(), metadata=metadata),
            provisioning(started).Write(write(), metadata=metadata),
        ]
        busy = asyncio.Event()

        async def drain(call):
            async for _ in call:
                busy.set()

        reading = [asyncio.create_task(drain(call)) for call in calls]
        await busy.wait()
        began = time.monotonic()
        started.stop.set()
        await asyncio.wait_for(asyncio.shield(started.ended), 20)
        assert time.monotonic() - began < STOP_SECONDS + 0.5
        ends = await asyncio.gather(*reading, return_exceptions=True)
        assert all(isinstance(end, grpc.aio.AioRpcError) for end in ends)
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


async def test_a_call_that_grpc_has_ended_is_logged_as_no_fault(core, caplog):
    """Who reads on once the server has stopped gets gRPC's own error."""

    class Details:
        method = "/callscreen.v1.Screening/ScreenBatches"

    class Context:
        def invocation_metadata(self):
            return (("authorization", "Bearer service"),)

        def peer(self):
            return "ipv4:127.0.0.1:5"

    async def stopped():
        yield b""
        raise grpc.aio.UsageError("Server already stopped.")

    descriptor, service = next(each for each in SERVICES if each[0].name == "Screening")
    made = handler(descriptor, service(core), core.sessions.check, Streams())
    answers = made.service(Details()).stream_stream(stopped(), Context())
    assert not (await anext(answers)).verdicts
    with pytest.raises(grpc.aio.BaseError):
        await anext(answers)
    assert caplog.records == []


async def watching(server, stub, method=None):
    chunk = await stub.Snapshot(replication_pb2.SnapshotRequest(), metadata=server.service).read()
    after = getattr(chunk, "from")
    after.revision = 0
    request = replication_pb2.WatchRequest(after=after)
    watch = (method or stub.Watch)(request, metadata=server.service)
    first = await watch.read()
    assert (first.changes[0] if method else first).revision == 1
    return watch


async def test_an_address_that_is_taken_is_refused(server, tmp_path):
    config = CoreConfig(tmp_path / "other", server.address, hasher=CHEAP, admin_password=PASSWORD)
    with pytest.raises(Unavailable):
        await serve(config, lambda address: None, asyncio.Event())


async def test_a_data_folder_in_use_is_refused(server):
    config = CoreConfig(server.data, "127.0.0.1:0", hasher=CHEAP)
    with pytest.raises(StoreInUse):
        await serve(config, lambda address: None, asyncio.Event())


async def test_a_reader_that_stays_open_is_warned_of(core, caplog, monkeypatch):
    monkeypatch.setattr("callscreen.core.server.READER_SECONDS", 0.01)
    checking = asyncio.create_task(check_readers(core, 0.02))
    await asyncio.sleep(0.05)
    assert "a reader of" not in caplog.text
    with core.store.read():
        await asyncio.sleep(0.05)
    checking.cancel()
    assert "a reader of objects has been open" in caplog.text


async def test_threads_take_turns_often_while_a_core_serves(tmp_path):
    before = sys.getswitchinterval()
    async with running(tmp_path / "data"):
        assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
    assert sys.getswitchinterval() == before
