"""Rows of several runs in one order.

Invariants:
1. A run is opened only when its turn has come; one that lies alone is skipped by its count.
"""

import heapq
from collections.abc import Iterator, Sequence

from ...fastpath.rows_types import ID_BYTES, ROW, TIME_BYTES, UNSET, Condition
from .record_runs import Run

_LATEST = 1 << (8 * TIME_BYTES)  # after every time


def in_order(
    runs: Sequence[Run],
    conditions: Sequence[Condition],
    edge: bytes | None,
    skip: int,
    newest_first: bool,
) -> Iterator[bytes]:
    """Rows of all runs that meet every condition, from after the edge, less the first `skip`."""

    def near(run: Run) -> int:
        return _order(run.last if newest_first else run.first, newest_first)

    def far(run: Run) -> int:
        return _order(run.first if newest_first else run.last, newest_first)

    waiting = sorted(runs, key=near, reverse=True)
    if edge is not None:
        beyond = _order(edge, newest_first)
        waiting = [run for run in waiting if far(run) > beyond]
    heap: list[tuple[int, int, bytes, Iterator[bytes]]] = []
    while heap or waiting:
        while waiting and (not heap or near(waiting[-1]) <= heap[0][0]):
            run = waiting.pop()
            alone = not heap and not (waiting and near(waiting[-1]) <= far(run))
            if skip and alone and (edge is None or near(run) > beyond):
                tally = run.tally(conditions)
                if tally <= skip:
                    skip -= tally
                    continue
            _push(heap, len(waiting), run.rows(conditions, edge, newest_first), newest_first)
        if not heap:
            continue
        _, number, row, rows = heapq.heappop(heap)
        if skip:
            skip -= 1
        else:
            yield row
        _push(heap, number, rows, newest_first)


def _push(
    heap: list[tuple[int, int, bytes, Iterator[bytes]]],
    number: int,
    rows: Iterator[bytes],
    newest_first: bool,
) -> None:
    row = next(rows, None)
    if row is not None:
        heapq.heappush(heap, (_order(row[:ID_BYTES], newest_first), number, row, rows))


def _order(id: bytes, newest_first: bool) -> int:
    number = int.from_bytes(id, "big")
    return -number if newest_first else number


def by_time_in_order(
    runs: Sequence[Run], conditions: Sequence[Condition], column: int, descending: bool
) -> Iterator[bytes]:
    """Rows of all runs that meet every condition, in the order that fastpath.rows.by_time has."""

    def key(row: bytes) -> tuple[int, int]:
        id = int.from_bytes(row[:ID_BYTES], "big")
        return _moment(row[column : column + TIME_BYTES], descending), -id

    def near(run: Run) -> int:
        first, last = run.times(column)
        if descending:  # behind UNSET may stand any time
            return -_LATEST if last == UNSET else _moment(last, True)
        return _moment(UNSET if last == UNSET else first, False)

    waiting = sorted(runs, key=near, reverse=True)
    heap: list[tuple[tuple[int, int], int, bytes, Iterator[bytes]]] = []
    while heap or waiting:
        while waiting and (not heap or near(waiting[-1]) <= heap[0][0][0]):
            run = waiting.pop()
            rows = _each(run.timed(conditions, column, descending))
            for row in rows:
                heapq.heappush(heap, (key(row), len(waiting), row, rows))
                break
        if heap:
            _, number, row, rows = heapq.heappop(heap)
            yield row
            for row in rows:
                heapq.heappush(heap, (key(row), number, row, rows))
                break


def _each(rows: bytes) -> Iterator[bytes]:
    return (rows[start : start + ROW] for start in range(0, len(rows), ROW))


def _moment(time: bytes, descending: bool) -> int:
    """Orders as times do, what is unset before them all or, descending, behind."""
    if time == UNSET:
        return 1 if descending else -1
    number = int.from_bytes(time, "big")
    return -number if descending else number


__all__ = ["by_time_in_order", "in_order"]
