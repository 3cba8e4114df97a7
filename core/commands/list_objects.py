"""Lists objects of a collection, by table query.

Invariants:
1. Only what the caller may see is listed or counted; elsewhere the list is empty.
2. Without a sort the order is that of the keys, and a page goes on after the last one's key.
3. No read transaction lasts longer than SCAN_CHUNK objects.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from ...schema.query import Query, compile_query
from ...v1.object_pb2 import Object
from ..access import Principal, Verb
from ..limits import SCAN_CHUNK
from ..store.contract import Key, Store
from .context import Core
from .names import Target, collection, default_cc
from .paging import Position, Pulse, Request, ever, first_of, fits, page_request
from .secrets import masked

Path = tuple[str, ...]


@dataclass(slots=True)
class Page:
    """`total` counts all that matches, not only this page."""

    objects: list[Object] = field(default_factory=list)
    next_page_token: str = ""
    total: int = 0
    revision: int = 0


def list_objects(
    core: Core,
    caller: Principal,
    parent: str,
    query: Any,
    page_size: int | None = None,
    page_token: str = "",
    skip: int = 0,
    pulse: Pulse = ever,
) -> Page:
    """A page. May take long: not for the event loop.

    Raises InvalidInput, Invalid, NotFound, and what `pulse` raises to end the search.
    """
    at = collection(parent)
    with core.store.read() as reader:
        country_code = default_cc(reader, at.product)
    compiled = compile_query(query, at.kind.columns(at.product), country_code)
    request = page_request(parent, _message(query), page_size, page_token, skip)
    page = Page(revision=core.store.revision)
    prefix = visible(caller, at)
    if prefix is None:
        return page
    if compiled.sorts:
        _sorted_page(core.store, at, prefix, compiled, request, page, pulse)
    elif compiled.keeps_all:
        _plain_page(core.store, at, prefix, request, page, pulse)
    else:
        _filtered_page(core.store, at, prefix, compiled, request, page, pulse)
    for obj in page.objects:
        masked(at.kind, obj)
    return page


def visible(caller: Principal, at: Target) -> Path | None:
    """The path below which the caller sees the collection; None: it sees nothing of it."""
    if not caller.may(at.product, at.kind.type, Verb.READ):
        return None
    return narrowed(caller.place, at.path)


def narrowed(place: Path, path: Path) -> Path | None:
    """The longer of two paths, where one lies below the other."""
    shorter = min(len(place), len(path))
    if place[:shorter] != path[:shorter]:
        return None
    return max(place, path, key=len)


def _message(query: Any) -> Message:
    return query  # type: ignore[no-any-return]


def _plain_page(
    store: Store, at: Target, prefix: Path, request: Request, page: Page, pulse: Pulse
) -> None:
    with store.read() as reader:
        page.total = reader.count(at.product, at.kind.type, prefix)
        page.revision = reader.revision
    left, after = request.skip, request.position.after
    found: list[tuple[Path, bytes]] = []
    while len(found) <= request.size:
        pulse()
        limit = min(SCAN_CHUNK, left + request.size + 1 - len(found))
        with store.read() as reader:
            chunk = list(reader.scan(at.product, at.kind.type, prefix, after, limit))
        if not chunk:
            break
        after = chunk[-1][0].path
        found += [(key.path, value) for key, value in chunk[left:]]
        left = max(0, left - len(chunk))
    _fill(page, request, found)


def _filtered_page(
    store: Store,
    at: Target,
    prefix: Path,
    query: Query,
    request: Request,
    page: Page,
    pulse: Pulse,
) -> None:
    left, after = request.skip, request.position.after
    found: list[tuple[Path, bytes]] = []
    for path, value, _ in _matching(store, at, prefix, query, pulse):
        page.total += 1
        if (after is not None and path <= after) or len(found) > request.size:
            continue
        if left:
            left -= 1
            continue
        found.append((path, value))
    _fill(page, request, found)


def _fill(page: Page, request: Request, found: list[tuple[Path, bytes]]) -> None:
    """Takes what fits of the objects found, which are one more than asked where there are more."""
    wanted = found[: request.size]
    taken = wanted[: fits([value for _, value in wanted])]
    page.objects = [Object.FromString(value) for _, value in taken]
    if taken and len(found) > len(taken):
        page.next_page_token = request.token(Position(after=taken[-1][0]))


def _sorted_page(
    store: Store,
    at: Target,
    prefix: Path,
    query: Query,
    request: Request,
    page: Page,
    pulse: Pulse,
) -> None:
    keyed = (
        (query.sort_key(at.kind.row(obj)), path)
        for path, _, obj in _matching(store, at, prefix, query, pulse)
    )
    items, page.total = first_of(keyed, request)
    start = request.position.offset + request.skip
    wanted = [path for _, path in items]
    found = [(path, value) for path in wanted if (value := _value(store, at, path)) is not None]
    taken = found[: fits([value for _, value in found])]
    page.objects = [Object.FromString(value) for _, value in taken]
    end = start + (len(wanted) if len(taken) == len(found) else len(taken))
    if taken and end < page.total:
        page.next_page_token = request.token(Position(offset=end))


def _value(store: Store, at: Target, path: Path) -> bytes | None:
    return store.get(Key(at.product, at.kind.type, path))


def _matching(
    store: Store, at: Target, prefix: Path, query: Query, pulse: Pulse
) -> Iterator[tuple[Path, bytes, Object]]:
    after: Path | None = None
    while True:
        pulse()
        with store.read() as reader:
            chunk = list(reader.scan(at.product, at.kind.type, prefix, after, SCAN_CHUNK))
        for key, value in chunk:
            obj = Object.FromString(value)
            if query.matches(at.kind.row(obj)):
                yield key.path, value, obj
        if len(chunk) < SCAN_CHUNK:
            return
        after = chunk[-1][0].path


__all__ = ["Page", "list_objects", "narrowed", "visible"]
