"""Multipart bodies (RFC 7578), read as they arrive.

1. No more is held than a part's headers and the octets that came last.
2. Parts, their headers and their names are bounded; a form that ends before its last boundary is
   refused.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final, NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from .config import Limits
from .errors import ApiError

__all__ = ["Part", "parts_of"]

# What a caller sends amiss is no line in the log.
logging.getLogger("python_multipart").setLevel(logging.ERROR)
PLAIN: Final = (b"binary", b"8bit", b"7bit")  # encodings that are none
MALFORMED: Final = "The multipart body cannot be read: {}."


class Part(NamedTuple):
    """The beginning of a part: its octets follow."""

    name: str
    file_name: str | None


class _Reader:
    """What the parser found since it was asked last."""

    def __init__(self, limits: Limits) -> None:
        self.found: list[Part | bytes] = []
        self.ended = False
        self._limits = limits
        self._parts = 0
        self._name = bytearray()
        self._value = bytearray()
        self._disposition = ""

    def on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > self._limits.parts:
            raise ApiError(400, MALFORMED.format(f"more than {self._limits.parts} parts"))
        self._disposition = ""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        name = bytes(self._name).strip().lower()
        if name == b"content-disposition":
            self._disposition = self._value.decode("latin-1")
        elif name == b"content-transfer-encoding" and bytes(self._value.lower()) not in PLAIN:
            raise ApiError(400, MALFORMED.format("a part is encoded"))
        self._name.clear()
        self._value.clear()

    def on_headers_finished(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or b"name" not in options:
            raise ApiError(400, MALFORMED.format("a part has no name"))
        file_name = options.get(b"filename")
        try:
            shown = None if file_name is None else file_name.decode()
            self.found.append(Part(options[b"name"].decode(), shown))
        except UnicodeDecodeError:
            raise ApiError(400, MALFORMED.format("a name is not UTF-8")) from None

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.found.append(data[start:end])

    def on_end(self) -> None:
        self.ended = True


async def parts_of(
    content_type: bytes, octets: AsyncIterator[bytes], limits: Limits
) -> AsyncGenerator[Part | bytes, None]:
    """The parts of a form: each one's beginning, then its octets as they come.

    Raises:
        ApiError: the body is no form, or beyond a limit.
    """
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise ApiError(400, MALFORMED.format("its type names no boundary"))
    reader = _Reader(limits)
    names = ("on_part_begin", "on_header_field", "on_header_value", "on_header_end")
    more = ("on_headers_finished", "on_part_data", "on_end")
    try:
        parser = MultipartParser(
            boundary,
            {name: getattr(reader, name) for name in (*names, *more)},  # type: ignore[arg-type]
            max_header_count=limits.part_headers,
            max_header_size=limits.part_header_bytes,
        )
        async for piece in octets:
            parser.write(piece)
            for found in reader.found:
                yield found
            reader.found.clear()
    except FormParserError as error:
        raise ApiError(400, MALFORMED.format(str(error).rstrip(".").lower())) from None
    if not reader.ended:
        raise ApiError(400, MALFORMED.format("it ends before its last boundary"))
