"""Lists objects of a collection, by table query.

Invariants:
1. Only what the caller may see is listed or counted; elsewhere the list is empty.
2. Without a sort the order is that of the keys, and a page goes on after the last one's key.
3. A page is that of a scan of the whole collection, however it was found; it is found by an index
   where there is one that serves the query.
4. No read transaction lasts longer than SCAN_CHUNK objects.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import nsmallest
from itertools import islice
from typing import Any

from ...schema.query import compile_query
from ...v1.object_pb2 import Object
from ..access import Principal, Verb
from ..limits import PAGE_DEPTH
from .archive_keys import archive_type
from .archive_reach import Recent, since
from .context import Core
from .names import Target, collection, default_cc
from .paging import Position, Pulse, Request, deep, ever, first_of, fits, page_request
from .plan import Plan, plan_for, scan_plan
from .secrets import masked
from .sources import Item, Shelf
from .streams import Merged, Straight, TooFar

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
    archived: bool = False,
) -> Page:
    """A page, of what is there or of the archive. May take long: not for the event loop.

    Raises InvalidInput, Invalid, NotFound, and what `pulse` raises to end the search.
    """
    at = collection(parent)
    with core.store.read() as reader:
        country_code = default_cc(reader, at.product)
    compiled = compile_query(query, at.kind.columns(at.product), country_code)
    request = page_request(parent, query, page_size, page_token, skip)
    page = Page(revision=core.store.revision)
    prefix = visible(caller, at)
    if prefix is None:
        return page
    pulse()
    type_ = archive_type(at.kind.type) if archived else at.kind.type
    shelf = Shelf(core.store, at.kind, at.product, type_, pulse)
    if archived:
        plan = scan_plan(compiled, prefix)
        with core.store.read() as reader:
            begin = since(reader, caller, at.product)
        if begin:
            plan = replace(plan, source=Recent([prefix], begin=begin))
    else:
        plan = plan_for(shelf, compiled, prefix)
        if not plan.source.ordered and not compiled.sorts and _end(request) >= PAGE_DEPTH:
            plan = scan_plan(compiled, prefix)
    answer(shelf, plan, request, page)
    for obj in page.objects:
        masked(at.kind, obj)
    return page


def visible(caller: Principal, at: Target) -> Path | None:
    """The path below which the caller sees the collection; None: it sees nothing of it."""
    if not caller.may(at.product, at.kind.type, Verb.READ):
        return None
    prefix = narrowed(caller.place, at.path)
    return None if prefix is None else caller.readable(at.product, at.kind.type, prefix)


def narrowed(place: Path, path: Path) -> Path | None:
    """The longer of two paths, where one lies below the other."""
    shorter = min(len(place), len(path))
    if place[:shorter] != path[:shorter]:
        return None
    return max(place, path, key=len)


def answer(shelf: Shelf, plan: Plan, request: Request, page: Page) -> None:
    """Fills the page by the plan. Raises InvalidInput, and what the shelf's pulse raises."""
    if plan.stream is not None:
        try:
            return _streamed_page(shelf, plan, plan.stream, request, page)
        except TooFar:
            shelf.pulse()
    if plan.query.sorts:
        _sorted_page(shelf, plan, request, page)
    elif plan.query.keeps_all and plan.source.counted:
        _plain_page(shelf, plan, request, page)
    else:
        _filtered_page(shelf, plan, request, page)


def _end(request: Request) -> int:
    """Where a page ends, counted from the one that the token names."""
    return request.position.offset + request.skip + request.size


def _plain_page(shelf: Shelf, plan: Plan, request: Request, page: Page) -> None:
    page.total = plan.source.count(shelf)
    if request.skip >= page.total or not request.size:
        return
    after, want = request.position.after, request.size + 1
    paths: Iterator[Path]
    if plan.source.ordered:
        paths = plan.source.paths(shelf, after, request.skip + want)
        found = list(islice(paths, request.skip, request.skip + want))
    else:
        paths = plan.source.paths(shelf, None, 0)
        behind = (path for path in paths if after is None or path > after)
        found = nsmallest(request.skip + want, behind)[request.skip :]
    items = shelf.page(found[: request.size])
    _fill(page, request, items, len(found) > request.size)


def _filtered_page(shelf: Shelf, plan: Plan, request: Request, page: Page) -> None:
    left, after = request.skip, request.position.after

    def behind() -> Iterator[Path]:
        for path, _ in _matching(shelf, plan):
            page.total += 1
            if after is None or path > after:
                yield path

    found: list[Path] = []
    if not plan.source.ordered:
        found = nsmallest(left + request.size + 1, behind())[left:]
    else:
        for path in behind():
            if left:
                left -= 1
            elif len(found) <= request.size:
                found.append(path)
    _fill(page, request, shelf.page(found[: request.size]), len(found) > request.size)


def _fill(page: Page, request: Request, items: Sequence[Item], more: bool) -> None:
    """Takes what fits; `more`: there are matches behind these."""
    taken = items[: fits([value for _, value in items])]
    page.objects = [Object.FromString(value) for _, value in taken]
    if taken and (more or len(taken) < len(items)):
        page.next_page_token = request.token(Position(after=taken[-1][0]))


def _streamed_page(
    shelf: Shelf, plan: Plan, stream: Merged | Straight, request: Request, page: Page
) -> None:
    total = plan.source.count(shelf)
    start, end = deep(request, total)
    wanted: list[Path] = []
    if start < min(end, total):
        wanted = _apart(islice(stream.paths(shelf, end, total), start, end))
    page.total = total
    _take(page, request, wanted, shelf.page(wanted))


def _sorted_page(shelf: Shelf, plan: Plan, request: Request, page: Page) -> None:
    keyed = (
        (plan.query.sort_key(shelf.kind.row(obj)), path) for path, obj in _matching(shelf, plan)
    )
    found, page.total = first_of(keyed, request)
    wanted = _apart(path for _, path in found)
    _take(page, request, wanted, shelf.page(wanted))


def _apart(paths: Iterable[Path]) -> list[Path]:
    """Each once: what changes on the way may be met again where it stands now."""
    return list(dict.fromkeys(paths))


def _take(page: Page, request: Request, wanted: Sequence[Path], items: Sequence[Item]) -> None:
    """Takes what fits of a sorted page, whose token is an offset."""
    taken = items[: fits([value for _, value in items])]
    page.objects = [Object.FromString(value) for _, value in taken]
    start = request.position.offset + request.skip
    end = start + (len(wanted) if len(taken) == len(items) else len(taken))
    if taken and end < page.total:
        page.next_page_token = request.token(Position(offset=end))


def _matching(shelf: Shelf, plan: Plan) -> Iterator[tuple[Path, Object]]:
    for path, value in plan.source.items(shelf):
        obj = Object.FromString(value)
        if plan.query.matches(shelf.kind.row(obj)):
            yield path, obj


__all__ = ["Page", "answer", "list_objects", "narrowed", "visible"]
