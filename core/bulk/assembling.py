"""Puts a staged block together, row by row.

Invariants:
1. With its stamps, what a row says of a new object is octet for octet what a single write of the
   same object makes: object, index entries, audit row, and what is published.
2. Rows of a type are `plain` where their write asks no more of the store than references, unique
   values and a free key; of others a block says only the object.
"""

from functools import cache
from typing import Any, Final

from ...fastpath.staged import Pen
from ...schema import ObjectType
from ...schema.secrets import secrets_of
from ...v1.bulk_pb2 import StagedBlock
from ...v1.object_pb2 import Object
from ..audit.changes import changed_fields
from ..audit.rows import middle
from ..commands.archive_keys import ANY_BATCH, archive_key
from ..commands.draft import PLAIN_NAME_CHARS, unique_key
from ..indexing import changes
from ..store.contract import Key
from ..store.tables import encode_key

PLAIN: Final = frozenset({"service_provider", "subscriber", "number"})
CREATE: Final = "create"


@cache
def is_plain(kind: ObjectType, product: str) -> bool:
    """Whether all that the store is to hold of a new object can be made beforehand."""
    stamps = {column.name for column in kind.columns(product) if column.stamp}
    return kind.type in PLAIN and not stamps.intersection(kind.indexed)


@cache
def unique_fields(kind: ObjectType) -> tuple[str, ...]:
    """Fields that no two objects share, but one that is all of the key."""
    return tuple(
        field.name for field in kind.fields if field.rules.unique and (field.name,) != kind.key
    )


class Assembler:
    """One block in the making."""

    def __init__(self, kind: ObjectType, product: str) -> None:
        self._kind = kind
        self._product = product
        self._plain = is_plain(kind, product)
        self._secret = bool(secrets_of(kind.shape))
        self._kept = StagedBlock()
        self.pen = Pen()

    def add(self, line: int, name: str, body: Any, kept: list[str]) -> None:
        """Adds a row by its object, complete and in normal form. Raises KeyTooLong."""
        kind, product = self._kind, self._product
        path = kind.path_of(kind.key_of(body))
        at = encode_key(Key(product, kind.type, path))
        if len(name) > PLAIN_NAME_CHARS:
            encode_key(archive_key(product, kind.type, path, ANY_BATCH))
        obj = Object(**{kind.type: body})
        if kept:
            self._kept.kept.add(place=self.pen.count, fields=kept)
        field = obj.SerializeToString(deterministic=True)
        if not self._plain:
            self.pen.add(line, at, name.encode(), field)
            return
        unique = [
            unique_key(product, kind.type, field, value) for field, value in kind.uniques(body)
        ]
        columns = [entry for entry, _ in changes(kind, product, path, None, obj)]
        audit = middle(kind.type, name, CREATE, changed_fields(kind, product, None, obj))
        shown = None
        if self._secret:
            kind.redact(getattr(obj, kind.type))
            shown = obj.SerializeToString(deterministic=True)
        self.pen.add(line, at, name.encode(), field, shown, unique, columns, audit)

    def whole(self) -> bytes:
        """The block with all that was added, encoded."""
        return self.pen.whole() + self._kept.SerializeToString()


__all__ = ["CREATE", "Assembler", "is_plain", "unique_fields"]
