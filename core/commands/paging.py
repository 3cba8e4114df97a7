"""Pages of a long answer.

Invariants:
1. A page token is worth something only for the collection and query that gave it.
2. A token says where a page begins; it grants nothing: each page is checked as the first was.
3. A page has at most PAGE_MAX items and PAGE_BYTES, but at least one where there is one.
4. What is held to find a page grows with where it ends (PAGE_DEPTH at most), not with what is
   searched; a search ends when its caller has gone, or after LIST_SECONDS.
"""

import base64
import binascii
import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

import orjson
from google.protobuf.message import Message

from ..errors import InvalidInput, TooMuch
from ..limits import LIST_SECONDS, NAME_CHARS, PAGE_BYTES, PAGE_DEFAULT, PAGE_DEPTH, PAGE_MAX

TOO_SLOW = "The query takes too long: narrow it."

Pulse: TypeAlias = Callable[[], None]  # called each SCAN_CHUNK; raises where the search must end
Item = TypeVar("Item")


class Position(NamedTuple):
    """Where a page begins: after a key, or (in a sorted answer) at an offset."""

    after: tuple[str, ...] | None = None
    offset: int = 0


class Request(NamedTuple):
    """How much of the answer is wanted."""

    size: int
    position: Position
    skip: int
    bound: str

    def token(self, position: Position) -> str:
        """The token of a page that begins there."""
        data = orjson.dumps([self.bound, position.after, position.offset])
        return base64.urlsafe_b64encode(data).decode()


def page_request(
    parent: str, query: Message, page_size: int | None, page_token: str, skip: int
) -> Request:
    """What a page of this collection and query is. Raises InvalidInput."""
    if page_size is not None and page_size < 0:
        raise _bad("page_size", "must not be negative")
    if skip < 0:
        raise _bad("skip", "must not be negative")
    asked = parent.encode("utf-8", "replace") + b"\0" + query.SerializeToString(deterministic=True)
    bound = hashlib.sha256(asked).hexdigest()[:16]
    size = PAGE_DEFAULT if page_size is None else min(page_size, PAGE_MAX)
    return Request(size, _position(page_token, bound), skip, bound)


def patience(gone: Callable[[], bool], ticks: Callable[[], float]) -> Pulse:
    """What ends a search (TooMuch) once its caller has gone or LIST_SECONDS are over."""
    until = ticks() + LIST_SECONDS

    def pulse() -> None:
        if gone() or ticks() > until:
            raise TooMuch(TOO_SLOW)

    return pulse


def ever() -> None:
    """A pulse that lets a search take its time."""


def first_of(items: Iterable[Item], request: Request) -> tuple[list[Item], int]:
    """The items of the page, by their order, and how many items there are.

    Raises InvalidInput where the page ends beyond PAGE_DEPTH.
    """
    end = request.position.offset + request.skip + request.size
    total = 0

    def counted() -> Iterator[Item]:
        nonlocal total
        for item in items:
            total += 1
            yield item

    depth = min(max(end, 1), PAGE_DEPTH)
    smallest = heapq.nsmallest(depth, counted())  # type: ignore[type-var]
    start, end = deep(request, total)
    return smallest[start:end], total


def deep(request: Request, total: int) -> tuple[int, int]:
    """Where the page begins and ends in a sorted answer of so many items.

    Raises InvalidInput where it ends beyond PAGE_DEPTH.
    """
    start = request.position.offset + request.skip
    end = start + request.size
    if end > PAGE_DEPTH and total > PAGE_DEPTH:
        raise _bad("skip", f"must leave the page within the first {PAGE_DEPTH} items")
    return start, end


def fits(values: Sequence[bytes]) -> int:
    """How many of these fit on one page; at least one where there is one."""
    room = PAGE_BYTES
    for place, value in enumerate(values):
        room -= len(value)
        if room < 0:
            return max(place, 1)
    return len(values)


def _position(token: str, bound: str) -> Position:
    if not token:
        return Position()
    try:
        if len(token) > NAME_CHARS:
            raise ValueError("too long")
        data: Any = orjson.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        given, after, offset = data
        whole = after is None or all(isinstance(part, str) for part in after)
        if given != bound or not whole or type(offset) is not int or offset < 0:
            raise ValueError("another query's")
    except (ValueError, TypeError, binascii.Error):
        raise _bad("page_token", "must be from an answer to the same query") from None
    return Position(None if after is None else tuple(after), offset)


def _bad(field: str, what: str) -> InvalidInput:
    message = f"Field '{field}' {what}."
    return InvalidInput(message, [(field, "range", message)])


__all__ = [
    "Position",
    "Pulse",
    "Request",
    "deep",
    "ever",
    "first_of",
    "fits",
    "page_request",
    "patience",
]
