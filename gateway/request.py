"""What a request says: its path, query, headers and body, read strictly.

1. Whatever cannot be read is an ApiError that names what is wrong; nothing is guessed.
2. The path is split before it is decoded: a part may hold an encoded slash.
3. A body is read as JSON whatever the Content-Type says, but for the types of the bulk forms.
   Of a name that stands twice in one object, the last value counts.
4. No more than the limit of a body is ever held.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote_to_bytes

import orjson

from ..schema import FieldError
from ..v1.provisioning_pb2 import TableQuery
from .config import Limits
from .envelope import Page
from .errors import ApiError

__all__ = [
    "BULK",
    "Disconnected",
    "Headers",
    "Query",
    "Receive",
    "flag",
    "headers_of",
    "json_object",
    "no_dry_run",
    "plain",
    "query_of",
    "read_body",
    "segments_of",
]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
BULK: Final = ("text/csv", "multipart/")
TABLE_QUERY: Final = ("sort", "search", "like", "sort_function", "icontains")
# A plus before a digit begins a number; everywhere else in a query it stands for a space.
NUMBER_PLUS: Final = re.compile(r"(?<=[=:,])\+(?=\d)")


class Disconnected(Exception):
    """The caller went away before the request was whole."""


class Query(NamedTuple):
    """The documented parameters of a table query."""

    table: TableQuery
    page: Page
    archive: bool
    restore: bool
    pairs: Mapping[str, str] = {}  # every parameter, as it came


class Headers(NamedTuple):
    """The headers that matter here; bytes as received are Latin-1."""

    authorization: str
    content_type: str
    content_length: int | None
    expects_continue: bool
    strict_status: bool
    cookie: bytes
    raw: Mapping[bytes, bytes]  # all of them

    @property
    def kind(self) -> str:
        """The media type of the body, without its parameters."""
        return self.content_type.partition(";")[0].rstrip()


def headers_of(scope: Mapping[str, Any]) -> Headers:
    """One pass over the headers; of one that comes twice the last counts."""
    found: dict[bytes, bytes] = dict(scope["headers"])
    length = found.get(b"content-length", b"")
    return Headers(
        found.get(b"authorization", b"").decode("latin-1"),
        found.get(b"content-type", b"").decode("latin-1").strip().lower(),
        int(length) if length.isdigit() else None,
        found.get(b"expect", b"").lower() == b"100-continue",
        found.get(b"x-strict-status", b"") == b"1",
        found.get(b"cookie", b""),
        found,
    )


def segments_of(scope: Mapping[str, Any]) -> tuple[str, ...]:
    """The decoded parts of the path below /<product>/api, trailing slashes dropped.

    Raises:
        ApiError: a part is not UTF-8, or holds a null character.
    """
    raw: bytes = scope["raw_path"]
    parts = raw.rstrip(b"/").split(b"/")[3:]
    try:
        if b"%" not in raw:
            return tuple([part.decode() for part in parts])
        found = tuple(
            [unquote_to_bytes(part).decode() if b"%" in part else part.decode() for part in parts]
        )
    except UnicodeDecodeError:
        raise ApiError(400, "The path is not UTF-8.") from None
    if any("\0" in part for part in found):
        raise ApiError(400, "The path holds a null character.")
    return found


def query_of(raw: bytes, limits: Limits) -> Query:
    """The query string's parameters; names that the references do not know are passed over.

    Raises:
        ApiError: not UTF-8, too many, or a value that is no number or out of range.
    """
    if not raw:
        return Query(TableQuery(), Page(limits.page_default, 0), False, False)
    try:
        text = NUMBER_PLUS.sub("%2B", raw.decode())
        pairs = dict(
            parse_qsl(
                text,
                keep_blank_values=True,
                errors="strict",
                max_num_fields=limits.query_fields,
            )
        )
    except UnicodeDecodeError:
        raise ApiError(400, "The query is not UTF-8.") from None
    except ValueError:
        raise ApiError(400, f"The query has more than {limits.query_fields} fields.") from None
    return Query(
        TableQuery(**{name: pairs[name] for name in TABLE_QUERY if name in pairs}),
        Page(
            _integer(pairs, "limit", limits.page_default, limits.page_most),
            _integer(pairs, "offset", 0, limits.offset_most),
        ),
        flag(pairs, "archive"),
        flag(pairs, "restore"),
        pairs,
    )


def _integer(pairs: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = pairs.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= most):
        raise refused(name, f"must be an integer from 0 to {most}")
    return int(text)


def flag(pairs: Mapping[str, str], name: str) -> bool:
    """A parameter that is true or false; left out it is false. Raises ApiError for another."""
    text = pairs.get(name, "false").lower()
    if text not in ("true", "false", "1", "0"):
        raise refused(name, "must be true or false")
    return text in ("true", "1")


def no_dry_run(pairs: Mapping[str, str]) -> None:
    """Raises ApiError where a change is to be tried only: nothing but an import can be."""
    if flag(pairs, "dry_run"):
        raise refused("dry_run", "is for files in CSV: nothing was changed")


def refused(name: str, what: str) -> ApiError:
    """The answer to a parameter that is amiss."""
    message = f"Parameter '{name}' {what}."
    return ApiError(400, message, [FieldError(name, "format", message)])


async def read_body(headers: Headers, receive: Receive, limits: Limits) -> bytes:
    """The whole body.

    A longer one is read on and dropped, up to a limit of its own: a caller who is still sending
    would otherwise lose the answer.

    Raises:
        ApiError: it is longer than the limit, or encoded.
        Disconnected: it ended before it was whole.
    """
    plain(headers)
    length = headers.content_length or 0
    too_long = ApiError(413, f"The body is longer than {limits.body_bytes} bytes.")
    if length > limits.body_bytes and (headers.expects_continue or length > limits.drain_bytes):
        raise too_long
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size <= limits.body_bytes:
            chunks.append(chunk)
        else:
            chunks.clear()
        if not message.get("more_body", False):
            break
        if size > limits.drain_bytes:
            raise too_long
    if size > limits.body_bytes:
        raise too_long
    return b"".join(chunks)


def plain(headers: Headers) -> None:
    """Raises ApiError for a body that is compressed: what it would grow to cannot be known."""
    encoding = headers.raw.get(b"content-encoding", b"").strip().lower()
    if encoding not in (b"", b"identity"):
        raise ApiError(415, "The body must not be encoded: send it as it is.")


def json_object(headers: Headers, body: bytes) -> dict[str, Any]:
    """The JSON object that a body holds.

    Raises:
        ApiError: the type is one of the bulk forms, or the body is no JSON object.
    """
    if headers.content_type.startswith(BULK):
        kind = headers.kind
        raise ApiError(415, f"A body of type '{kind}' cannot be read here: send a JSON object.")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ApiError(400, f"The body is not valid JSON: {error.msg}.") from None
    if not isinstance(found, dict):
        raise ApiError(400, "The body must be a JSON object.")
    return found
