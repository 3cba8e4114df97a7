"""Makes a job that writes a collection to a CSV file.

Invariants:
1. What cannot be a collection, or a query of it, is refused at once, not by the job.
"""

from typing import Any

from ...schema import compile_query
from ...v1.jobs_pb2 import Job
from ..access import Principal, Verb
from ..bulk.records import EXPORT
from .context import Core
from .import_file import check_begin, new_record, with_form
from .names import canonical


async def export_file(core: Core, caller: Principal, parent: str, query: Any) -> Job:
    """The job. Raises InvalidInput, Invalid, NotFound, PermissionDenied, TooMuch."""
    at = with_form(parent)
    check_begin(caller, at, Verb.READ)
    with core.store.read() as reader:
        canonical(reader, at)
    compile_query(query, at.kind.columns(at.product))
    record = new_record(core, caller, at, parent, EXPORT)
    record.job.query.CopyFrom(query)
    record.job.file = f"{at.kind.type}.csv"
    with core.jobs.place(record.job):
        core.jobs.files(record.job).make()
        return await core.jobs.add(core, record)


__all__ = ["export_file"]
