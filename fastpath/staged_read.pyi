from collections.abc import Sequence

__all__ = ["Block"]

Pairs = list[tuple[bytes, bytes]]

class Block:
    """A block that is read. Each of its fields is a list, made when it is asked for."""

    octets: bytes
    keeps: bool  # some of its lines keep what stands

    def __init__(self, octets: bytes) -> None:
        """Raises ValueError."""

    def __len__(self) -> int: ...
    @property
    def line(self) -> list[int]: ...
    @property
    def at(self) -> list[bytes]: ...
    @property
    def name(self) -> list[bytes]: ...
    @property
    def field(self) -> list[bytes]: ...
    @property
    def unique(self) -> list[bytes]: ...
    @property
    def columns(self) -> list[bytes]: ...
    def ascends(self) -> bool:
        """Whether the keys rise from row to row, and the unique values as well: none is twice."""

    def places(self) -> list[bytes]:
        """Keys less their last part, where that is not the same as in the row before."""

    def put(
        self, stamps: bytes, published: bool, rows: Sequence[int] | None = None
    ) -> tuple[Pairs, Pairs, Pairs, bytes, list[bytes]]:
        """What a transaction puts of these rows, or of all of them, that nobody holds yet.

        `stamps` are the encoded stamps of each object. Gives pairs for the objects, the unique
        values and the columns, the mutations of a Change, none where they are not `published`, and
        the middles of the audit rows. Raises IndexError, ValueError.
        """
