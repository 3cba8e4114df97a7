"""Jobs as their actors see them: one, many, their logs and files; and their end.

Invariants:
1. A job that the caller may not see looks not provisioned.
2. A job that has not ended is shown as far as it has come.
3. A tenant has the jobs begun since it has been there itself: none of who had its name before.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import BinaryIO, Final

from ...schema import PRODUCTS
from ...v1.bulk_pb2 import JobRecord
from ...v1.jobs_pb2 import DONE, FileChunk, Job, JobLine
from ..access import Principal, Verb
from ..bulk.blocks import read_messages
from ..bulk.limits import CHUNK_BYTES
from ..bulk.records import EXPORT, TYPE, job_key, load, product_of, sees
from ..errors import InvalidInput, NotFound, PermissionDenied
from ..limits import PAGE_DEFAULT, PAGE_MAX, SCAN_CHUNK
from ..store.contract import Store
from .archive_reach import since
from .context import Core

NEGATIVE: Final = "page_size and skip must not be negative."


def get_job(core: Core, caller: Principal, name: str) -> Job:
    """Raises NotFound."""
    record = core.jobs.live(name)
    if record is None:
        with core.store.read() as reader:
            record = load(reader, job_key(name))
    if record is None or not sees(caller, record.job):
        raise NotFound
    with core.store.read() as reader:
        if record.job.created.ToNanoseconds() < since(reader, caller, product_of(record.job)):
            raise NotFound
    return record.job


def list_jobs(
    core: Core, caller: Principal, parent: str, size: int | None, skip: int
) -> tuple[list[Job], int]:
    """Jobs of a product, newest first, and how many there are. Raises InvalidInput, NotFound."""
    product, _, type_ = parent.partition("/")
    if product not in PRODUCTS or type_ != TYPE:
        raise NotFound
    if skip < 0 or (size is not None and size < 0):
        raise InvalidInput(NEGATIVE)
    wanted = range(skip, skip + min(PAGE_DEFAULT if size is None else size, PAGE_MAX))
    with core.store.read() as reader:
        begin = since(reader, caller, product)
    jobs = []
    total = 0
    for record in _newest(core.store, product):
        job = (core.jobs.live(record.job.name) or record).job
        if job.created.ToNanoseconds() < begin or not sees(caller, job):
            continue
        if total in wanted:
            jobs.append(job)
        total += 1
    return jobs, total


def _newest(store: Store, product: str) -> Iterator[JobRecord]:
    after: tuple[str, ...] | None = None
    while True:
        chunk = store.scan(product, TYPE, (), after, SCAN_CHUNK, reverse=True)
        for _, value in chunk:
            yield JobRecord.FromString(value)
        if len(chunk) < SCAN_CHUNK:
            return
        after = chunk[-1][0].path


async def cancel_job(core: Core, caller: Principal, name: str) -> Job:
    """The job, which ends as soon as it can; one that has ended stays as it is.

    Raises NotFound, PermissionDenied.
    """
    job = get_job(core, caller, name)
    if not caller.may(product_of(job), TYPE, Verb.DELETE):
        raise PermissionDenied
    await core.jobs.cancel(core, name)
    return get_job(core, caller, name)


async def read_log(core: Core, caller: Principal, name: str) -> AsyncIterator[JobLine]:
    """What a job says of its lines. Raises NotFound."""
    job = get_job(core, caller, name)
    for line in await asyncio.to_thread(
        lambda: list(read_messages(core.jobs.files(job).log, JobLine))
    ):
        yield line


async def download(
    core: Core, caller: Principal, name: str, offset: int
) -> AsyncIterator[FileChunk]:
    """The file that an export made, from an offset on. Raises NotFound, InvalidInput."""
    job = get_job(core, caller, name)
    if job.kind != EXPORT or job.state != DONE:
        raise NotFound
    try:
        file = core.jobs.files(job).export.open("rb")
    except FileNotFoundError:
        raise NotFound from None
    with file:
        total = file.seek(0, 2)
        if offset > total:
            raise InvalidInput(f"The file has {total} bytes.")
        file.seek(offset)
        yield FileChunk(data=await asyncio.to_thread(_read, file), total=total)
        while data := await asyncio.to_thread(_read, file):
            yield FileChunk(data=data, total=total)


def _read(file: BinaryIO) -> bytes:
    return file.read(CHUNK_BYTES)


__all__ = ["cancel_job", "download", "get_job", "list_jobs", "read_log"]
