"""Takes a CSV file and makes a job of it.

Invariants:
1. What is wrong before the first octet (rights, the collection, the size where it is told, too many
   jobs) is refused before any is read.
2. Memory does not grow with the file; one that is too large is refused as soon as it is.
3. A file whose job was not made is not kept.
4. A file whose first line is plainly no text is refused with its first octets, not by the job.
"""

import asyncio
import codecs
import os
from collections.abc import AsyncIterator
from typing import IO, Final

from ...schema.csv import has_csv
from ...v1.bulk_pb2 import JobRecord
from ...v1.jobs_pb2 import QUEUED, ImportMode, ImportRequest, ImportSpec, Job
from ..access import Principal, Verb, place_of
from ..bulk.limits import DATA_BYTES, FILE_BYTES, FILE_CHARS
from ..bulk.records import IMPORT, TYPE, Files, job_name, new_id
from ..errors import InvalidInput, PermissionDenied, TooMuch
from ..origin import current
from .context import Core
from .names import Target, canonical, collection

TOO_LARGE: Final = f"A file has at most {FILE_BYTES} bytes."
NO_SPEC: Final = "The first message must say what the file holds."
NO_DATA: Final = f"A message after the first one must carry 1 to {DATA_BYTES} bytes of the file."
NO_TEXT: Final = "The file is no CSV: its first line is not text in UTF-8."
TEXT_BYTES: Final = 512  # of a file's first line, that must be text
NO_FORM: Final = "Objects of type '{}' have no CSV form."

Requests = AsyncIterator[tuple[ImportRequest, Principal]]


class TooLarge(TooMuch):
    """The file is longer than a file may be."""

    reason = "FILE_TOO_LARGE"
    default = TOO_LARGE


async def import_file(core: Core, requests: Requests) -> Job:
    """The job, once the file is kept. Raises InvalidInput, NotFound, PermissionDenied, TooMuch."""
    spec, caller = await _first(requests)
    at = with_form(spec.parent)
    check_begin(caller, at, Verb.CREATE, Verb.UPDATE)
    with core.store.read() as reader:
        canonical(reader, at)
    if spec.mode not in ImportMode.values():
        raise InvalidInput("The mode must be UPSERT, INSERT or REPLACE.")
    if len(spec.file) > FILE_CHARS:
        raise InvalidInput(f"The file's name has at most {FILE_CHARS} characters.")
    if spec.size > FILE_BYTES:
        raise TooLarge
    record = new_record(core, caller, at, spec.parent, IMPORT)
    job = record.job
    job.mode, job.dry_run, job.file = spec.mode, spec.dry_run, spec.file
    files = core.jobs.files(job)
    with core.jobs.place(job):
        try:
            await asyncio.to_thread(files.make)
            job.bytes_total = await _receive(requests, files)
        except BaseException:
            files.remove()
            raise
        return await core.jobs.add(core, record)


def check_begin(caller: Principal, at: Target, *verbs: Verb) -> None:
    """Whether the caller may begin jobs, and do any of this somewhere in the collection.

    Raises PermissionDenied.
    """
    within = caller.knows(place_of(at.kind.type, at.key))
    any_of = any(caller.may(at.product, at.kind.type, verb) for verb in verbs)
    if not (within and any_of and caller.may(at.product, TYPE, Verb.CREATE)):
        raise PermissionDenied


async def _first(requests: Requests) -> tuple[ImportSpec, Principal]:
    async for request, caller in requests:
        if request.WhichOneof("part") != "spec":
            break
        return request.spec, caller
    raise InvalidInput(NO_SPEC)


async def _receive(requests: Requests, files: Files) -> int:
    """The octets that came, once they are durable."""
    size = 0
    with open(files.input, "xb", opener=_private) as file:  # noqa: ASYNC230
        async for request, _ in requests:
            if not 0 < len(request.data) <= DATA_BYTES:
                raise InvalidInput(NO_DATA)
            if not size and not is_text(request.data):
                raise InvalidInput(NO_TEXT)
            size += len(request.data)
            if size > FILE_BYTES:
                raise TooLarge
            await asyncio.to_thread(file.write, request.data)
        await asyncio.to_thread(_sync, file)
    await asyncio.to_thread(files.sync)
    return size


def is_text(start: bytes) -> bool:
    """Whether the first line of a file that begins so may be UTF-8, its last character cut off."""
    line = start[:TEXT_BYTES].partition(b"\n")[0]
    try:
        codecs.getincrementaldecoder("utf-8")().decode(line)
    except UnicodeDecodeError:
        return False
    return b"\0" not in line


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def with_form(parent: str) -> Target:
    """The collection, of a type that has a CSV form. Raises InvalidInput, NotFound."""
    at = collection(parent)
    if not has_csv(at.kind):
        raise InvalidInput(NO_FORM.format(at.kind.type))
    return at


def new_record(core: Core, caller: Principal, at: Target, parent: str, kind: str) -> JobRecord:
    """A job that waits, of this caller and the work at hand."""
    now = core.clock()
    whence = current()
    record = JobRecord()
    record.job.MergeFrom(
        Job(
            name=job_name(at.product, new_id(now, core.means.random)),
            kind=kind,
            object=at.kind.type,
            parent=parent,
            state=QUEUED,
            actor=caller.username,
            role_id=caller.role_id,
            permissions=caller.permissions,
            request_id=whence.request_id,
            source_ip=whence.source_ip,
        )
    )
    record.job.created.FromNanoseconds(int(now * 1e9))
    return record


__all__ = ["TooLarge", "check_begin", "import_file", "is_text", "new_record", "with_form"]
