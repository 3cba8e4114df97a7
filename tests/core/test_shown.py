"""What the core shows: each number against what was done, and readiness."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from callscreen.core.families import FAMILIES
from callscreen.core.origin import told
from callscreen.core.services.observed import Calls
from callscreen.core.shown import Shown
from callscreen.core.store.contract import Usage
from callscreen.ops import Instruments
from callscreen.v1 import (
    jobs_pb2,
    jobs_pb2_grpc,
    provisioning_pb2,
    records_pb2,
    records_pb2_grpc,
    replication_pb2_grpc,
    rules_pb2,
    screening_pb2,
    screening_pb2_grpc,
)

from .conftest import running
from .remote import fill, log_in, provisioning, refused
from .test_server import watching

pb = provisioning_pb2


def values(instruments: Instruments) -> dict[str, dict[tuple[str, ...], float]]:
    """Values by sample and by labels, in the order of the labels' names."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(instruments.text().decode()):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


async def come(holds: Callable[[], bool]) -> None:
    """Waits until it holds: a call is counted, and its line written, after its answer has gone."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture
async def server(tmp_path):
    instruments = Instruments("core", "1")
    async with running(tmp_path / "data", instruments=instruments) as started:
        started.instruments = instruments
        yield started


async def test_calls_are_counted_by_method_and_code(server):
    await fill(server)
    request = pb.GetRequest(name="pcs/service_provider/nobody")
    await refused(provisioning(server).Get(request, metadata=server.service))
    await refused(provisioning(server).Get(request))
    await come(lambda: not any(values(server.instruments)["callscreen_core_calls_open"].values()))
    found = values(server.instruments)
    assert found["callscreen_core_calls_total"] == {
        ("OK", "Provisioning/Create"): 3,
        ("NOT_FOUND", "Provisioning/Get"): 1,
        ("UNAUTHENTICATED", "Provisioning/Get"): 1,
    }
    counts = found["callscreen_core_call_duration_seconds_count"]
    assert counts == {("Provisioning/Create",): 3, ("Provisioning/Get",): 2}
    assert found["callscreen_core_calls_open"][("Provisioning/Get",)] == 0


async def test_log_ins_are_counted_by_what_came_of_them(server):
    await log_in(server)
    await refused(log_in(server, password="wrong and long"))
    wanted = {("accepted",): 1, ("refused",): 1, ("limited",): 0}
    await come(lambda: values(server.instruments)["callscreen_core_logins_total"] == wanted)


async def test_a_watcher_is_counted_while_it_watches(server):
    watch = await watching(server, replication_pb2_grpc.ReplicationStub(server.channel))
    assert values(server.instruments)["callscreen_core_watchers"][()] == 1
    watch.cancel()
    for _ in range(200):
        found = values(server.instruments)
        if found["callscreen_core_watchers"][()] == 0:
            break
        await asyncio.sleep(0.01)
    assert found["callscreen_core_calls_total"]["CANCELLED", "Replication/Watch"] == 1


async def test_who_takes_many_changes_a_message_watches_too(server):
    stub = replication_pb2_grpc.ReplicationStub(server.channel)
    watch = await watching(server, stub, stub.Follow)
    assert values(server.instruments)["callscreen_core_watchers"][()] == 1
    watch.cancel()


async def test_verdicts_are_counted_by_product_treatment_and_rule(server):
    await fill(server)
    stub = screening_pb2_grpc.ScreeningStub(server.channel)
    for called in ("+15855550001", "+15855550001", "+15855550009"):
        request = screening_pb2.ScreenRequest(call={"called": called, "calling": "+15855551234"})
        verdict = (await stub.Screen(request, metadata=server.service)).verdict
    found = values(server.instruments)["callscreen_core_verdicts_total"]
    assert found["none", verdict.reason, verdict.treatment] == 1
    assert sum(count for (product, *_), count in found.items() if product == "pcs") == 2


async def test_what_is_stored_is_shown(server):
    before = values(server.instruments)
    await fill(server)
    found = values(server.instruments)
    assert found["callscreen_core_revision"][()] == before["callscreen_core_revision"][()] + 3
    assert found["callscreen_core_index_revision"] == found["callscreen_core_revision"]
    assert found["callscreen_core_log_records"] == found["callscreen_core_revision"]
    objects = found["callscreen_core_objects"]
    assert (objects["pcs", "number"], objects["pcs", "administrator"]) == (1, 1)
    assert ("cin", "number") not in objects
    assert found["callscreen_core_records"] == {("pcs",): 0, ("cin",): 0}
    groups = found["callscreen_core_commit_group_size_sum"]
    assert groups["objects",] - before["callscreen_core_commit_group_size_sum"]["objects",] >= 3
    assert found["callscreen_core_commit_duration_seconds_sum"]["objects",] > 0
    octets, room, limit = (
        found[f"callscreen_core_store_{name}bytes"]["objects",] for name in ("", "map_", "limit_")
    )
    assert 0 < octets <= room <= limit
    assert octets <= (server.data / "objects" / "data.mdb").stat().st_size
    assert found["callscreen_core_disk_free_bytes"][()] > 0


async def test_every_family_declared_is_given(server):
    await fill(server)
    await refused(provisioning(server).Get(pb.GetRequest()))
    stub = screening_pb2_grpc.ScreeningStub(server.channel)
    request = screening_pb2.ScreenRequest(call={"called": "+15855550001"})
    await stub.Screen(request, metadata=server.service)
    found = values(server.instruments)
    for family in FAMILIES:
        name = family.name + ("_count" if family.kind == "histogram" else "")
        assert name in found, name


async def test_readiness_follows_the_part(tmp_path):
    instruments = Instruments("core", "1")
    assert await instruments.health.why_not() == "starting"
    async with running(tmp_path / "data", instruments=instruments):
        assert await instruments.health.why_not() == ""
    assert await instruments.health.why_not() == "stopping"


async def test_a_store_that_refuses_is_not_ready(core, tmp_path, monkeypatch):
    shown = Shown(core, Calls(), tmp_path)
    assert await shown.ready() == ""
    monkeypatch.setattr(core.records, "usage", lambda: Usage(1, 1, 1, True))
    assert await shown.ready() == "records takes no writes"
    monkeypatch.undo()
    await core.committer.close()
    assert await shown.ready() == "nothing is written to objects any more"


async def test_the_request_id_of_the_caller_stands_in_the_core_s_lines(server, caplog):
    """Also where what is refused is the caller."""
    seen: list[Any] = []
    caplog.handler.addFilter(lambda record: seen.append(told()) or True)
    caplog.set_level("DEBUG", "callscreen.core")
    metadata = (("x-request-id", "r-77"),)
    error = await refused(provisioning(server).Get(pb.GetRequest(), metadata=metadata))
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    await come(lambda: bool(seen))
    assert {each["request_id"] for each in seen} == {"r-77"}


async def test_audit_rows_and_call_records_are_counted(server):
    before = values(server.instruments)
    await fill(server)
    record = screening_pb2.CallRecord(
        cdr_id="0198a8c2-0000-7000-8000-000000000001", product=rules_pb2.PCS
    )
    record.start_time.FromSeconds(1_800_000_000)
    stub = records_pb2_grpc.RecordsStub(server.channel)
    append = stub.Append(metadata=server.service)
    for place in (1, 2):  # the second time it is not new
        await append.write(records_pb2.AppendRequest(id=place, records=[record]))
        assert (await append.read()).id == place
    append.cancel()
    found = values(server.instruments)
    name = "callscreen_core_audit_rows_total"
    assert found[name]["pcs",] - before[name]["pcs",] == 3
    assert found[name]["cin",] == before[name]["cin",]
    assert found["callscreen_core_records_appended_total"][()] == 1
    assert found["callscreen_core_records"]["pcs",] == 1


async def test_jobs_are_counted_by_what_became_of_them(server, caplog):
    caplog.set_level("INFO", "callscreen.core")
    await fill(server)
    stub = jobs_pb2_grpc.JobsStub(server.channel)
    request = jobs_pb2.ExportRequest(parent="pcs/number")
    job = await stub.Export(request, metadata=server.service)
    for _ in range(500):
        found = values(server.instruments)
        if found["callscreen_core_jobs_ended_total"]["export", "done"]:
            break
        await asyncio.sleep(0.01)
    assert found["callscreen_core_jobs_ended_total"]["export", "done"] == 1
    assert sum(found["callscreen_core_jobs"].values()) == 0
    for state in ("running", "done"):
        assert f"job {job.name} is {state}" in caplog.text
