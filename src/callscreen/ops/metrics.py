"""Counts in the form that Prometheus reads (text format 0.0.4).

Invariants:
1. Only families that were declared are shown, each with exactly its labels.
2. Reading disturbs nobody: it takes copies of plain numbers, on the reader's thread.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

__all__ = ["FAST", "SIZES", "SLOW", "Add", "Family", "Histogram", "Source", "Table"]

# Upper bounds: of what takes microseconds, of what may wait for a disk, of counts.
FAST: Final = tuple(
    micros / 1e6 for micros in (10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 25_000, 100_000)
)  # seconds
SLOW: Final = tuple(
    millis / 1e3 for millis in (0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000)
)  # seconds
SIZES: Final = tuple(float(size) for size in (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000))


class Family(NamedTuple):
    """A metric: its name with its unit, its kind (counter, gauge, histogram), help, label names."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()


class Histogram:
    """How often a value fell below each bound. One thread observes at a time, any may read."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float] = SLOW) -> None:
        """`bounds` ascend; what is above the last is counted too."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        """How many values were observed."""
        return sum(self.counts)

    def buckets(self) -> list[tuple[str, float]]:
        """Each upper bound, and how many values were not above it."""
        found, total = [], 0
        for bound, count in zip((*map(repr, self.bounds), "+Inf"), self.counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found


class Add(Protocol):
    """Takes a value of a family; the labels are in the order of its declaration."""

    def __call__(self, name: str, value: float | Histogram, *labels: str) -> None: ...


Source = Callable[[Add], None]  # gives the values of the moment


class Table(Collector):
    """The families of a part, and where their values come from."""

    def __init__(self, families: Sequence[Family], sources: Sequence[Source]) -> None:
        self.families = tuple(families)
        self._sources = tuple(sources)

    def collect(self) -> Iterator[Metric]:
        """The families with their values of the moment. Raises what a source raises."""
        found = {family.name: _metric(family) for family in self.families}

        def add(name: str, value: float | Histogram, *labels: str) -> None:
            metric = found[name]
            if isinstance(metric, HistogramMetricFamily):
                assert isinstance(value, Histogram)
                metric.add_metric(labels, value.buckets(), value.sum)
            else:
                assert isinstance(value, (int, float))
                metric.add_metric(labels, value)

        for source in self._sources:
            source(add)
        yield from found.values()


_Kinds = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
KINDS: Final[dict[str, type[CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily]]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}


def _metric(family: Family) -> _Kinds:
    return KINDS[family.kind](family.name, family.help, labels=family.labels)
