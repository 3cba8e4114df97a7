"""The index of columns: which entries an object has, and how they order.

Invariants:
1. An object has one entry for each column that its type declares (ObjectRules.indexed), set or
   not: an index lists all objects of its scope.
2. A scope is what one stream of entries is of: product, type, column and the first part of the
   path, or without that where a path has one part. Its entries order by cell, what is unset
   first, then by the rest of the path.
3. Cells order as their octets do. A text longer than TEXT_OCTETS is cut, and is known to be cut:
   the cells behind equal octets may differ there, and nowhere else.
4. Every entry fits the store's keys, whatever the path: a scope is a hash of what it is of.
5. Entries are complete for the declaration whose digest the table holds. It is taken away before
   the entries of another one are made, and put there when all are.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import Final, NamedTuple

from google.protobuf.message import Message

from ..schema import PRODUCTS, TYPES, ColumnKind, ObjectType
from ..schema.columns import Cell, Column
from ..v1.object_pb2 import Object
from .limits import REINDEX_BYTES, REINDEX_OBJECTS, SCOPES_CACHED, TEXT_OCTETS
from .store.contract import COLUMNS, IndexDelete, IndexPut, Store
from .store.tables import decode_parts, encode_parts

SCOPE_OCTETS: Final = 16
NUMBER_OCTETS: Final = 9  # of an integer or a time: nanoseconds to the year 9999
NUMBER_ZERO: Final = 1 << 71
UNSET: Final = b"\x00"
SET: Final = b"\x01"
CUT: Final = b"\xff"  # ends a text that was cut: no octet of UTF-8
DECLARED: Final = b"declared"  # shorter than an entry: the digest of what the entries are of

Path = tuple[str, ...]
Stopped = Callable[[], bool]

log = logging.getLogger("callscreen.core")


def encode_text(text: str) -> bytes:
    """A text as a cell of an entry: see invariant 3."""
    octets = encode_parts((text,))
    if len(octets) <= TEXT_OCTETS + 1:
        return SET + octets
    return SET + octets[:TEXT_OCTETS] + CUT


def encode_number(number: int) -> bytes:
    """An integer, a boolean or a time as a cell of an entry; one out of range is its end."""
    bounded = max(0, min(number + NUMBER_ZERO, 2 * NUMBER_ZERO - 1))
    return SET + bounded.to_bytes(NUMBER_OCTETS, "big")


def encode_cell(cell: Cell) -> bytes:
    """A cell of any column."""
    if cell is None:
        return UNSET
    return encode_text(cell) if isinstance(cell, str) else encode_number(cell)


def is_cut(cell: bytes) -> bool:
    """Whether the octets of a text are not all of it."""
    return len(cell) == TEXT_OCTETS + 2 and cell[-1:] == CUT


class Indexed(NamedTuple):
    """An indexed column: how to read its cell. `stamp`: it is not the object's own."""

    name: str
    text: bool
    stamp: bool
    read: Callable[[Object, Message], Cell]


@cache
def indexed(kind: ObjectType, product: str) -> tuple[Indexed, ...]:
    """The columns of the type that have an index in that product."""
    known = {column.name: column for column in kind.columns(product)}
    return tuple(
        Indexed(name, column.kind is ColumnKind.STRING, column.stamp, _reader(kind, column))
        for name in kind.indexed
        if (column := known.get(name))
    )


def _reader(kind: ObjectType, column: Column) -> Callable[[Object, Message], Cell]:
    name = column.name
    if column.stamp:
        return lambda obj, body: kind.row(obj)(name)
    value: Callable[[Message], Cell] = attrgetter(name)
    return lambda obj, body: value(body) if body.HasField(name) else None


@cache
def depth(kind: ObjectType) -> int:
    """The parts of a path that stand in a scope."""
    return 1 if len(kind.path_of(kind.key)) > 1 else 0


def scope(product: str, type_: str, column: str, above: Path) -> bytes:
    """What the entries of a column of the objects below `above` begin with."""
    parts = encode_parts((product, type_, column, *above))
    return blake2b(parts, digest_size=SCOPE_OCTETS).digest()


@lru_cache(maxsize=SCOPES_CACHED)
def _scopes(product: str, kind: ObjectType, above: Path) -> tuple[bytes, ...]:
    columns = indexed(kind, product)
    return tuple(scope(product, kind.type, column.name, above) for column in columns)


def rest_of(entry: bytes, text: bool) -> tuple[bytes, Path]:
    """The cell and the rest of the path of an entry whose column is of text, or is not."""
    at = SCOPE_OCTETS + 1
    if entry[SCOPE_OCTETS:at] == UNSET:
        end = at
    elif not text:
        end = at + NUMBER_OCTETS
    else:
        found = entry.find(b"\x00", at, at + TEXT_OCTETS + 1)
        end = at + TEXT_OCTETS + 1 if found < 0 else found + 1
    return entry[SCOPE_OCTETS:end], decode_parts(entry[end:])


