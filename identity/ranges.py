"""Telephone numbers that a certificate holds: ranges (first, last), looked up in many at once.

Invariants
1. What `ordered` gives is sorted by KEY, and no two ranges of it overlap or follow one another, so
   that what is in one of them is in the last that begins no later.
2. Numbers of another length are never in a range; one with # or * is in none but its own.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

__all__ = ["Range", "holds", "ordered"]

Range = tuple[str, str]  # of as many digits each


def key(numbers: Range) -> tuple[bool, int, str]:
    return not numbers[0].isdecimal(), len(numbers[0]), numbers[0]


def ordered(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """The same numbers, for `holds`."""
    found: list[Range] = []
    for numbers in sorted(ranges, key=key):
        last = found[-1] if found else None
        if last is not None and joins(last, numbers):
            found[-1] = (last[0], max(last[1], numbers[1]))
        else:
            found.append(numbers)
    return tuple(found)


def joins(one: Range, other: Range) -> bool:
    """Whether a range begins within another that begins no later, or right behind it."""
    if one == other:
        return True
    if len(one[0]) != len(other[0]) or not one[0].isdecimal() or not other[0].isdecimal():
        return False
    return int(other[0]) <= int(one[1]) + 1


def holds(ranges: Sequence[Range], numbers: Range) -> bool:
    """Whether all of these numbers are among those that were `ordered`."""
    at = bisect_right(ranges, key(numbers), key=key) - 1
    if at < 0:
        return False
    first, last = ranges[at]
    if numbers == (first, last):
        return True
    if len(numbers[0]) != len(first) or not numbers[0].isdecimal() or not first.isdecimal():
        return False
    return first <= numbers[0] <= numbers[1] <= last
