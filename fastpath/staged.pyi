from collections.abc import Sequence

__all__ = ["Pen"]

class Pen:
    """A block in the making."""

    count: int  # rows

    def add(
        self,
        line: int,
        at: bytes,
        name: bytes,
        field: bytes,
        shown: bytes | None = None,
        unique: Sequence[bytes] = (),
        columns: Sequence[bytes] = (),
        audit: bytes | None = None,
    ) -> None:
        """Adds a row; `shown` where it may be told otherwise than `field`."""

    def whole(self) -> bytes:
        """The block, encoded."""
