"""What a part shows of itself: the metrics that it declares and the checks of its health."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest

from .health import Health
from .metrics import Add, Family, Source, Table
from .offers import Offer

__all__ = ["BUILD", "Instruments"]

BUILD = Family(
    "callscreen_build_info",
    "gauge",
    "Always 1; the labels say which part and which release this is.",
    ("part", "version"),
)


class Instruments:
    """Those of one process: its own registry, so that parts in one process do not meet."""

    def __init__(self, part: str = "", version: str = "") -> None:
        self.part = part
        self.version = version
        self.health = Health()
        self.tables: list[Table] = []
        self.offers: dict[str, Offer] = {}
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self.declare((BUILD,), self._build)

    def declare(self, families: Sequence[Family], *sources: Source) -> None:
        """Shows these families from now on, with the values that the sources give when asked."""
        table = Table(families, sources)
        self.tables.append(table)
        self._registry.register(table)

    def offer(self, path: str, offer: Offer) -> None:
        """Answers GET of this path of the admin endpoint from now on."""
        self.offers[path] = offer

    def text(self) -> bytes:
        """All metrics in Prometheus' text format 0.0.4. Any thread may ask."""
        return generate_latest(self._registry)

    def _build(self, add: Add) -> None:
        add(BUILD.name, 1.0, self.part, self.version)
