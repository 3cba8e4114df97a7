"""The handlers of jobs: their list, one of them, its log, and the file that it made."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from google.protobuf.message import Message

from ..schema import iso
from ..v1.jobs_pb2 import (
    CancelJobRequest,
    DownloadRequest,
    FileChunk,
    GetJobRequest,
    ImportMode,
    Job,
    JobState,
    ListJobsRequest,
    ReadLogRequest,
)
from .call import Call
from .download import Download, attachment
from .envelope import Rows
from .errors import ApiError, not_found

__all__ = ["cancel", "file", "list_", "log", "one", "read"]

NOTHING = Rows((), 0)
COUNTS = (
    *("bytes_total", "bytes_done", "rows_total", "rows_done"),
    *("rows_created", "rows_changed", "errors"),
)


async def list_(call: Call) -> Rows:
    """GET of the jobs in the caller's reach, the newest first."""
    request = ListJobsRequest(
        parent=call.name, page_size=call.query.page.limit, skip=call.query.page.offset
    )
    answer = await call.ask(call.client.jobs.ListJobs, request)
    return Rows([_row(job) for job in answer.jobs], answer.total_size)


async def read(call: Call) -> Rows:
    """GET of one job. One that is not there is an empty answer."""
    job = await _job(call)
    return NOTHING if job is None else one(job)


async def cancel(call: Call) -> Rows:
    """DELETE of a job: ends it where it has not ended."""
    try:
        return one(await call.ask(call.client.jobs.CancelJob, CancelJobRequest(name=call.name)))
    except ApiError as error:
        raise not_found("Job") if error.code == 404 else error from None


async def log(call: Call) -> Rows:
    """GET of what a job says of its lines: a page of them."""
    page = call.query.page
    most = max(call.config.limits.log_rows, page.offset + page.limit)
    rows: list[dict[str, Any]] = []
    total = 0
    lines = call.stream(call.client.jobs.ReadLog, ReadLogRequest(name=call.name))
    try:
        async with aclosing(lines):
            async for line in lines:
                if page.offset <= total < page.offset + page.limit:
                    said = {"line": line.line, "field": line.field, "message": line.message}
                    rows.append({"scope": "job_log", "attributes": said})
                total += 1
                if total == most:
                    break
    except ApiError as error:
        if error.code == 404:
            return NOTHING
        raise
    return Rows(rows, total)


async def file(call: Call) -> Rows | Download:
    """GET of the file that an export made."""
    job = await _job(call)
    if job is None:
        return NOTHING
    chunks = call.stream(call.client.jobs.Download, DownloadRequest(name=call.name))
    try:
        first = await anext(chunks, None)
    except ApiError as error:
        if error.code == 404:
            return NOTHING
        raise
    headers = [
        (b"content-type", b"text/csv; charset=utf-8"),
        (b"x-content-type-options", b"nosniff"),
        attachment(job.file or f"{call.key[0]}.csv"),
        (b"content-length", b"%d" % (first.total if first else 0)),
    ]
    return Download(200, headers, _octets(first, chunks))


async def _octets(
    first: FileChunk | None, chunks: AsyncGenerator[FileChunk, None]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks):
        if first is not None:
            yield first.data
            async for chunk in chunks:
                yield chunk.data


async def _job(call: Call) -> Job | None:
    try:
        return await call.ask(call.client.jobs.GetJob, GetJobRequest(name=call.name))
    except ApiError as error:
        if error.code == 404:
            return None
        raise


def one(job: Job) -> Rows:
    """The answer that is one job."""
    return Rows((_row(job),), 1)


def _row(job: Job) -> dict[str, Any]:
    """A job as REST shows it, in the form that objects have."""
    attributes: dict[str, Any] = {
        "id": job.name.rpartition("/")[2],
        "kind": job.kind,
        "object": job.object,
        "parent": job.parent,
        "mode": ImportMode.Name(job.mode).lower() if job.kind == "import" else None,
        "dry_run": job.dry_run,
        "state": JobState.Name(job.state).lower(),
        "username": job.actor,
        "role_id": job.role_id or None,
        "created": _time(job, "created"),
        "started": _time(job, "started"),
        "ended": _time(job, "ended"),
        **{name: getattr(job, name) for name in COUNTS},
        "message": job.message or None,
        "file": job.file or None,
        "request_id": job.request_id or None,
    }
    made, by = attributes["created"], job.actor or None
    last = attributes["ended"] or attributes["started"] or made
    meta = {"modified_by": by, "modified": last, "created_by": by, "created": made}
    return {"scope": "job", "meta": meta, "attributes": attributes}


def _time(job: Message, name: str) -> str | None:
    return iso(getattr(job, name)) if job.HasField(name) else None
