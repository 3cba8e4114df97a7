"""Parts of a file, as HTTP asks for them (RFC 9110, 14).

1. One range is served; of several, or of what is no range, the whole file is.
"""

import re
from typing import Final, NamedTuple

__all__ = ["Part", "part_of"]

RANGE: Final = re.compile(rb"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


class Part(NamedTuple):
    """`length` octets from `offset`."""

    offset: int
    length: int


def part_of(header: bytes, total: int) -> Part | None:
    """What a Range header asks for of a file of `total` octets; None: all of it.

    Raises:
        ValueError: no octet of the file is in the range.
    """
    found = RANGE.fullmatch(header.strip())
    if found is None or (not found[1] and not found[2]):
        return None
    if not found[1]:
        length = min(int(found[2]), total)
        if not length:
            raise ValueError("an empty range")
        return Part(total - length, length)
    first = int(found[1])
    last = min(int(found[2]), total - 1) if found[2] else total - 1
    if found[2] and int(found[2]) < first:
        return None
    if first >= total:
        raise ValueError("a range beyond the end")
    return Part(first, last - first + 1)
