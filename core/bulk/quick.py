"""Lines that are all as they are held, which most are: checked and told in one pass.

Invariants:
1. A line taken here gives what `checking` and `assembling` make of it, octet for octet. A line that
   is not taken is theirs: quotes, text beyond ASCII, numbers in another form, what is wrong.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from ...fastpath.staged import Pen
from ...fastpath.telling import Teller
from ...schema import ObjectType
from ...schema.fields import Field, Kind
from ...schema.secrets import secrets_of
from ...v1.object_pb2 import Object
from ...v1.rules_pb2 import Format
from ..audit.changes import changed_fields
from ..audit.rows import CODE, cell
from ..commands.draft import PLAIN_NAME_CHARS
from ..indexing import depth, indexed, scope
from ..limits import LIST_ENTRIES, TEXT_OCTETS
from ..store.limits import KEY_BYTES
from ..store.tables import encode_parts
from .assembling import CREATE, is_plain, unique_fields
from .checking import quoted

TEXT: Final = r"[ !#-+\--\[\]-{}~]"  # stands for itself in CSV and JSON; no line break either
TEXTUAL, LIST, BOOLEAN, NUMBER, NOTHING, ONE = range(6)  # what a teller makes of a cell
TEXT_CHARS: Final = 4096  # of a text that has no limit of its own
COLUMNS: Final = 64  # that a teller knows

Piece = tuple[bytes, bytes]  # of the message, and of the audit row; both empty for an unset field
Other = Callable[[int, bytes], object]
Heads = tuple[bytes, bytes, bytes, list[bytes]]  # see _outer_of


class Quick:
    """What takes the lines of one file."""

    def __init__(
        self, kind: ObjectType, product: str, names: Sequence[str], given: Sequence[str]
    ) -> None:
        """`given` are key parts of the file's collection."""
        self._kind, self._product = kind, product
        outer = dict(zip(kind.key, given, strict=False))
        fields = {field.name: field for field in kind.fields}
        sources = {name: place for place, name in enumerate(names)}
        constant: Any = kind.message(**outer)
        kind.complete(constant, product)
        parts = []
        for field in sorted(kind.fields, key=lambda each: each.number):
            place, rest = sources.get(field.name, -1), _constant(kind, product, field, constant)
            if place >= 0 or rest[0]:
                shown = f'""{field.json_name}"":[null,'.encode()
                parts.append((place, _sort(field), _tag(field), shown, *rest))
        patterns = {name: fields[name].rules.pattern.encode() for name in sources}
        self._above = tuple(re.compile(patterns.get(name, b"")) for name in kind.key[:-1])
        columns = indexed(kind, product)
        self._indexed = tuple(column.name for column in columns)
        number = Object.DESCRIPTOR.fields_by_name[kind.type].number
        self._teller = Teller(
            columns=[_column(fields[name], outer.get(name)) for name in names],
            ones=tuple(outer.get(name, "").encode() for name in names),
            parts=tuple(parts),
            key=tuple((sources.get(name, -1), outer.get(name, "").encode()) for name in kind.key),
            depth=depth(kind),
            outer=lru_cache(4096)(self._outer_of),
            fits=tuple(
                (place, re.compile(patterns[name]).fullmatch)
                for name, place in sources.items()
                if patterns[name] and name not in kind.key[:-1]
            ),
            unique=tuple(
                (f"{product}\0{kind.type}\0{name}\0".encode(), kind.key.index(name))
                for name in unique_fields(kind)
            ),
            indexed=tuple(
                (sources.get(name, -1), getattr(constant, name, "").encode())
                for name in self._indexed
            ),
            tag=_key_of(number),
            end=f',{CREATE},{CODE},"{{'.encode(),
            secret=bool(secrets_of(kind.shape)),
            list_entries=LIST_ENTRIES,
            key_octets=KEY_BYTES,
            name_chars=PLAIN_NAME_CHARS,
            text_octets=TEXT_OCTETS,
        )

    def take(self, piece: bytes, first: int, into: Pen, other: Other) -> None:
        """Adds whole lines that end in LF alone; the first one has that number.

        `other` gets the number and the octets of each line that is not to be taken here.
        """
        self._teller.take_all(piece, first, into, other)

    def _outer_of(self, outer: tuple[bytes, ...]) -> Heads | None:
        """Beginnings of the store's key, the name, the audit row's middle and the index entries.

        None where a part cannot be a name.
        """
        kind, product = self._kind, self._product
        for part, pattern in zip(outer, self._above, strict=True):
            if pattern.pattern and not pattern.fullmatch(part):
                return None
        path = tuple(part.decode() for part in outer)
        at = encode_parts((product, kind.type, *path))
        inner = "".join(quoted(part) + "/" for part in path)
        head = f"{kind.type}," + (cell(inner) if inner else "")
        above = path[: depth(kind)]
        starts = [scope(product, kind.type, name, above) for name in self._indexed]
        return at, f"{product}/{kind.type}/{inner}".encode(), head.encode(), starts


