__all__ = ["RecentTable"]

class RecentTable:
    """Transactions answered within the last 32 seconds; shared by all workers of a process."""

    def __init__(self, limit: int) -> None:
        """Room for `limit` or more, 8 octets each. ValueError: fewer than 1, or more than 2^30."""

    def __len__(self) -> int:
        """Transactions there is room for."""

    def note(self, key: int, second: int) -> bool:
        """Whether the key came lately; from now on it did. `second` of Unix time."""

    def holds(self, key: int, second: int) -> bool: ...
