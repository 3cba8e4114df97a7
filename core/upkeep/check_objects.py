"""Objects, live and archived: each by itself, between one another, and in every index.

Invariants:
1. One pass over the objects; each look-up goes by key.
2. An index is held against the objects both ways: every entry that must be there is, and none else.
"""

from collections import Counter
from collections.abc import Generator, Iterator
from typing import Final

from google.protobuf.message import DecodeError, Message

from ...schema import PRODUCTS, TYPES, Invalid, ObjectType, parse_name
from ...v1.object_pb2 import Object
from ..commands.archive_keys import BATCHES, LEFT, archive_type
from ..indexing import DECLARED, changes, digest
from ..store.contract import Key, KeyTooLong
from ..store.offline import Tables
from ..store.tables import (
    COLUMN_VALUES,
    OBJECT_COUNTS,
    OBJECTS,
    UNIQUE_VALUES,
    decode_number,
    decode_parts,
    encode_key,
    encode_parts,
)
from .check_log import revision_of
from .findings import Finding

Path = tuple[str, ...]

ARCHIVED: Final = {archive_type(type_): kind for type_, kind in TYPES.items()}
OTHERS: Final = frozenset({"job", "job_undo", LEFT})  # entries that are no objects of the platform


class ObjectCheck:
    """Checks the objects; `audio` then holds the digests that live and archived objects name."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._revision = revision_of(tables)
        self._counts: Counter[bytes] = Counter()
        self._batches: Counter[Path] = Counter()  # archived objects by product and batch
        self._entries = 0  # that the index of columns must have
        self._indexed = tables.get(COLUMN_VALUES, DECLARED) == digest()
        self.audio: dict[str, str] = {}

    def run(self) -> Iterator[Finding]:
        for octets, value in self._tables.items(OBJECTS):
            try:
                parts = decode_parts(octets)
                product, type_, *path = parts
            except ValueError:
                yield Finding("object", f"the key {octets!r} cannot be decoded")
                continue
            for counted in {encode_parts(parts[:2]), encode_parts(parts[:3])}:
                self._counts[counted] += 1
            yield from self._entry(Key(product, type_, tuple(path)), value)
        yield from self._check_counts()
        yield from self._check_batches()
        yield from self._check_uniques()
        yield from self._check_columns()

    def _entry(self, key: Key, value: bytes) -> Iterator[Finding]:
        where = "/".join(key[:2] + key.path)
        if key.product not in PRODUCTS:
            yield Finding("object", f"{where} is of no product")
        elif key.type in OTHERS or key.type == BATCHES:
            return
        elif key.type not in TYPES and key.type not in ARCHIVED:
            yield Finding("object", f"{where} is of no known type")
        else:
            try:
                obj = Object.FromString(value)
            except DecodeError:
                yield Finding("object", f"{where} cannot be decoded")
                return
            if key.type in ARCHIVED:
                yield from self._archived(ARCHIVED[key.type], key, obj)
            else:
                yield from self._live(TYPES[key.type], key, obj)

    def _live(self, kind: ObjectType, key: Key, obj: Object) -> Iterator[Finding]:
        name = obj.name
        body = yield from self._placed(kind, key.product, key.path, obj)
        if body is None:
            return
        if not 0 < obj.revision <= self._revision:
            yield Finding("object", f"{name} has revision {obj.revision} of {self._revision}")
        try:
            kind.validate(body, key.product)
        except Invalid as error:
            yield Finding("object", f"{name} is not valid: {error}")
        for field, type_, target in kind.references(body):
            at = Key(key.product, type_, TYPES[type_].path_of(target))
            if self._get(at) is None:
                what = f"{type_} {'/'.join(target)}"
                yield Finding("reference", f"{name} names {what} in {field}, which is not there")
        for field, text in kind.uniques(body):
            mark = "\0".join((key.product, kind.type, field, text)).encode()
            if self._tables.get(UNIQUE_VALUES, mark) != name.encode():
                yield Finding("unique", f"{name} does not hold its {field} {text!r}")
        if self._indexed:
            for entry, _ in changes(kind, key.product, key.path, None, obj):
                self._entries += 1
                if self._tables.get(COLUMN_VALUES, entry) is None:
                    yield Finding("column", f"{name} is missing in an index of its columns")

    def _archived(self, kind: ObjectType, key: Key, obj: Object) -> Iterator[Finding]:
        path, batch = key.path[:-1], key.path[-1] if key.path else ""
        yield from self._placed(kind, key.product, path, obj)
        self._batches[key.product, batch] += 1
        if obj.archived.batch != batch:
            yield Finding("archive", f"{obj.name} says batch {obj.archived.batch}, not {batch}")

    def _placed(
        self, kind: ObjectType, product: str, path: Path, obj: Object
    ) -> Generator[Finding, None, Message | None]:
        """The body, where kind, name and key of an object are those of its place."""
        where = "/".join((product, kind.type, *path))
        if obj.WhichOneof("kind") != kind.type:
            yield Finding("object", f"{where} holds no {kind.type}")
            return None
        body: Message = getattr(obj, kind.type)
        key = kind.key_of(body)
        try:
            named = parse_name(obj.name) == (product, kind.type, key)
        except ValueError:
            named = False
        if not named or kind.path_of(key) != path:
            yield Finding("object", f"{where} holds what is named {obj.name!r}")
            return None
        if kind.type == "audio" and obj.audio.digest:
            self.audio[obj.audio.digest] = obj.name
        return body

    def _get(self, key: Key) -> bytes | None:
        try:
            return self._tables.get(OBJECTS, encode_key(key))
        except KeyTooLong:
            return None

    def _check_counts(self) -> Iterator[Finding]:
        for key, value in self._tables.items(OBJECT_COUNTS):
            counted, found = decode_number(value), self._counts.pop(key, 0)
            if counted != found:
                where = "/".join(decode_parts(key))
                yield Finding("count", f"{where} counts {counted} objects, and there are {found}")
        for key, found in self._counts.items():
            yield Finding("count", f"{'/'.join(decode_parts(key))} is not counted: {found}")

    def _check_batches(self) -> Iterator[Finding]:
        for product in PRODUCTS:
            for key, value in self._tables.items(OBJECTS, encode_parts((product, BATCHES))):
                batch = decode_parts(key)[-1]
                found = self._batches.pop((product, batch), 0)
                try:
                    told = Object.FromString(value).archived.count
                except DecodeError:
                    yield Finding("archive", f"the record of batch {batch} cannot be decoded")
                    continue
                if found != told:
                    yield Finding("archive", f"batch {batch} has {found} of its {told} objects")
        for (_, batch), found in self._batches.items():
            yield Finding("archive", f"batch {batch} of {found} objects has no record")

    def _check_uniques(self) -> Iterator[Finding]:
        for key, value in self._tables.items(UNIQUE_VALUES):
            try:
                product, type_, field, text = key.decode().split("\0", 3)
                name = parse_name(value.decode())
                kind = TYPES[type_]
                held = self._get(Key(product, type_, kind.path_of(name.key)))
                body = getattr(Object.FromString(held or b""), type_)
                right = name[:2] == (product, type_) and (field, text) in kind.uniques(body)
            except (ValueError, KeyError, DecodeError):
                right = False
            if not right:
                yield Finding("unique", f"{key!r} is held by {value!r}, which does not have it")

    def _check_columns(self) -> Iterator[Finding]:
        """Entries are distinct and all there must be were found: a surplus is of no object."""
        if not self._indexed:
            return  # it is made anew at the next start
        held = sum(1 for key, _ in self._tables.items(COLUMN_VALUES) if key != DECLARED)
        if held > self._entries:
            yield Finding("column", f"{held - self._entries} entries of the index are of no object")


__all__ = ["ObjectCheck"]
