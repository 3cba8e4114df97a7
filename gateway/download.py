"""A file as an answer: sent piece by piece, as it comes from the core.

1. No more than a piece is held: the next is asked for when the one before was taken.
2. A caller who leaves ends it; a core that fails after the first piece ends the connection, so
   that nobody takes a part for the whole.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from .errors import ApiError

__all__ = ["Broken", "Download", "attachment"]

Header = tuple[bytes, bytes]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
UNQUOTED: Final = re.compile(r"[^ !#-\[\]-~]")


class Broken(Exception):
    """The file ended before it was whole."""


@dataclass(slots=True)
class Download:
    """An answer that is no envelope: its HTTP status, its headers, and its octets."""

    status: int
    headers: list[Header]
    pieces: AsyncGenerator[bytes, None] | None = None  # none where only the headers are wanted

    async def send(self, send: Send, receive: Receive, common: list[Header]) -> None:
        """Sends all of it, after the headers that every answer has.

        Raises:
            Broken: the core failed half-way.
        """
        start = {"type": "http.response.start", "status": self.status}
        await send({**start, "headers": [*common, *self.headers]})
        if self.pieces is not None:
            gone = asyncio.ensure_future(_gone(receive))
            try:
                async with aclosing(self.pieces) as pieces:
                    async for piece in pieces:
                        if gone.done():
                            return
                        body = {"type": "http.response.body", "body": piece, "more_body": True}
                        await send(body)
            except ApiError as error:
                raise Broken(error.message) from None
            finally:
                gone.cancel()
        await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def attachment(name: str) -> Header:
    """A Content-Disposition that has browsers keep the file and never show it (RFC 6266)."""
    plain = UNQUOTED.sub("_", name)
    value = f'attachment; filename="{plain}"'
    if plain != name:
        value += f"; filename*=UTF-8''{quote(name, safe='')}"
    return b"content-disposition", value.encode()
