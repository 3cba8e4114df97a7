"""Finds call records by table query.

Invariants:
1. A tenant sees the records of its own numbers alone, and none of before it was there: its name may
   have been another's.
2. Without a sort the newest come first, and a page goes on after the last one's cdr_id.
3. A page is that of a scan of all records, however it was found. What is asked of provider,
   subscriber, numbers, times and cdr_id the store answers by its rows (record_terms); what is left
   is asked of each record that these let through.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ...fastpath.rows_types import START, Condition
from ...schema import parse_name
from ...schema.query import Query, compile_query
from ...schema.records import RECORD_COLUMNS, record_row
from ...v1.screening_pb2 import CallRecord
from ..access import Principal, Verb
from ..errors import InvalidInput, NotFound
from ..limits import SCAN_CHUNK
from ..store.records import END_OF_TIME, Found, RecordStore, during
from .append_records import TYPE
from .archive_reach import NEVER, since
from .context import Core
from .list_objects import narrowed
from .names import default_cc
from .paging import Position, Pulse, Request, deep, ever, first_of, fits, page_request
from .record_terms import Narrowed, narrow, time_order


@dataclass(slots=True)
class RecordPage:
    """`total` counts all that matches, not only this page."""

    records: list[CallRecord] = field(default_factory=list)
    next_page_token: str = ""
    total: int = 0


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where records are looked for: those of a product that meet some conditions."""

    store: RecordStore
    product: str
    conditions: tuple[Condition, ...]
    newest_first: bool
    pulse: Pulse

    def count(self) -> int:
        return self.store.count(self.product, self.conditions)

    def page(self, after: bytes | None, skip: int, limit: int) -> list[Found]:
        return self.store.page(self.product, self.conditions, after, skip, limit, self.newest_first)

    def all(self) -> Iterator[Found]:
        """In order, a read transaction each SCAN_CHUNK."""
        after = None
        while chunk := self.page(after, 0, SCAN_CHUNK):
            self.pulse()
            yield from chunk
            after = chunk[-1].id


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
        begin = since(reader, caller, product)
    compiled = compile_query(table, RECORD_COLUMNS[product], country_code)
    request = page_request(parent, table, page_size, page_token, skip)
    scope = narrowed(caller.place, path) if caller.may(product, TYPE, Verb.READ) else None
    if scope is None or begin == NEVER:
        return RecordPage()
    found: Narrowed = narrow(compiled, scope, core.records.key)
    own = (during(START, begin, END_OF_TIME),) if begin else ()
    shelf = Shelf(core.records, product, (*found.conditions, *own), found.newest_first, pulse)
    by_time = time_order(found.query)
    if by_time is not None:
        return _timed(shelf, *by_time, request)
    if found.query.sorts:
        return _sorted(shelf, found.query, request)
    if found.query.keeps_all:
        return _plain(shelf, request)
    return _filtered(shelf, found.query, request)


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


def _plain(shelf: Shelf, request: Request) -> RecordPage:
    page = RecordPage(total=shelf.count())
    if request.skip < page.total:
        _fill(page, request, shelf.page(_after(request), request.skip, request.size + 1))
    return page


def _filtered(shelf: Shelf, query: Query, request: Request) -> RecordPage:
    page, left, after = RecordPage(), request.skip, _after(request)
    found: list[Found] = []
    for each in shelf.all():
        if not query.matches(record_row(CallRecord.FromString(each.value))):
            continue
        page.total += 1
        seen = after is not None and (each.id >= after) is shelf.newest_first
        if seen or each.id == after or len(found) > request.size:
            continue
        if left:
            left -= 1
            continue
        found.append(each)
    _fill(page, request, found)
    return page


def _after(request: Request) -> bytes | None:
    """The identifier that the page follows. Raises InvalidInput for a token that holds none."""
    after = request.position.after
    if after is None:
        return None
    try:
        return UUID(after[0]).bytes
    except (ValueError, IndexError):
        message = "Field 'page_token' must be from an answer to the same query."
        raise InvalidInput(message, [("page_token", "range", message)]) from None


def _fill(page: RecordPage, request: Request, found: list[Found]) -> None:
    """Takes what fits of the records found, which are one more than asked where there are more."""
    wanted = found[: request.size]
    taken = wanted[: fits([each.value for each in wanted])]
    page.records = [CallRecord.FromString(each.value) for each in taken]
    if taken and len(found) > len(taken):
        page.next_page_token = request.token(Position(after=(str(UUID(bytes=taken[-1].id)),)))


def _timed(shelf: Shelf, column: int, descending: bool, request: Request) -> RecordPage:
    page = RecordPage(total=shelf.count())
    start, end = deep(request, page.total)
    if start < page.total:
        limit = end - start
        found = shelf.store.page_by_time(
            shelf.product, shelf.conditions, column, descending, start, limit
        )
        taken = found[: fits([each.value for each in found])]
        page.records = [CallRecord.FromString(each.value) for each in taken]
        if taken and start + len(taken) < page.total:
            page.next_page_token = request.token(Position(offset=start + len(taken)))
    return page


def _sorted(shelf: Shelf, query: Query, request: Request) -> RecordPage:
    rows = (
        (record_row(CallRecord.FromString(each.value)), place, each.id)
        for place, each in enumerate(shelf.all())
    )
    items, total = first_of(
        ((query.sort_key(row), place, id) for row, place, id in rows if query.matches(row)),
        request,
    )
    start = request.position.offset + request.skip
    wanted = [id for _, _, id in items]
    values = [held for id in wanted if (held := shelf.store.get(shelf.product, id)) is not None]
    taken = fits(values)
    page = RecordPage(total=total)
    page.records = [CallRecord.FromString(value) for value in values[:taken]]
    if taken and start + taken < total:
        page.next_page_token = request.token(Position(offset=start + taken))
    return page


__all__ = ["RecordPage", "query"]