def changes(
    kind: ObjectType, product: str, path: Path, old: Object | None, new: Object | None
) -> list[tuple[bytes, bool]]:
    """Entries to put (True) and to remove (False), where an object at a path changes."""
    made: list[tuple[bytes, bool]] = []
    columns = indexed(kind, product)
    if not columns:
        return made
    was = None if old is None else _cells(kind, columns, old)
    now = None if new is None else _cells(kind, columns, new)
    if was == now:
        return made
    split = depth(kind)
    rest = encode_parts(path[split:])
    for place, head in enumerate(_scopes(product, kind, path[:split])):
        if was is None or now is None or was[place] != now[place]:
            if was is not None:
                made.append((head + encode_cell(was[place]) + rest, False))
            if now is not None:
                made.append((head + encode_cell(now[place]) + rest, True))
    return made


def _cells(kind: ObjectType, columns: tuple[Indexed, ...], obj: Object) -> list[Cell]:
    body: Message = getattr(obj, kind.type)
    return [column.read(obj, body) for column in columns]


@cache
def digest() -> bytes:
    """Of everything that decides which entries there are."""
    parts = [f"{SCOPE_OCTETS} {NUMBER_OCTETS} {TEXT_OCTETS}"]
    parts += [f"{product} {kind.type} {column.name}" for product, kind, column in _declared()]
    return blake2b(encode_parts(parts), digest_size=SCOPE_OCTETS).digest()


def _declared() -> Iterator[tuple[str, ObjectType, Indexed]]:
    for product in PRODUCTS:
        for kind in TYPES.values():
            if product in kind.products:
                for column in indexed(kind, product):
                    yield product, kind, column


def is_complete(store: Store) -> bool:
    """Whether every object has the entries that this release declares."""
    with store.read() as reader:
        held = list(reader.scan_index(COLUMNS, DECLARED, DECLARED + b"\x00"))
    return held == [(DECLARED, digest())]


def make_complete(store: Store, stopped: Stopped) -> None:
    """Makes all entries anew, where the declaration has changed or they were never made.

    No transaction has more than REINDEX_OBJECTS objects. Nothing else may write meanwhile. What
    is stopped half-way begins again at the next start. Raises StoreFull, StoreFailed.
    """
    if is_complete(store):
        return
    store.reindex([IndexDelete(COLUMNS, DECLARED)])
    if _clear(store, stopped) and _fill(store, stopped):
        store.reindex([IndexPut(COLUMNS, DECLARED, digest())])


def _clear(store: Store, stopped: Stopped) -> bool:
    while not stopped():
        with store.read() as reader:
            held = list(
                reader.scan_index(COLUMNS, b"", b"\xff" * (SCOPE_OCTETS + 1), REINDEX_OBJECTS)
            )
        if not held:
            return True
        store.reindex([IndexDelete(COLUMNS, key) for key, _ in held])
    return False


def _fill(store: Store, stopped: Stopped) -> bool:
    done = 0
    for product, kind in dict.fromkeys((product, kind) for product, kind, _ in _declared()):
        after: Path | None = None
        while True:
            if stopped():
                return False
            marks, after, count = _chunk(store, product, kind, after)
            if after is None:
                break
            store.reindex(marks)
            done += count
    if done:
        log.info("columns of %d objects were indexed", done)
    return True


def _chunk(
    store: Store, product: str, kind: ObjectType, after: Path | None
) -> tuple[Sequence[IndexPut], Path | None, int]:
    """Entries of the next objects, the last one's path (None: there are no more), how many."""
    marks: list[IndexPut] = []
    last, size, count = None, 0, 0
    with store.read() as reader:
        scan = reader.scan(product, kind.type, start_after=after, limit=REINDEX_OBJECTS)
        for key, value in scan:
            obj = Object.FromString(value)
            marks += [
                IndexPut(COLUMNS, entry, b"")
                for entry, _ in changes(kind, product, key.path, None, obj)
            ]
            last, count, size = key.path, count + 1, size + len(value)
            if size >= REINDEX_BYTES:
                break
    return marks, last, count


__all__ = [
    "SCOPE_OCTETS",
    "SET",
    "UNSET",
    "Indexed",
    "changes",
    "depth",
    "digest",
    "encode_cell",
    "encode_number",
    "encode_text",
    "indexed",
    "is_complete",
    "is_cut",
    "make_complete",
    "rest_of",
    "scope",
]
