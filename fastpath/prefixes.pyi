from collections.abc import Iterable

class PrefixTable:
    """Values by address prefix. What is no prefix is passed over. Immutable."""

    def __init__(self, entries: Iterable[tuple[str, int]]) -> None:
        """Prefixes in text, each with a value from 0 to 2^32 - 1; a prefix may come repeatedly."""

    def __len__(self) -> int:
        """How many different prefixes there are."""

    def find(self, address: str) -> list[tuple[str, int]]:
        """Every prefix that holds an address, with its value: longest prefix first, then in the
        order given. Empty where the text is no address."""
