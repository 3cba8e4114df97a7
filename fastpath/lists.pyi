from collections.abc import Sequence

class ListPair:
    """Two lists as the index keeps an owner's. Immutable."""

    def __init__(self, first: Sequence[str], second: Sequence[str]) -> None: ...
    def find(self, which: int, number: str) -> str:
        """The entry of list 0 or 1 that a number matches: exact, then most literal digits, then
        order; "" for none."""

    def octets(self) -> int:
        """Memory in use."""
