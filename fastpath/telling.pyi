from collections.abc import Sequence

__all__ = ["Teller"]

class Teller:
    """Tells lines whose cells are the fields of a message."""

    def __init__(
        self, parts: Sequence[tuple[int, int, bytes, bytes, bytes, bytes]], shown: int
    ) -> None: ...
    def tell(self, line: bytes) -> tuple[list[bytes], bytes, bytes] | None:
        """The cells, the message and the JSON between its braces; None for a list that repeats."""
