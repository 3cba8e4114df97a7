"""What an edge shows of its index: memory, and the replica on disk."""

from typing import Any

from ..ops import Add, Family
from .memory import resident
from .replica import Replica

__all__ = ["INDEX_FAMILIES", "show_index"]

INDEX_FAMILIES = (
    Family(
        "callscreen_edge_index_bytes",
        "gauge",
        "Memory of the index that answers calls, by what it is for.",
        ("kind",),
    ),
    Family(
        "callscreen_edge_resident_bytes",
        "gauge",
        "Memory of the process.",
    ),
    Family(
        "callscreen_edge_memory_limit_bytes",
        "gauge",
        "What indexes may hold, one that is loaded aside included; 0 for any.",
    ),
    Family(
        "callscreen_edge_memory_full",
        "gauge",
        "1 while the core has what is not taken up here for want of memory.",
    ),
    Family(
        "callscreen_edge_memory_refusals_total",
        "counter",
        "Attempts to take up what would have grown the index beyond its limit.",
    ),
    Family(
        "callscreen_edge_state_images_total",
        "counter",
        "Images of the index written to disk.",
    ),
    Family(
        "callscreen_edge_state_bytes",
        "gauge",
        "Of the replica on disk: the last image, and the changes since.",
        ("part",),
    ),
    Family(
        "callscreen_edge_state_behind",
        "gauge",
        "1 while the last write to the replica on disk failed: it, or its image, stays behind.",
    ),
)


def show_index(add: Add, replica: Replica[Any]) -> None:
    """Gives the values of the moment."""
    if replica.view is not None:
        for kind, octets in replica.view.memory().items():
            add("callscreen_edge_index_bytes", octets, kind)
    add("callscreen_edge_resident_bytes", resident())
    add("callscreen_edge_memory_limit_bytes", replica.budget.limit)
    add("callscreen_edge_memory_full", float(replica.budget.full))
    add("callscreen_edge_memory_refusals_total", replica.budget.refused)
    local = replica.local
    add("callscreen_edge_state_images_total", local.images if local else 0)
    add("callscreen_edge_state_bytes", local.image_octets if local else 0, "image")
    add("callscreen_edge_state_bytes", local.journal_octets if local else 0, "changes")
    add("callscreen_edge_state_behind", float(bool(local and local.failure)))
