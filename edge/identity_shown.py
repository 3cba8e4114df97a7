"""The metrics of caller identity at an edge, beside those of what signs and verifies."""

from ..ops import Family

__all__ = ["IDENTITY_FAMILIES"]

IDENTITY_FAMILIES = (
    Family(
        "callscreen_edge_identity_handed_total",
        "counter",
        "Calls given to the threads that verify and sign.",
        ("where",),
    ),
    Family(
        "callscreen_edge_identity_calls_total",
        "counter",
        "Calls answered after their caller's identity was verified, or they were signed.",
    ),
    Family(
        "callscreen_edge_identity_seconds",
        "histogram",
        "From the receipt of such a call to its answer, the wait for a certificate included.",
    ),
    Family(
        "callscreen_edge_identity_waiting",
        "gauge",
        "Calls that wait: for a thread (those of workers not included), or for a certificate.",
        ("what",),
    ),
    Family(
        "callscreen_edge_identity_waiting_bytes",
        "gauge",
        "Calls of the workers that wait for a thread.",
    ),
    Family(
        "callscreen_edge_identity_overflow_total",
        "counter",
        "Calls answered as ones that could not be told, or unsigned, for want of room.",
        ("where",),
    ),
    Family(
        "callscreen_edge_identity_repeated_total",
        "counter",
        "Calls that came again while they were worked on: these need no answer of their own.",
    ),
)
