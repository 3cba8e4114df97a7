__all__ = ["RingBuffer"]

class RingBuffer:
    """Records from one thread to another, without a lock; at most one thread on either side."""

    def __init__(self, size: int) -> None:
        """`size` in octets: a power of two from 4 KiB to 1 GiB, else ValueError."""

    def __len__(self) -> int:
        """Octets that wait."""

    def put(self, record: bytes) -> bool:
        """Puts a record, which gets its tag and length; False where it finds no room.

        ValueError: 16 KiB or more.
        """

    def take(self, most_entries: int, most_octets: int) -> tuple[bytes, int]:
        """Whole entries in order, at most so many of either, and how many these are."""
