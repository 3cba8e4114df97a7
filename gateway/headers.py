"""The headers of answers, as the references show them.

1. All times of an answer are one, in the form of HTTP dates (RFC 9110, 5.6.7).
"""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import Any

from .origin import Origin

__all__ = ["common", "headers_with", "not_allowed", "now", "respond"]

Header = tuple[bytes, bytes]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_stamp: tuple[int, bytes] = (0, b"")


def now() -> bytes:
    """The time as an HTTP date, formatted once a second."""
    global _stamp
    second = int(time.time())
    if _stamp[0] != second:
        _stamp = (second, formatdate(second, usegmt=True).encode())
    return _stamp[1]


def common(origin: Origin) -> list[Header]:
    """What every answer of the API has."""
    stamp = now()
    return [
        (b"date", stamp),
        (b"expires", stamp),
        (b"vary", b"Cookie"),
        (b"cache-control", b"max-age=0"),
        (b"x-request-id", origin.request_id.encode()),
    ]


def headers_with(body: bytes, origin: Origin) -> list[Header]:
    """Those of an answer in JSON."""
    shown = common(origin)
    return [
        *shown,
        (b"last-modified", shown[0][1]),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]


def not_allowed(allow: str, origin: Origin) -> list[Header]:
    """Those of the documented answer to a method that is not allowed."""
    shown = common(origin)
    return [
        *shown,
        (b"last-modified", shown[0][1]),
        (b"allow", allow.encode()),
        (b"content-length", b"0"),
        (b"content-type", b"text/html; charset=utf-8"),
    ]


async def respond(send: Send, status: int, body: bytes, headers: list[Header]) -> None:
    """Sends an answer whole."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
