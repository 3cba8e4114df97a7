"""The handlers of audio files: upload, as a body or in a form, and download, whole or in part.

1. JSON describes a file, as the references have it; any other body is the file.
2. What is sent is never taken for a page by a browser: it is kept as a file, and not guessed at.
3. The octets of a part are those of the file that its ETag names, as long as it has the length
   that was said; where another took its place meanwhile, the answer ends unfinished.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from email.utils import formatdate
from typing import Final

from ..v1.audio_files_pb2 import ReadRequest, UploadRequest, UploadSpec
from ..v1.jobs_pb2 import FileChunk
from ..v1.object_pb2 import Object
from ..v1.provisioning_pb2 import GetRequest
from . import objects
from .call import Call
from .download import Download, Header, attachment
from .envelope import Rows
from .errors import ApiError
from .ranges import Part, part_of
from .upload import MULTIPART, File, file_of

__all__ = ["WAV", "create", "create_named", "download", "put"]

WAV: Final = (
    "audio/wav",
    "audio/x-wav",
    "audio/wave",
    "audio/vnd.wave",
    "application/octet-stream",
)
NAMELESS: Final = "Audio(): Field 'file' is required, but missing."


async def create(call: Call) -> Rows:
    """POST on the collection: a description, or a file that is named in its form."""
    if not _is_file(call):
        return await objects.create(call)
    file = await file_of(call, call.config.limits.audio_bytes, "label")
    if not file.name:
        raise ApiError(400, NAMELESS)
    return await _upload(call, (*call.key, file.name), file, new=True)


async def create_named(call: Call) -> Rows:
    """POST on a file: its description, or the file; what is there already is left as it is."""
    return await _put(call, objects.create, new=True)


async def put(call: Call) -> Rows:
    """PUT of a file, or of its description."""
    return await _put(call, objects.put, new=False)


async def download(call: Call) -> Rows | Download:
    """GET of a file, or of its description where it has no octets or JSON is asked for."""
    raw = call.headers.raw
    if call.query.archive or b"application/json" in raw.get(b"accept", b"").lower():
        return await objects.read(call)
    try:
        found = await call.ask(call.client.provisioning.Get, GetRequest(name=call.name))
    except ApiError as error:
        if error.code == 404:
            return objects.NOTHING
        raise
    total, digest = found.audio.length, found.audio.digest
    if not digest:
        return Rows((objects.row(found, call.product),), 1)
    etag = f'"{digest}"'.encode()
    headers = _headers(found, etag)
    if raw.get(b"if-none-match", b"").strip() == etag:
        return Download(304, headers)
    try:
        part = part_of(raw.get(b"range", b""), total) if _unchanged(raw, headers) else None
    except ValueError:
        return Download(416, [(b"content-range", b"bytes */%d" % total), (b"content-length", b"0")])
    offset, length = part or Part(0, total)
    headers += [
        (b"content-type", b"audio/wav"),
        (b"content-length", b"%d" % length),
        (b"x-content-type-options", b"nosniff"),
        attachment(found.audio.file),
    ]
    if part is not None:
        span = b"bytes %d-%d/%d" % (offset, offset + length - 1, total)
        headers.append((b"content-range", span))
    request = ReadRequest(name=call.name, offset=offset, length=length)
    chunks = call.stream(call.client.audio_files.Read, request)
    return Download(206 if part else 200, headers, _octets(chunks, total))


def _is_file(call: Call) -> bool:
    return call.headers.kind in (*WAV, MULTIPART)


async def _put(call: Call, described: Callable[[Call], Awaitable[Rows]], new: bool) -> Rows:
    if not _is_file(call):
        return await described(call)
    file = await file_of(call, call.config.limits.audio_bytes, "label")
    return await _upload(call, call.key, file, new)


async def _upload(call: Call, key: tuple[str, ...], file: File, new: bool) -> Rows:
    spec = UploadSpec(
        name=call.named("audio", key), label=file.fields.get("label"), must_be_new=new
    )
    sent = call.client.send(call.client.audio_files.Upload, _messages(spec, file), call.metadata)
    return Rows((objects.row(await sent, call.product),), 1)


async def _messages(spec: UploadSpec, file: File) -> AsyncIterator[UploadRequest]:
    yield UploadRequest(spec=spec)
    async for piece in file.pieces:
        yield UploadRequest(data=piece)


def _headers(found: Object, etag: bytes) -> list[Header]:
    modified = formatdate(found.stamps.modified.seconds, usegmt=True).encode()
    return [(b"etag", etag), (b"last-modified", modified), (b"accept-ranges", b"bytes")]


def _unchanged(raw: Mapping[bytes, bytes], headers: list[Header]) -> bool:
    """Whether a range is of the file as it is now: If-Range, where it is sent, must say so."""
    wanted = raw.get(b"if-range", b"").strip()
    return not wanted or any(wanted == value for _, value in headers[:2])


async def _octets(
    chunks: AsyncGenerator[FileChunk, None], total: int
) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks):
        async for chunk in chunks:
            if chunk.total != total:
                raise ApiError(503)
            yield chunk.data
