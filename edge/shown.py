"""What an edge shows to operators: its metrics, and whether it can answer calls.

Invariants
1. An edge is ready once its index is loaded, and for as long as the core was followed within
   `lag_seconds`: an edge that has been cut off for longer still answers, from old data.
"""

from typing import Any

from ..ops import Add, Family
from .metrics import Metrics
from .records import RecordsOut
from .replica import Replica

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
        "Call records given up: lost (the queue was full) or refused by the core.",
        ("why",),
    ),
)


class Shown:
    """An edge's metrics as Prometheus reads them, and its readiness."""

    def __init__(
        self,
        metrics: Metrics,
        replica: Replica[Any],
        records: RecordsOut[Any],
        lag_seconds: float,
    ) -> None:
        self._metrics = metrics
        self._replica = replica
        self._records = records
        self._lag_seconds = lag_seconds

    def __call__(self, add: Add) -> None:
        """Gives the values of the moment."""
        metrics = self._metrics
        for words, count in metrics.calls.copy().items():
            add("callscreen_edge_calls_total", count, *words)
        add("callscreen_edge_call_duration_seconds", metrics.seconds)
        add("callscreen_edge_datagrams_received_total", metrics.received)
        for kind, count in metrics.dropped.copy().items():
            add("callscreen_edge_datagrams_dropped_total", count, kind)
        for status, count in metrics.answered.copy().items():
            add("callscreen_edge_answers_total", count, str(status))
        add("callscreen_edge_retransmissions_total", metrics.retransmitted)
        add("callscreen_edge_acks_total", metrics.acknowledged)
        self._replication(add)
        self._call_records(add)

    def _replication(self, add: Add) -> None:
        replica = self._replica
        add("callscreen_edge_index_revision", replica.revision)
        add("callscreen_edge_index_behind_revisions", max(0, replica.heard - replica.revision))
        add("callscreen_edge_replication_lag_seconds", replica.lag)
        add("callscreen_edge_core_silence_seconds", replica.silence())
        add("callscreen_edge_changes_applied_total", self._metrics.changes)
        add("callscreen_edge_snapshots_total", self._metrics.snapshots)

    def _call_records(self, add: Add) -> None:
        metrics = self._metrics
        add("callscreen_edge_records_waiting", len(self._records))
        add("callscreen_edge_records_made_total", metrics.records_made)
        add("callscreen_edge_records_sent_total", metrics.records_sent)
        add("callscreen_edge_records_dropped_total", metrics.records_lost, "lost")
        add("callscreen_edge_records_dropped_total", metrics.records_refused, "refused")

    async def ready(self) -> str:
        """Why the edge should be given no calls; empty where it should."""
        if self._replica.view is None:
            return "the index is not loaded"
        silence = self._replica.silence()
        if silence > self._lag_seconds:
            return f"the core has not been followed for {silence:.0f} seconds"
        return ""
