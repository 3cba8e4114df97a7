"""docs/metrics.md: every metric of every part, from where it is declared."""

from collections.abc import Iterator, Sequence

from .core.families import FAMILIES as CORE
from .edge.capturing import CAPTURE_FAMILIES
from .edge.identity_shown import IDENTITY_FAMILIES
from .edge.onward import ONWARD_FAMILIES
from .edge.peers import PEER_FAMILIES
from .edge.shown import FAMILIES as EDGE
from .edge.streaming import STREAM_FAMILIES
from .edge.taps import TAP_FAMILIES
from .gateway.observed import FAMILIES as GATEWAY
from .identity.service import FAMILIES as IDENTITY
from .ops import Family
from .ops.instruments import BUILD
from .ops.serving_tls import FAMILIES as TLS

__all__ = ["PARTS", "render"]

HEAD = """\
# Metrics

Written by `make docs` from the code: what a part shows at `/metrics`, where it was given
`--metrics` ([operations](operations.md)). A histogram `x` has the samples `x_bucket`, `x_sum` and
`x_count`. A label's values are words of the code, never a caller's text, so that the number of
series is bounded.
"""
PARTS: dict[str, Sequence[Family]] = {
    "Every part": (BUILD,),
    "Core": (*CORE, *TLS),
    "Gateway": GATEWAY,
    "Edge": (
        *EDGE,
        *STREAM_FAMILIES,
        *PEER_FAMILIES,
        *TAP_FAMILIES,
        *CAPTURE_FAMILIES,
        *IDENTITY_FAMILIES,
        *ONWARD_FAMILIES,
    ),
    "Core and edge": tuple(Family(*each) for each in IDENTITY),
}
MORE = """
Besides, of every process: `process_cpu_seconds_total`, `process_resident_memory_bytes`,
`process_virtual_memory_bytes`, `process_open_fds`, `process_max_fds`, `process_start_time_seconds`;
`python_gc_objects_collected_total`, `python_gc_objects_uncollectable_total` and
`python_gc_collections_total` by `generation`.
"""


def render() -> str:
    """The page."""
    return "\n".join((HEAD, *_lines())).rstrip() + "\n"


def _lines() -> Iterator[str]:
    for part, families in PARTS.items():
        yield f"## {part}\n"
        yield "| metric | kind | labels | |"
        yield "|---|---|---|---|"
        for name, kind, help_, labels in families:
            shown = ", ".join(f"`{label}`" for label in labels)
            yield f"| `{name}` | {kind} | {shown} | {help_} |"
        yield MORE if part == "Every part" else ""


if __name__ == "__main__":
    print(render(), end="")
