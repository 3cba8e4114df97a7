"""Imports and exports of a test, through the commands."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from callscreen.core.access import Principal
from callscreen.core.commands import export_file, import_file, jobs
from callscreen.core.commands.context import Core
from callscreen.v1.jobs_pb2 import (
    CANCELLED,
    DONE,
    FAILED,
    UPSERT,
    ImportRequest,
    ImportSpec,
    Job,
)
from callscreen.v1.provisioning_pb2 import TableQuery

ENDED = (DONE, FAILED, CANCELLED)
PIECE = 100_000  # octets of a message


async def begin(
    core: Core, caller: Principal, parent: str, text: str | bytes, mode: int = UPSERT, **spec: Any
) -> Job:
    """An import that is taken."""
    data = text.encode() if isinstance(text, str) else text

    async def requests() -> AsyncIterator[tuple[ImportRequest, Principal]]:
        first = ImportSpec(parent=parent, mode=mode, file="x.csv", **spec)  # type: ignore[arg-type]
        yield ImportRequest(spec=first), caller
        for start in range(0, len(data), PIECE):
            yield ImportRequest(data=data[start : start + PIECE]), caller

    return await import_file.import_file(core, requests())


async def ended(core: Core, caller: Principal, job: Job) -> Job:
    """The job once it has ended."""
    for _ in range(3_000):
        found = jobs.get_job(core, caller, job.name)
        if found.state in ENDED and core.jobs.live(job.name) is None:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError("the job does not end")


async def under_way(core: Core, caller: Principal, job: Job) -> None:
    """Returns once some of an import is written."""
    for _ in range(1_000_000):
        if jobs.get_job(core, caller, job.name).rows_created:
            return
        await asyncio.sleep(0)
    raise AssertionError("the job does not begin")


async def load(core: Core, caller: Principal, parent: str, text: str | bytes, **more: Any) -> Job:
    """An import to its end."""
    return await ended(core, caller, await begin(core, caller, parent, text, **more))


async def dump(core: Core, caller: Principal, parent: str, **query: str) -> str:
    """The file that an export makes."""
    job = await export_file.export_file(core, caller, parent, TableQuery(**query))
    job = await ended(core, caller, job)
    assert job.state == DONE, job.message
    chunks = [chunk.data async for chunk in jobs.download(core, caller, job.name, 0)]
    return b"".join(chunks).decode()


async def told(core: Core, caller: Principal, job: Job) -> list[tuple[int, str, str]]:
    """What a job says of its lines."""
    lines = jobs.read_log(core, caller, job.name)
    return [(line.line, line.field, line.message) async for line in lines]
