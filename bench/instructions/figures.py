"""Figures kept in the repository, and what a run says against them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["KEPT", "TOLERANCE", "Kept", "compared", "keep", "kept"]

KEPT = Path(__file__).with_name("figures.json")
TOLERANCE = 0.03  # a rise below it is taken for noise: a table's place, a branch the other way

Kept = dict[str, Any]  # {"made": what built and ran it, "instructions": {case: a call}}


def kept() -> Kept:
    held: Kept = json.loads(KEPT.read_text()) if KEPT.exists() else {"instructions": {}}
    return held


def keep(made: str, counted: Mapping[str, float]) -> None:
    whole = {"made": made, "instructions": {name: round(each) for name, each in counted.items()}}
    KEPT.write_text(json.dumps(whole, indent=1) + "\n")


def compared(
    counted: Mapping[str, float], before: Mapping[str, float]
) -> tuple[list[str], list[str]]:
    """A line for each case, and the names of those that rose by more than the tolerance."""
    lines, risen = [], []
    for name, now in counted.items():
        then = before.get(name)
        if then is None:
            lines.append(f"  {name:40} {now:9,.0f}   new")
            continue
        change = now / then - 1
        worse = change > TOLERANCE
        lines.append(f"  {name:40} {now:9,.0f}   {change:+7.1%}{'   risen' if worse else ''}")
        if worse:
            risen.append(name)
    lines += [f"  {name:40}   no longer there" for name in before if name not in counted]
    return lines, risen
