"""What of a table query on call records the store answers by their rows.

Invariants:
1. What the conditions let through is what the terms they stand for keep, no less and no more.
2. A subscriber's name is looked up with its provider's: alone it is asked of each record.
"""

from typing import Final, NamedTuple
from uuid import UUID

from ...fastpath.records import digest
from ...fastpath.rows_types import (
    CALLED,
    CALLING,
    END,
    ID_BYTES,
    PROVIDER,
    START,
    SUBSCRIBER,
    Condition,
)
from ...schema.query import Query, Term
from ..store.records import during, same

MOST_CONDITIONS: Final = 12  # further terms are asked of each record
NUMBERS: Final = {
    "called_number": CALLED,
    "called_party": CALLED,
    "calling_number": CALLING,
    "calling_party": CALLING,
}
TIMES: Final = {"start_time": START, "end_time": END}
NOTHING: Final = Condition(0, b"\xff" * ID_BYTES, bytes(ID_BYTES))  # no record meets it


class Narrowed(NamedTuple):
    """Conditions, the order in which the store gives records, and the query that is left."""

    conditions: tuple[Condition, ...]
    newest_first: bool
    query: Query


def narrow(query: Query, scope: tuple[str, ...], key: bytes) -> Narrowed:
    """What the store answers of a query below a product, a provider or a subscriber of one."""
    providers = [*scope[:1], *_exact(query, "service_provider_name")]
    chosen = {_same(PROVIDER, key, provider): None for provider in providers}  # in order, each once
    if len(scope) == 2:
        chosen[_same(SUBSCRIBER, key, *scope)] = None
    used: list[Term] = []
    for term in query.terms:
        condition = _condition(term, providers, key)
        if condition is not None and len(chosen) < MOST_CONDITIONS:
            chosen[condition] = None
            used.append(term)
    newest_first, orders = True, query.orders
    if orders and orders[0].plain and orders[0].column == "cdr_id":
        newest_first, orders = orders[0].descending, ()  # no two are equal: the first decides
    if len(scope) == 2 and len(providers) == 1:
        del chosen[_same(PROVIDER, key, scope[0])]  # the subscriber's says so too
    return Narrowed(tuple(chosen), newest_first, query.without(used, orders))


def time_order(query: Query) -> tuple[int, bool] | None:
    """The column of times that a query sorts by, and whether descending, if that is all it asks."""
    if not query.keeps_all or len(query.orders) != 1:
        return None
    order = query.orders[0]
    column = TIMES.get(order.column)
    return (column, order.descending) if column is not None and order.plain else None


def _exact(query: Query, column: str) -> list[str]:
    return [
        text
        for term in query.terms
        if term.column == column and term.span and isinstance(text := term.span[0], str)
    ]


def _condition(term: Term, providers: list[str], key: bytes) -> Condition | None:
    """The condition that means the same as a term, where there is one."""
    if term.span is None:
        return None
    first, last = term.span
    if isinstance(first, int) and isinstance(last, int):
        return during(TIMES[term.column], first, last) if term.column in TIMES else None
    text = str(first)
    if term.column == "service_provider_name":
        return _same(PROVIDER, key, text)
    if term.column == "subscriber_name":
        return _same(SUBSCRIBER, key, providers[0], text) if providers else None
    if term.column == "cdr_id":
        return _identified(text)
    return _same(NUMBERS[term.column], key, text) if term.column in NUMBERS else None


def _same(column: int, key: bytes, *parts: str) -> Condition:
    return same(column, digest(key, "\0".join(parts).encode()))


def _identified(text: str) -> Condition:
    try:
        id = UUID(text)
    except ValueError:
        return NOTHING
    return Condition(0, id.bytes, id.bytes) if str(id) == text else NOTHING


__all__ = ["Narrowed", "narrow", "time_order"]
