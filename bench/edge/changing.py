"""Changes made to the index of our edge while it answers, by command.

Commands, one a line; each is answered with one line of JSON, its `seconds` among it
  prepare            makes both lists of `replace` beforehand
  replace            puts another global list of the same size in place; the next one takes it back.
                     The first half of both is the same
  changes N SECONDS  list changes of numbers that no call of the load is to, N a second
  memory             octets by kind
"""

import itertools
import time
from collections.abc import Callable
from typing import Any

from callscreen.edge.view import ScreeningView

from .workload import PROVIDER, SPARE, SPARE_CALLED, listed, number

__all__ = ["Changing"]

CHANGED = 100_000  # numbers that changes go to
SLICE = 64  # changes of one transaction, as many as the edge takes together


class Changing:
    """Holds what the next replacement puts in place, made beforehand."""

    def __init__(self, view: ScreeningView, count: int) -> None:
        self._view = view
        self._turn = itertools.count(1)
        self._count = count
        self._lists: list[list[str]] = []

    def obey(self, line: str) -> dict[str, Any]:
        """Does what a line says. ValueError for a line that is no command."""
        word, *rest = line.split()
        commands: dict[str, Callable[..., dict[str, Any]]] = {
            "prepare": self.prepare,
            "replace": self.replace,
            "changes": self.changes,
            "memory": self.memory,
        }
        if word not in commands:
            raise ValueError(f"no command: {line!r}")
        begun = time.perf_counter()
        said = commands[word](*map(float, rest))
        return {"seconds": time.perf_counter() - begun, **said}

    def prepare(self) -> dict[str, Any]:
        half = self._count // 2
        alike = [listed(place) for place in range(half)]
        rest = range(half, self._count)
        self._lists = [
            alike + [listed(place) for place in rest],
            alike + [number(SPARE, place) for place in rest],
        ]
        return {}

    def replace(self) -> dict[str, Any]:
        turn = next(self._turn)
        operation = "put_provider", (1, PROVIDER, [], self._lists[turn % 2])
        begun = time.perf_counter()
        self._view.index.commit([operation], turn + 1)
        return {"commit": time.perf_counter() - begun}

    def changes(self, rate: float, seconds: float) -> dict[str, Any]:
        """`rate` list changes a second, each of one number's list, for so many seconds."""
        begun, done = time.perf_counter(), 0
        while (passed := time.perf_counter() - begun) < seconds:
            due = int(passed * rate) - done
            if due < SLICE:
                time.sleep(SLICE / rate / 2)
                continue
            operations = []
            for each in range(done, done + SLICE):
                called = number(SPARE_CALLED, each % CHANGED)
                entries = [number(SPARE, each), number(SPARE, each + 1)]
                operations.append(("put_number", (1, PROVIDER, "spare", called, entries, [])))
            self._view.index.commit(operations, next(self._turn) + 1)
            done += SLICE
        return {"changes": done}

    def memory(self) -> dict[str, Any]:
        return {"memory": self._view.memory()}
