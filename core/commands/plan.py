"""How a table query is answered: by keys, by an index, or by looking at everything.

Invariants:
1. Whatever the plan, the answer is that of a scan of the whole collection.
2. The plan depends on the query, what the caller sees and what the store holds, on nothing else,
   and a page token of one plan serves another.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from ...schema import Query
from ...schema.query import Order
from ..indexing import Path, depth, indexed
from .lanes import ColumnLane, KeyLane, Lane, UniqueLane
from .narrow import By, Narrowed, Plan, path_columns, scopes_of
from .sources import Scan, Shelf
from .streams import Merged, Ranged, Straight


def scan_plan(query: Query, prefix: Path) -> Plan:
    """Looks at everything below the prefix."""
    return Plan(By.SCAN, Scan([prefix]), query)


def plan_for(shelf: Shelf, query: Query, prefix: Path) -> Plan:
    """The plan for a query on what lies below a prefix."""
    narrowed = Narrowed(shelf, query, prefix)
    plan = narrowed.plan()
    left = plan.query
    if not query.orders and plan.source.ordered:
        return replace(plan, order=By.KEY)
    if not left.keeps_all or not query.orders:
        return plan
    constant = narrowed.constant
    orders = [order for order in query.orders if order.column not in constant]
    return Ordering(shelf, plan, narrowed.prefix, constant).plan(orders)


class Ordering:
    """Whether keys or an index give the order asked for."""

    def __init__(self, shelf: Shelf, plan: Plan, prefix: Path, constant: Collection[str]) -> None:
        self._shelf = shelf
        self._kind = shelf.kind
        self._plan = plan
        self._prefix = prefix
        columns = path_columns(self._kind)[len(prefix) :]
        self._next = [column for column in columns if column not in constant]

    def plan(self, orders: Sequence[Order]) -> Plan:
        source = self._plan.source
        if not source.counted:
            return self._plan
        if source.ordered and self._implied(orders, self._next):
            return self._with(By.KEY, Straight(source))
        if not orders or not orders[0].plain:
            return self._plan
        first, rest = orders[0], orders[1:]
        if isinstance(source, Ranged):
            if source.column != first.column:
                return self._plan
            return self._merged(By.COLUMN, source.lanes, first, rest)
        if not isinstance(source, Scan) or list(source.prefixes) != [self._prefix]:
            return self._plan
        return self._by_key(first, rest) or self._by_column(first, rest) or self._by_unique(first)

    def _implied(self, orders: Sequence[Order], columns: Sequence[str | None]) -> bool:
        """Whether what stands in key order stands in this one too."""
        return all(order.plain and not order.descending for order in orders) and [
            order.column for order in orders
        ] == list(columns[: len(orders)])

    def _with(self, by: By, stream: Merged | Straight) -> Plan:
        return Plan(self._plan.search, self._plan.source, self._plan.query, by, stream)

    def _merged(
        self,
        by: By,
        lanes: Sequence[Lane],
        first: Order,
        rest: Sequence[Order],
        below: Path = (),
    ) -> Plan:
        columns = [column for column in self._next if column != first.column]
        refined = not self._implied(rest, columns)
        query = self._plan.query
        return self._with(by, Merged(lanes, first.descending, query, refined, below))

    def _by_key(self, first: Order, rest: Sequence[Order]) -> Plan | None:
        columns = path_columns(self._kind)
        place = len(self._prefix)
        if columns[place] == first.column:
            return self._merged(By.KEY, [KeyLane(self._prefix)], first, rest)
        if place == 0 and len(columns) > 1 and columns[1] == first.column:
            lanes = [KeyLane((each,)) for each in self._shelf.firsts()]
            return self._merged(By.KEY, lanes, first, rest)
        return None

    def _by_column(self, first: Order, rest: Sequence[Order]) -> Plan | None:
        if len(self._prefix) > depth(self._kind):
            return None
        for column in indexed(self._kind, self._shelf.product):
            if column.name == first.column:
                scopes = scopes_of(self._shelf, column, self._prefix)
                lanes = [ColumnLane(above, head, column.text) for above, head in scopes]
                return self._merged(By.COLUMN, lanes, first, rest)
        return None

    def _by_unique(self, first: Order) -> Plan:
        if first.column not in self._kind.unique_columns:
            return self._plan
        lanes = [UniqueLane(first.column)]
        return self._merged(By.UNIQUE, lanes, first, (), self._prefix)


__all__ = ["By", "Plan", "plan_for", "scan_plan"]
