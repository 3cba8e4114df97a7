"""The handlers of CSV files: import, as a body or in a form, and export. Both answer a job.

1. An import is answered once the core keeps the whole file; one that is refused leaves nothing.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Final

from ..schema import TYPES
from ..v1.jobs_pb2 import ExportRequest, ImportMode, ImportRequest, ImportSpec
from . import objects
from .call import Call, Handler
from .envelope import Rows
from .errors import ApiError
from .jobs import one
from .request import BULK, flag, no_dry_run
from .upload import MULTIPART, File, file_of

__all__ = ["IMPORTS", "MODES", "create", "export", "import_"]

MODES: Final = {mode.lower(): number for mode, number in ImportMode.items()}
JSON: Final = "application/json"


async def create(call: Call) -> Rows:
    """POST on a collection: one object in JSON, or many in CSV."""
    if TYPES[call.type].shape.rules.csv:
        if call.headers.content_type.startswith(BULK):
            return await _import(call)
        _how(call.query.pairs)
    no_dry_run(call.query.pairs)
    return await objects.create(call)


async def import_(call: Call) -> Rows:
    """POST of a CSV file to be imported."""
    if call.headers.kind == JSON:
        raise ApiError(415, f"A body of type '{JSON}' cannot be read here: send a CSV file.")
    return await _import(call)


async def export(call: Call) -> Rows:
    """POST that begins an export; the table query says of what, and in which order."""
    request = ExportRequest(parent=call.name, query=call.query.table)
    return one(await call.ask(call.client.jobs.Export, request))


async def _import(call: Call) -> Rows:
    name = call.name
    file = await file_of(call, call.config.limits.import_bytes, "mode", "dry_run")
    pairs = {**file.fields, **call.query.pairs}
    mode, dry_run = _how(pairs)
    spec = ImportSpec(
        parent=name,
        mode=mode,
        dry_run=dry_run,
        file=_shown(call, file),
        size=0 if call.headers.kind == MULTIPART else call.headers.content_length or 0,
    )
    pieces = aiter(file.pieces)
    first = await anext(pieces, b"")
    if not first:
        raise ApiError(400, "The body holds no file.")
    messages = _messages(spec, first, pieces)
    return one(await call.client.send(call.client.jobs.Import, messages, call.metadata))


def _how(pairs: Mapping[str, str]) -> tuple[ImportMode.ValueType, bool]:
    """The mode of an import, and whether it is a dry run. Raises ApiError."""
    mode = MODES.get(pairs.get("mode", "upsert"))
    if mode is None:
        raise ApiError(400, f"Parameter 'mode' must be one of {', '.join(MODES)}.")
    return mode, flag(pairs, "dry_run")


async def _messages(
    spec: ImportSpec, first: bytes, rest: AsyncIterator[bytes]
) -> AsyncIterator[ImportRequest]:
    yield ImportRequest(spec=spec)
    yield ImportRequest(data=first)
    async for piece in rest:
        yield ImportRequest(data=piece)


def _shown(call: Call, file: File) -> str:
    """The file's name, for people."""
    name = "".join(c for c in file.name if c.isprintable())
    return name[: call.config.limits.file_name_chars]


IMPORTS: Final[tuple[Handler, ...]] = (create, import_)  # may be tried without a change
