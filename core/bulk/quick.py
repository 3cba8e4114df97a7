"""Lines that are all as they are held, which most are: checked by one expression, told by pieces.

Invariants:
1. A line taken here gives what `checking` and `assembling` make of it, octet for octet. A line that
   is not taken is theirs: quotes, text beyond ASCII, numbers in another form, what is wrong.
2. Nothing of a line is looked at twice: an expression that matches says that every cell may stand.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from ...fastpath.telling import Teller
from ...schema import ObjectType
from ...schema.csv import SEPARATOR
from ...schema.fields import Field, Kind
from ...schema.secrets import secrets_of
from ...v1.object_pb2 import Object
from ...v1.rules_pb2 import Format
from ..audit.changes import changed_fields
from ..audit.rows import CODE, cell
from ..commands.draft import PLAIN_NAME_CHARS
from ..encoding import length
from ..indexing import SET, UNSET, depth, encode_text, indexed, scope
from ..limits import LIST_ENTRIES, TEXT_OCTETS
from ..store.limits import KEY_BYTES
from ..store.tables import encode_parts
from .assembling import CREATE, Assembler, is_plain, unique_fields
from .checking import quoted

TEXT: Final = r"[ !#-+\--\[\]-{}~]"  # stands for itself in CSV and JSON; no line break either
NUMBER: Final = r"\+[0-9]{1,15}"
ENTRY: Final = r"\+[0-9x]{1,15}\*?"
TEXTUAL, LIST, BOOLEAN = range(3)  # what a teller makes of a cell

Piece = tuple[bytes, bytes]  # of the message, and of the audit row; both empty for an unset field


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
        line = ",".join(_pattern(fields[name], outer.get(name)) for name in names)
        self._line = re.compile(line)
        self._piece = re.compile(f"(?:{line}\n)*+")
        constant: Any = kind.message(**outer)
        kind.complete(constant, product)
        parts = []
        for field in sorted(kind.fields, key=lambda each: each.number):
            place, rest = sources.get(field.name, -1), _constant(kind, product, field, constant)
            if place >= 0 or rest[0]:
                shown = f'""{field.json_name}"":[null,'.encode()
                parts.append((place, _sort(field), _tag(field), shown, *rest))
        self._tell = Teller(parts, LIST_ENTRIES).tell
        self._key = tuple(
            (sources.get(name, -1), outer.get(name, "").encode()) for name in kind.key
        )
        patterns = {name: fields[name].rules.pattern.encode() for name in sources}
        self._above = tuple(re.compile(patterns.get(name, b"")) for name in kind.key[:-1])
        self._fits = tuple(
            (place, re.compile(patterns[name]).fullmatch)
            for name, place in sources.items()
            if patterns[name] and name not in kind.key[:-1]
        )
        self._unique = tuple(
            (f"{product}\0{kind.type}\0{name}\0".encode(), kind.key.index(name))
            for name in unique_fields(kind)
        )
        columns = indexed(kind, product)
        self._columns = tuple(
            (sources.get(column.name, -1), getattr(constant, column.name, "").encode())
            for column in columns
        )
        self._tag = _key_of(Object.DESCRIPTOR.fields_by_name[kind.type].number)
        self._end = f',{CREATE},{CODE},"{{'.encode()
        self._depth = depth(kind)
        self._scopes = lru_cache(4096)(
            lambda above: [
                scope(product, kind.type, column.name, tuple(part.decode() for part in above))
                for column in columns
            ]
        )
        self._outer = lru_cache(4096)(self._outer_of)

    def matches_all(self, text: str) -> bool:
        """Whether every line of a piece may be taken."""
        return self._piece.fullmatch(text) is not None

    def matches(self, line: str) -> bool:
        """Whether a line, without its end, may be taken."""
        return self._line.fullmatch(line) is not None

    def take(self, number: int, line: bytes, into: Assembler) -> bool:
        """Adds a line that matches; False where it is not to be taken here after all."""
        told = self._tell(line)
        if told is None:
            return False
        cells, message, shown = told
        for place, fits in self._fits:
            if cells[place] and not fits(cells[place]):
                return False
        key = tuple([(cells[place] if place >= 0 else b"") or part for place, part in self._key])
        outer = self._outer(key[:-1])
        if outer is None:
            return False
        at, name, head = outer
        last = key[-1]
        own = b"%2B" + last[1:] if last[:1] == b"+" and last[1:].isdigit() else _quoted(last)
        at += last + b"\0"
        name += own
        if len(at) > KEY_BYTES or len(name) > PLAIN_NAME_CHARS:
            return False
        if not self._key[:-1]:
            own = cell(own.decode()).encode()
        field = self._tag + length(message) + message
        into.lines.append(number)
        into.at.append(at)
        into.names.append(name)
        into.fields.append(field)
        into.audit.append(b"".join((head, own, self._end, shown, b"}")))
        for start, part in self._unique:
            into.unique.append(start + key[part])
        if self._columns:
            self._index(cells, key, into)
        if into.secret:
            into.shown.append(field)
        return True

    def _index(self, cells: Sequence[bytes], key: tuple[bytes, ...], into: Assembler) -> None:
        rest = b"\0".join(key[self._depth :]) + b"\0"
        scopes = self._scopes(key[: self._depth])
        for start, (place, held) in zip(scopes, self._columns, strict=True):
            text = cells[place] if place >= 0 else held
            if not text:
                entry = UNSET
            elif len(text) <= TEXT_OCTETS:
                entry = SET + text + b"\0"
            else:
                entry = encode_text(text.decode())
            into.columns.append(start + entry + rest)

    def _outer_of(self, outer: tuple[bytes, ...]) -> tuple[bytes, bytes, bytes] | None:
        """Beginnings of the store's key, of the name, and of the audit row's middle.

        None where a part cannot be a name.
        """
        kind, product = self._kind, self._product
        for part, pattern in zip(outer, self._above, strict=True):
            if pattern.pattern and not pattern.fullmatch(part):
                return None
        at = encode_parts((product, kind.type, *(part.decode() for part in outer)))
        inner = b"".join(_quoted(part) + b"/" for part in outer).decode()
        head = f"{kind.type}," + (cell(inner) if inner else "")
        return at, f"{product}/{kind.type}/{inner}".encode(), head.encode()


def quick_of(
    kind: ObjectType, product: str, names: Sequence[str], given: Sequence[str]
) -> Quick | None:
    """What takes the lines of such a file; None where none of them can be taken."""
    secret = {path[0] for path, _ in secrets_of(kind.shape)}
    plain = all(column.text for column in indexed(kind, product))
    if not is_plain(kind, product) or secret.intersection(names) or not plain:
        return None
    if not all(re.fullmatch(f"{TEXT}+", part) for part in given):
        return None
    return Quick(kind, product, names, given)


def _pattern(field: Field, given: str | None) -> str:
    """What a cell must be to be held as it stands; an empty one sets nothing."""
    rules = field.rules
    if given is not None:
        return f"(?:{re.escape(given)})?"
    if field.repeated:
        few = rules.max_items or 1
        lists = field.rules.format == Format.LIST_ENTRY
        return f"(?:{ENTRY}(?:{SEPARATOR}{ENTRY}){{0,{few - 1}}}+)?" if lists else ""
    if field.kind is Kind.BOOLEAN:
        return "(?:true|false)?"
    if field.kind is not Kind.STRING:
        return ""
    if rules.format:
        return NUMBER if rules.format == Format.NUMBER and rules.required else ""
    low, high = max(rules.min_len, 1), rules.max_len or 4096
    text = f"{TEXT}{{{low},{high}}}+"
    return text if rules.required else f"(?:{text})?"


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


def _quoted(part: bytes) -> bytes:
    return quoted(part.decode()).encode()


__all__ = ["Quick", "quick_of"]
