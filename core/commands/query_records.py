"""Finds call records by table query.

Invariants:
1. A tenant sees the records of its own numbers alone.
2. Without a sort the newest come first, and a page goes on after the last one's cdr_id.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...schema import parse_name
from ...schema.query import Query, compile_query
from ...schema.records import RECORD_COLUMNS, record_row
from ...v1.screening_pb2 import CallRecord
from ..access import Principal, Verb
from ..errors import InvalidInput, NotFound
from ..limits import SCAN_CHUNK
from ..store.records import RecordStore
from .append_records import TYPE
from .context import Core
from .list_objects import narrowed
from .names import default_cc
from .paging import Position, Pulse, Request, ever, first_of, fits, page_request


@dataclass(slots=True)
class RecordPage:
    """`total` counts all that matches, not only this page."""

    records: list[CallRecord] = field(default_factory=list)
    next_page_token: str = ""
    total: int = 0


def query(
    core: Core,
    caller: Principal,
    parent: str,
    table: Any,
    page_size: int | None = None,
    page_token: str = "",
    skip: int = 0,
    pulse: Pulse = ever,
) -> RecordPage:
    """A page, newest first. May take long: not for the event loop.

    Raises InvalidInput, Invalid, NotFound, and what `pulse` raises to end the search.
    """
    product, path = _parent(parent)
    with core.store.read() as reader:
        country_code = default_cc(reader, product)
    compiled = compile_query(table, RECORD_COLUMNS[product], country_code)
    request = page_request(parent, table, page_size, page_token, skip)
    scope = narrowed(caller.place, path) if caller.may(product, TYPE, Verb.READ) else None
    if scope is None:
        return RecordPage()
    if compiled.keeps_all and not compiled.sorts:
        return _plain(core.records, product, scope, request)
    return _searched(core.records, product, scope, compiled, request, pulse)


def _parent(parent: str) -> tuple[str, tuple[str, ...]]:
    try:
        product, type_, path = parse_name(parent)
    except ValueError as error:
        raise InvalidInput(str(error), [("parent", "format", str(error))]) from error
    if type_ != TYPE:
        raise NotFound(f"No object '{type_}' exists.")
    if len(path) > 2:
        message = "The name of a collection of call records has at most 2 key parts."
        raise InvalidInput(message, [("parent", "format", message)])
    return product, path


def _plain(
    store: RecordStore, product: str, scope: tuple[str, ...], request: Request
) -> RecordPage:
    provider, subscriber = _owner(scope)
    page = RecordPage(total=store.count(product, provider, subscriber))
    after = request.position.after
    found = store.scan(
        product,
        provider,
        subscriber,
        start_after=after[0] if after else None,
        skip=request.skip,
        limit=request.size + 1,
    )
    wanted = found[: request.size]
    taken = wanted[: fits([value for _, value in wanted])]
    page.records = [CallRecord.FromString(value) for _, value in taken]
    if taken and len(found) > len(taken):
        page.next_page_token = request.token(Position(after=(taken[-1][0],)))
    return page


def _searched(
    store: RecordStore,
    product: str,
    scope: tuple[str, ...],
    compiled: Query,
    request: Request,
    pulse: Pulse,
) -> RecordPage:
    rows = (
        (record_row(CallRecord.FromString(value)), place, cdr_id)
        for place, (cdr_id, value) in enumerate(_all(store, product, scope, pulse))
    )
    items, total = first_of(
        (
            (compiled.sort_key(row), place, cdr_id)
            for row, place, cdr_id in rows
            if compiled.matches(row)
        ),
        request,
    )
    start = request.position.offset + request.skip
    wanted = [cdr_id for _, _, cdr_id in items]
    values = [held for each in wanted if (held := store.get(product, each)) is not None]
    taken = fits(values)
    page = RecordPage(total=total)
    page.records = [CallRecord.FromString(value) for value in values[:taken]]
    if taken and start + taken < total:
        page.next_page_token = request.token(Position(offset=start + taken))
    return page


def _owner(scope: tuple[str, ...]) -> tuple[str | None, str | None]:
    provider, subscriber = (*scope, None, None)[:2]
    return provider, subscriber


def _all(
    store: RecordStore, product: str, scope: tuple[str, ...], pulse: Pulse
) -> Iterator[tuple[str, bytes]]:
    """Newest first, a read transaction each SCAN_CHUNK."""
    provider, subscriber = _owner(scope)
    after = None
    while chunk := store.scan(product, provider, subscriber, start_after=after, limit=SCAN_CHUNK):
        pulse()
        yield from chunk
        after = chunk[-1][0]


__all__ = ["RecordPage", "query"]
