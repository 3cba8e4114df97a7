"""New objects of a draft, by the thousand, and what goes with them.

Invariants:
1. No key is there twice: whoever adds has asked what is `among` them.
2. Pairs are kept as they came: a table of them is made once somebody asks for single keys.
"""

from collections.abc import Sequence

from ..store.contract import Fresh

Pair = tuple[bytes, bytes]


class Pairs:
    """Keys and their values."""

    def __init__(self) -> None:
        self.pairs: list[Pair] = []
        self._top = b""  # the greatest key
        self._table: dict[bytes, bytes] = {}  # of the first pairs

    def add(self, pairs: Sequence[Pair]) -> None:
        if pairs:
            self._top = max(self._top, max(pairs)[0])
            self.pairs += pairs

    def get(self, key: bytes) -> bytes | None:
        return self._all().get(key)

    def among(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of the keys that are there."""
        if not keys or min(keys) > self._top:  # rows mostly come in the order of their keys
            return set()
        return self._all().keys() & keys

    def _all(self) -> dict[bytes, bytes]:
        if len(self._table) < len(self.pairs):
            self._table.update(self.pairs[len(self._table) :])
        return self._table


class New:
    """The objects, by the store's keys, their unique values and their entries of columns."""

    def __init__(self) -> None:
        self.objects = Pairs()
        self.marks = Pairs()
        self.columns: list[Pair] = []

    def batch(self) -> Fresh | None:
        """What the store is to write; None where there is nothing."""
        if not self.objects.pairs:
            return None
        return Fresh(self.objects.pairs, self.marks.pairs, self.columns)


__all__ = ["New"]
