from collections.abc import Callable, Sequence

from .staged import Pen

__all__ = ["Teller"]

Heads = tuple[bytes, bytes, bytes, list[bytes]]

class Teller:
    """Takes the lines of one file.

    `columns`: of each cell (sort, least, most, required): 0 text, 1 list of numbers, 2 boolean,
    3 number, 4 nothing, 5 nothing or the text of `ones` at the column's place.
    `parts`: for each field in order (place of its cell or -1, sort, tag, name in JSON, and what is
    told where the cell is empty: of the message, of the JSON). Lists longer than `list_entries` are
    told by the number of their entries.
    `key`: for each of its parts (place of its cell or -1, what it is where that is empty). `outer`
    gives for all parts but the last what keys, names and audit rows begin with, and the entries of
    `indexed`: (place or -1, cell); None where no line below it is taken. `depth` parts of the key
    stand in those beginnings.
    `fits`: (place, whether a cell that is not empty may stand). `unique`: (beginning, part of the
    key). `tag` begins the body in an object, `end` the changed fields in an audit row.
    """

    def __init__(
        self,
        *,
        columns: Sequence[tuple[int, int, int, bool]],
        ones: tuple[bytes, ...],
        parts: tuple[tuple[int, int, bytes, bytes, bytes, bytes], ...],
        key: tuple[tuple[int, bytes], ...],
        depth: int,
        outer: Callable[[tuple[bytes, ...]], Heads | None],
        fits: tuple[tuple[int, Callable[[bytes], object]], ...],
        unique: tuple[tuple[bytes, int], ...],
        indexed: tuple[tuple[int, bytes], ...],
        tag: bytes,
        end: bytes,
        secret: bool,
        list_entries: int,
        key_octets: int,
        name_chars: int,
        text_octets: int,
    ) -> None: ...
    def take_all(
        self, piece: bytes, number: int, into: Pen, other: Callable[[int, bytes], object]
    ) -> None:
        """Takes whole lines, the first of which has that number; `other` gets those not taken.

        It is called with the line's number and its octets, without the line's end.
        """
