from collections.abc import Callable, Iterable, Sequence
from typing import Final

__all__ = ["BOOLEAN", "GROUP", "LINES", "LIST", "SECRET", "TEXT", "RowWriter"]

TEXT: Final[int]
LINES: Final[int]  # text whose line breaks become bars
LIST: Final[int]  # texts, with semicolons between
BOOLEAN: Final[int]  # of which an unset one is neither
GROUP: Final[int]
SECRET: Final[int]  # never written

class RowWriter:
    """Makes rows of CSV of encoded Objects, each with its line end. Not for two threads."""

    def __init__(
        self,
        body: int,
        first: int,
        columns: Sequence[tuple[int, int]],
        other: Callable[[bytes], bytes],
    ) -> None:
        """`body` is the field of an Object that has the columns, `first` the first of such fields.

        A column is a field's number, 1 to 63, and what it is. `other` makes the row of an object
        that is not as most are. Raises ValueError for columns that are none, or more than 32.
        """

    def write(self, values: Iterable[bytes]) -> bytes:
        """The rows of these objects. Raises what `other` raises."""
