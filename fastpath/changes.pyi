from collections.abc import Sequence

from .model import Operation

__all__ = ["number_puts"]

def number_puts(record: bytes, layout: Sequence[int]) -> list[Operation] | None:
    """The operations of a change that only puts numbers; None for any other."""
