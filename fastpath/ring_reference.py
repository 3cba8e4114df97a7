"""The ring of call records in plain Python: what ring.pyx means, without its threads.

1. A record has HEAD octets before it: the tag of a `records` field, and its length in two octets.
2. There is room for a record where all that waits and it fit into `size` octets.
"""

from collections import deque

__all__ = ["HEAD", "LIMIT", "RingBuffer"]

HEAD = 3  # octets
LIMIT = 1 << 14  # octets of a record: two octets tell no greater length
TAG = 0x12


class RingBuffer:
    """Records in order, until they are taken."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: deque[bytes] = deque()

    def __len__(self) -> int:
        return sum(map(len, self._entries))

    def put(self, record: bytes) -> bool:
        """Whether there was room. ValueError: LIMIT octets or more."""
        size = len(record)
        if size >= LIMIT:
            raise ValueError("a length of two octets tells less than 16 KiB")
        if len(self) + HEAD + size > self._size:
            return False
        self._entries.append(bytes((TAG, size & 0x7F | 0x80, size >> 7)) + record)
        return True

    def take(self, most_entries: int, most_octets: int) -> tuple[bytes, int]:
        """Whole entries, at most so many of either, and how many these are."""
        taken: list[bytes] = []
        room = most_octets
        while self._entries and len(taken) < most_entries and len(self._entries[0]) <= room:
            taken.append(self._entries.popleft())
            room -= len(taken[-1])
        return b"".join(taken), len(taken)
