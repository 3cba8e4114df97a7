"""The metrics of the core by name: their kinds, labels and what they mean."""

from typing import Final

from ..ops import Family

CALLS: Final = (
    Family(
        "callscreen_core_calls_total",
        "counter",
        "gRPC calls that have ended, by method and code.",
        ("method", "code"),
    ),
    Family(
        "callscreen_core_call_duration_seconds",
        "histogram",
        "From a gRPC request to its end; a stream's, too.",
        ("method",),
    ),
    Family(
        "callscreen_core_calls_open",
        "gauge",
        "gRPC calls under way.",
        ("method",),
    ),
    Family(
        "callscreen_core_watchers",
        "gauge",
        "Edges and others that follow the change log now.",
    ),
    Family(
        "callscreen_core_verdicts_total",
        "counter",
        "Calls that the core itself decided when asked, by product, treatment and rule.",
        ("product", "treatment", "rule"),
    ),
    Family(
        "callscreen_core_logins_total",
        "counter",
        "Log-ins that were accepted, refused, or limited (too many attempts).",
        ("result",),
    ),
    Family(
        "callscreen_core_password_hashes_waiting",
        "gauge",
        "Password hashes that are computed or wait for it.",
    ),
    Family(
        "callscreen_core_lists_waiting",
        "gauge",
        "Lists that are read or wait for it.",
    ),
)
WRITING: Final = (
    Family(
        "callscreen_core_commit_queue_depth",
        "gauge",
        "Writes that wait for a transaction.",
        ("store",),
    ),
    Family(
        "callscreen_core_commit_group_size",
        "histogram",
        "Writes in one transaction.",
        ("store",),
    ),
    Family(
        "callscreen_core_commit_duration_seconds",
        "histogram",
        "What a transaction took, its fsync included.",
        ("store",),
    ),
    Family(
        "callscreen_core_revision",
        "gauge",
        "The last durable revision.",
    ),
    Family(
        "callscreen_core_index_revision",
        "gauge",
        "Revision of the core's own screening index.",
    ),
    Family(
        "callscreen_core_log_records",
        "gauge",
        "Changes in the log: how far behind an edge may come back without a snapshot.",
    ),
)
STORED: Final = (
    Family(
        "callscreen_core_store_bytes",
        "gauge",
        "What a store takes of the disk, up to its last page in use.",
        ("store",),
    ),
    Family(
        "callscreen_core_store_map_bytes",
        "gauge",
        "What a store may take before it grows its map, which it does by itself.",
        ("store",),
    ),
    Family(
        "callscreen_core_store_limit_bytes",
        "gauge",
        "What a store may take at most.",
        ("store",),
    ),
    Family(
        "callscreen_core_store_refusing",
        "gauge",
        "1 where the last write was refused: no room, or the disk failed.",
        ("store",),
    ),
    Family(
        "callscreen_core_oldest_reader_seconds",
        "gauge",
        "How long the oldest read transaction has been open.",
        ("store",),
    ),
    Family(
        "callscreen_core_disk_free_bytes",
        "gauge",
        "Room on the disk of the data folder.",
    ),
    Family(
        "callscreen_core_objects",
        "gauge",
        "Objects by product and type; those in the archive have types of their own.",
        ("product", "type"),
    ),
    Family(
        "callscreen_core_records",
        "gauge",
        "Call records that are kept, by product.",
        ("product",),
    ),
)
BACKGROUND: Final = (
    Family(
        "callscreen_core_records_appended_total",
        "counter",
        "Call records that were new.",
    ),
    Family(
        "callscreen_core_audit_rows_total",
        "counter",
        "Rows written to the audit log, by product.",
        ("product",),
    ),
    Family(
        "callscreen_core_jobs",
        "gauge",
        "Imports and exports that have not ended, by state.",
        ("kind", "state"),
    ),
    Family(
        "callscreen_core_jobs_ended_total",
        "counter",
        "Imports and exports that have ended, by how.",
        ("kind", "state"),
    ),
    Family(
        "callscreen_core_mails_waiting",
        "gauge",
        "Mails that wait or are on their way, and resets that strangers asked for.",
    ),
    Family(
        "callscreen_core_mails_total",
        "counter",
        "What became of mails: `sent`, `retried` (an attempt failed), or given up: `refused` by the"
        " server, `expired`, `withdrawn` (mail off, address gone), `no_room`.",
        ("outcome",),
    ),
)
FAMILIES: Final = (*CALLS, *WRITING, *STORED, *BACKGROUND)

__all__ = ["BACKGROUND", "CALLS", "FAMILIES", "STORED", "WRITING"]
