"""What becomes of a row before the store is asked: from cells to an object in the form it is held.

Invariants:
1. A row that passes needs nothing more than what only the store can say: whether it may be written,
   what it refers to, what is unique, and what stands at its key.
2. A PIN leaves here as a hash, never as it came.
3. A secret whose cell is empty keeps its value where the mode keeps what the file does not say; one
   whose cell is the mask keeps it in every mode but INSERT.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from ...schema import MASK, ObjectType
from ...schema.csv import cells_reader
from ...schema.secrets import secrets_of
from ...v1.jobs_pb2 import INSERT, UPSERT, ImportMode
from ..commands.means import Means
from ..commands.prepare import hash_pins, refused
from .assembling import Assembler

OTHER_PLACE: Final = "must be that of the path"

Mode: TypeAlias = "ImportMode.ValueType"
Check = Callable[[int, Sequence[str], Assembler], None]


def row_check(
    kind: ObjectType,
    product: str,
    names: Sequence[str],
    given: Sequence[str],
    mode: Mode,
    default_cc: str,
    means: Means,
) -> Check:
    """What checks a row of these columns and adds it to a block, or raises Invalid, KeyTooLong.

    `given` are the key parts of the file's collection, in the form in which they are held.
    """
    read = cells_reader(kind, product, names)
    secret = tuple(path[0] for path, _ in secrets_of(kind.shape) if path[0] in names)
    path = tuple(zip(kind.key, given, strict=False))
    head = f"{product}/{kind.type}/"

    def check(line: int, cells: Sequence[str], into: Assembler) -> None:
        fields = read(cells)
        kept = _kept(fields, secret, mode) if secret else []
        for field, part in path:
            fields.setdefault(field, part)
        body = kind.message(**fields)
        if secret:
            kind.keep_masked(body, None)
        kind.complete(body, product)
        kind.normalise(body, product, default_cc)
        kind.validate(body, product)
        if secret:
            hash_pins(kind, body, means)
        key = kind.key_of(body)
        for (field, part), own in zip(path, key, strict=False):
            if own != part:
                raise refused(kind, field, "not_accepted", OTHER_PLACE)
        into.add(line, head + "/".join([quoted(part) for part in key]), body, kept)

    return check


def _kept(fields: dict[str, Any], secret: Sequence[str], mode: Mode) -> list[str]:
    """The secrets that stay as they are; a mask is taken out of the fields."""
    kept = []
    for name in secret:
        masked = fields.get(name) == MASK
        if masked:
            del fields[name]
        if mode != INSERT and (masked or (mode == UPSERT and name not in fields)):
            kept.append(name)
    return kept


def quoted(part: str) -> str:
    """A key part as it stands in a resource name."""
    if part[:1] == "+" and part[1:].isdecimal() and part.isascii():
        return "%2B" + part[1:]
    return _text(part)


@lru_cache(maxsize=4096)
def _text(part: str) -> str:
    return quote(part, safe="")


__all__ = ["Check", "Mode", "quoted", "row_check"]
