"""A disk that fails while a change is made durable: the core ends, and a new one goes on."""

import csv
import fcntl
import logging
import os

import grpc
import pytest

from callscreen.core.store.contract import StoreFailed
from callscreen.core.upkeep.check import check
from callscreen.v1 import records_pb2, records_pb2_grpc, rules_pb2, screening_pb2

from .conftest import running
from .remote import create, fill, refused


def break_meta_pages(folder):
    """Makes the engine's own file for the page that says what is committed refuse writes."""
    broken = 0
    for name in os.listdir("/proc/self/fd"):
        file, path = int(name), f"/proc/self/fd/{name}"
        if not os.path.exists(path) or os.readlink(path) != str(folder / "data.mdb"):
            continue
        if fcntl.fcntl(file, fcntl.F_GETFL) & os.O_DSYNC:
            read_only = os.open(folder / "data.mdb", os.O_RDONLY)
            os.dup2(read_only, file)
            os.close(read_only)
            broken += 1
    assert broken == 1


async def spoil(data, store, write):
    """A core whose disk fails with this write; it ends as its process would."""
    async with running(data) as server:
        await fill(server)
        break_meta_pages(data / store)
        error = await refused(write(server))
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        await server.ended


async def provider(server, name="apex"):
    return await create(server, "pcs/service_provider", name=name)


async def append(server):
    record = screening_pb2.CallRecord(
        cdr_id="0190a000-0000-7000-8000-000000000001", product=rules_pb2.PCS
    )
    call = records_pb2_grpc.RecordsStub(server.channel).Append(metadata=server.service)
    await call.write(records_pb2.AppendRequest(id=1, records=[record]))
    answer = await call.read()
    call.cancel()
    return answer


async def test_the_core_ends_and_goes_on_when_it_is_started_again(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    data = tmp_path / "data"
    with pytest.raises(StoreFailed, match="The core ends"):
        await spoil(data, "objects", provider)
    assert "objects takes no writes" in caplog.text
    async with running(data) as server:
        await provider(server, "after")
    rows = [row for path in (data / "audit/pcs").iterdir() for row in read(path)]
    providers = [row[8] for row in rows if row[7] == "service_provider"]
    assert providers in (["acme", "after"], ["acme", "apex", "after"])
    assert list(check(data)) == []


def read(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


async def test_so_it_is_with_call_records(tmp_path):
    with pytest.raises(StoreFailed, match="The core ends"):
        await spoil(tmp_path, "records", append)
    async with running(tmp_path) as server:
        assert (await append(server)).id == 1