def quick_of(
    kind: ObjectType, product: str, names: Sequence[str], given: Sequence[str]
) -> Quick | None:
    """What takes the lines of such a file; None where none of them can be taken."""
    secret = {path[0] for path, _ in secrets_of(kind.shape)}
    plain = all(column.text for column in indexed(kind, product))
    if not is_plain(kind, product) or secret.intersection(names) or not plain:
        return None
    if len(names) > COLUMNS or not set(kind.key[len(given) :]) <= set(names):
        return None
    if not all(re.fullmatch(f"{TEXT}+", part) for part in given):
        return None
    return Quick(kind, product, names, given)


def _column(field: Field, given: str | None) -> tuple[int, int, int, bool]:
    """What a cell must be to be held as it stands; an empty one sets nothing."""
    rules = field.rules
    if given is not None:
        return ONE, 0, 0, False
    if field.repeated:
        lists = rules.format == Format.LIST_ENTRY
        return (LIST, 0, rules.max_items or 1, False) if lists else (NOTHING, 0, 0, False)
    if field.kind is Kind.BOOLEAN:
        return BOOLEAN, 0, 0, False
    if field.kind is Kind.STRING and not rules.format:
        return TEXTUAL, max(rules.min_len, 1), rules.max_len or TEXT_CHARS, rules.required
    if field.kind is Kind.STRING and rules.format == Format.NUMBER and rules.required:
        return NUMBER, 0, 0, True
    return NOTHING, 0, 0, False


def _sort(field: Field) -> int:
    """What the teller is to make of a cell."""
    if field.repeated:
        return LIST
    return BOOLEAN if field.kind is Kind.BOOLEAN else TEXTUAL


def _tag(field: Field) -> bytes:
    """What begins the field in a message, its number below 16."""
    return bytes((field.number << 3 | (0 if field.kind is Kind.BOOLEAN else 2),))


def _constant(kind: ObjectType, product: str, field: Field, of: Any) -> Piece:
    """The pieces of a field that the file does not set."""
    alone: Any = kind.message()
    for descriptor, _ in of.ListFields():
        if descriptor.name == field.name:
            alone.CopyFrom(of)
            for other, _ in of.ListFields():
                if other.name != field.name:
                    alone.ClearField(other.name)
    message: bytes = alone.SerializeToString(deterministic=True)
    if not message:
        return b"", b""
    shown = changed_fields(kind, product, None, Object(**{kind.type: alone}))
    return message, shown[1:-1].replace(b'"', b'""')


def _key_of(number: int) -> bytes:
    """What begins a field that has a length."""
    tag = number << 3 | 2
    return bytes((tag,)) if tag < 0x80 else bytes((tag & 0x7F | 0x80, tag >> 7))


__all__ = ["Quick", "quick_of"]
