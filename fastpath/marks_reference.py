"""What marks.pyx means, in plain Python: where a head ends, its marks and its line feeds.

1. A line ends with carriage return and line feed; the last octet may be the first half of one.
"""

import re

__all__ = ["found"]

_BARE = re.compile(rb"\r(?!\n)(?!\Z)|(?<!\r)\n")
_MARK = re.compile(rb"[^A-Za-z0-9\-._]")


def found(data: bytes, start: int) -> tuple[int, list[int], list[int]] | None:
    """Position after the empty line or 0, the marks and the line feeds up to there, from start."""
    text = data[start:]
    empty = text.find(b"\r\n\r\n")
    head = text[: empty + 4] if empty >= 0 else text
    if _BARE.search(head):
        return None
    return (
        start + empty + 4 if empty >= 0 else 0,
        [start + mark.start() for mark in _MARK.finditer(head)],
        [start + place for place, octet in enumerate(head) if octet == ord("\n")],
    )
