"""A file in a request, as its body or in a form, on its way to the core piece by piece.

1. The caller is asked for the next piece once the core took the one before.
2. Of a body that declares itself too long nothing is read; one that turns out so ends there, and
   with it what the core was to keep.
3. What is to be known of a file in a form comes before it; other parts are passed over.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from .call import Call
from .errors import ApiError
from .forms import Part, parts_of
from .request import Disconnected, plain

__all__ = ["File", "file_of"]

MULTIPART = "multipart/form-data"
FIELD = "file"  # of a form, that holds the file


@dataclass(slots=True)
class File:
    """A file that is still arriving."""

    name: str  # as the sender has it, without its folders; may be empty
    fields: Mapping[str, str]  # of the form that holds it
    pieces: AsyncGenerator[bytes, None]


async def file_of(call: Call, most: int, *known: str) -> File:
    """The file in a request of at most that many octets; `known` are the fields beside it.

    Raises:
        ApiError: the body is longer, or encoded, or a form without a file; from the pieces too.
        Disconnected: it ended before it was whole; from the pieces too.
    """
    plain(call.headers)
    if (call.headers.content_length or 0) > most:
        raise _too_long(most)
    size = call.config.limits.piece_bytes
    octets = _body(call, most)
    if call.headers.kind != MULTIPART:
        return File("", {}, _joined(octets, size))
    parts = parts_of(call.headers.raw[b"content-type"], octets, call.config.limits)
    fields: dict[str, str] = {}
    field, text = "", bytearray()
    async for part in parts:
        if isinstance(part, bytes):
            text += part
            if len(text) > call.config.limits.part_text_bytes:
                raise ApiError(400, f"The field '{field}' of the form is too long.")
            if field in known:
                fields[field] = text.decode("utf-8", "replace")
        elif part.name == FIELD:
            name = (part.file_name or "").replace("\\", "/").rpartition("/")[2]
            return File(name, fields, _joined(_file(parts, known), size))
        else:
            field = part.name
            text.clear()
            if field in known:
                fields[field] = ""
    raise ApiError(400, f"The form has no part '{FIELD}'.")


async def _body(call: Call, most: int) -> AsyncGenerator[bytes, None]:
    """The body as it arrives."""
    size, more = 0, True
    while more:
        message = await call.receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > most:
            raise _too_long(most)
        yield piece
        more = message.get("more_body", False)


async def _file(
    parts: AsyncIterator[Part | bytes], known: Sequence[str]
) -> AsyncGenerator[bytes, None]:
    inside = True
    async for part in parts:
        if isinstance(part, bytes):
            if inside:
                yield part
            continue
        inside = False
        if part.name == FIELD:
            raise ApiError(400, f"The form has more than one part '{FIELD}'.")
        if part.name in known:
            raise ApiError(400, f"The part '{part.name}' of the form must come before the file.")


async def _joined(octets: AsyncIterator[bytes], size: int) -> AsyncGenerator[bytes, None]:
    """The same octets in pieces of that size, but for the last."""
    held = bytearray()
    async for piece in octets:
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)


def _too_long(most: int) -> ApiError:
    return ApiError(413, f"The body is longer than {most} bytes.")
