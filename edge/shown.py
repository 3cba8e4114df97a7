"""What an edge shows to operators: its metrics, and whether it can answer calls.

Invariants
1. An edge is ready once its index is loaded, and for as long as the core was followed within
   `lag_seconds`, and all that it sent was taken up: an edge that has been cut off for longer, or is
   at its limit of memory, still answers, from old data.
"""

from collections.abc import Callable
from typing import Any

from ..fastpath.counts_types import Counted
from ..ops import Add, Family
from .metrics import Metrics
from .records import RecordsOut
from .replica import Replica
from .shown_index import INDEX_FAMILIES, show_index
from .workers import Workers, total

__all__ = ["FAMILIES", "Shown"]

FAMILIES = (
    Family(
        "callscreen_edge_calls_total",
        "counter",
        "Calls decided, by the product that decided, the treatment, and the rule that gave it.",
        ("product", "treatment", "rule"),
    ),
    Family(
        "callscreen_edge_call_duration_seconds",
        "histogram",
        "From a call's INVITE being read to its answer being handed to the kernel.",
    ),
    Family(
        "callscreen_edge_datagrams_received_total",
        "counter",
        "Datagrams received, of whatever kind.",
    ),
    Family(
        "callscreen_edge_datagrams_dropped_total",
        "counter",
        "Datagrams without an answer, or whose answer could not be sent, by what was amiss.",
        ("kind",),
    ),
    Family(
        "callscreen_edge_answers_total",
        "counter",
        "Answers, repeated ones included, by SIP status.",
        ("status",),
    ),
    Family(
        "callscreen_edge_retransmissions_total",
        "counter",
        "Answers given again to an INVITE that came again.",
    ),
    Family(
        "callscreen_edge_acks_total",
        "counter",
        "ACKs received, which have no answer.",
    ),
    Family(
        "callscreen_edge_worker_datagrams_total",
        "counter",
        "Datagrams received, by the worker that answers them.",
        ("worker",),
    ),
    Family(
        "callscreen_edge_socket_overflows_total",
        "counter",
        "Datagrams that found no room in the receive buffer of a worker's socket.",
        ("worker",),
    ),
    Family(
        "callscreen_edge_index_revision",
        "gauge",
        "Revision of the data that answers calls; 0 before the first snapshot.",
    ),
    Family(
        "callscreen_edge_index_behind_revisions",
        "gauge",
        "Revisions that the edge has heard of and that do not answer calls yet.",
    ),
    Family(
        "callscreen_edge_replication_lag_seconds",
        "gauge",
        "From the commit of the last change to its being in force at this edge.",
    ),
    Family(
        "callscreen_edge_core_silence_seconds",
        "gauge",
        "Time since the core was last followed; 0 while it is.",
    ),
    Family(
        "callscreen_edge_changes_applied_total",
        "counter",
        "Changes put into the index.",
    ),
    Family(
        "callscreen_edge_snapshots_total",
        "counter",
        "Snapshots loaded and put in the place of the index.",
    ),
    Family(
        "callscreen_edge_records_waiting",
        "gauge",
        "Call records that the core has not acknowledged yet.",
    ),
    Family(
        "callscreen_edge_records_spooled_bytes",
        "gauge",
        "Call records on disk, for as long as the core does not take them.",
    ),
    Family(
        "callscreen_edge_records_disk_failing",
        "gauge",
        "1 while call records that should be on disk wait in memory, since the disk fails.",
    ),
    Family(
        "callscreen_edge_records_made_total",
        "counter",
        "Call records made.",
    ),
    Family(
        "callscreen_edge_records_sent_total",
        "counter",
        "Call records that the core has acknowledged.",
    ),
    Family(
        "callscreen_edge_records_dropped_total",
        "counter",
        "Call records given up: lost (no room) or refused by the core.",
        ("why",),
    ),
    *INDEX_FAMILIES,
)


class Shown:
    """An edge's metrics as Prometheus reads them, and its readiness."""

    def __init__(
        self,
        metrics: Metrics,
        replica: Replica[Any],
        records: RecordsOut,
        workers: Workers,
        streams: Callable[[], Counted],
        lag_seconds: float,
    ) -> None:
        self._metrics = metrics
        self._replica = replica
        self._records = records
        self._workers = workers
        self._streams = streams
        self._lag_seconds = lag_seconds

    def __call__(self, add: Add) -> None:
        """Gives the values of the moment."""
        counts = total([self._workers.counts(), self._streams()])
        for words, count in counts.calls.items():
            add("callscreen_edge_calls_total", count, *words)
        add("callscreen_edge_call_duration_seconds", self._workers.seconds())
        add("callscreen_edge_datagrams_received_total", counts.received)
        for kind, count in counts.dropped.items():
            add("callscreen_edge_datagrams_dropped_total", count, kind)
        for status, count in counts.answered.items():
            add("callscreen_edge_answers_total", count, str(status))
        add("callscreen_edge_retransmissions_total", counts.retransmitted)
        add("callscreen_edge_acks_total", counts.acknowledged)
        for worker, each in enumerate(self._workers.each()):
            add("callscreen_edge_worker_datagrams_total", each.received, str(worker))
        for worker, count in enumerate(self._workers.overflows()):
            add("callscreen_edge_socket_overflows_total", count, str(worker))
        self._replication(add)
        self._call_records(add, counts)

    def _replication(self, add: Add) -> None:
        replica = self._replica
        add("callscreen_edge_index_revision", replica.revision)
        add("callscreen_edge_index_behind_revisions", max(0, replica.heard - replica.revision))
        add("callscreen_edge_replication_lag_seconds", replica.lag)
        add("callscreen_edge_core_silence_seconds", replica.silence())
        add("callscreen_edge_changes_applied_total", self._metrics.changes)
        add("callscreen_edge_snapshots_total", self._metrics.snapshots)
        show_index(add, replica)

    def _call_records(self, add: Add, counts: Counted) -> None:
        metrics = self._metrics
        lost = counts.records_lost + metrics.records_lost
        add("callscreen_edge_records_waiting", len(self._records))
        add("callscreen_edge_records_spooled_bytes", self._records.spooled)
        add("callscreen_edge_records_disk_failing", float(self._records.disk_failing))
        add("callscreen_edge_records_made_total", counts.records_made)
        add("callscreen_edge_records_sent_total", metrics.records_sent)
        add("callscreen_edge_records_dropped_total", lost, "lost")
        add("callscreen_edge_records_dropped_total", metrics.records_refused, "refused")

    async def ready(self) -> str:
        """Why the edge should be given no calls; empty where it should."""
        if self._replica.view is None:
            return "the index is not loaded"
        if self._replica.budget.full:
            return "the index is at its limit of memory, and behind the core"
        silence = self._replica.silence()
        if silence > self._lag_seconds:
            return f"the core has not been followed for {silence:.0f} seconds"
        return ""
