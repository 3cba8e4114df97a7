from collections.abc import Iterator, Sequence

from .model import Operation

__all__ = ["NumberPuts", "number_puts"]

class NumberPuts:
    """Numbers to be put, as they stand in a record; one by one they are operations."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Operation]: ...
    def texts(self, place: int, which: int) -> list[str]:
        """The first (0) or second (1) list of a number."""

def number_puts(record: bytes, layout: Sequence[int]) -> NumberPuts | None:
    """The numbers of a change that only puts numbers; None for any other."""
