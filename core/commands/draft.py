"""One transaction in the making.

Invariants:
1. Reads see what the draft has written, and below it one revision of the store.
2. The batch holds each key once, with its last value; the Change tells what was done in order.
3. Only types of the screening index are published, without their secrets; the Change of a batch
   that touches none of them is there all the same, empty: the log has no gap.
4. Every unique value of an object is indexed with it, and freed with it.
"""

from collections.abc import Iterator
from typing import Final

from google.protobuf.message import Message

from ...schema import ObjectType, body_of, format_name
from ...v1.object_pb2 import Change, Mutation, Object
from ..encoding import delimited
from ..errors import TooMuch
from ..limits import CHANGE_BYTES
from ..store.contract import (
    UNIQUE,
    Batch,
    Delete,
    IndexDelete,
    IndexPut,
    Key,
    PrivateDelete,
    PrivatePut,
    Put,
    Reader,
)
from .names import default_cc
from .secrets import published

TOO_LARGE: Final = "The change is too large for one transaction: make it in parts."


class Draft:
    """What one write reads and wants written. `now` is Unix seconds."""

    def __init__(self, reader: Reader, actor: str, now: float) -> None:
        self._reader = reader
        self._writes: dict[Key, bytes | None] = {}
        self._marks: dict[bytes, bytes | None] = {}
        self._private: dict[bytes, bytes | None] = {}
        self._present: set[Key] = set()  # of the store, looked up before
        self._country_codes: dict[str, str] = {}
        self._mutations: list[bytes] = []  # encoded, in order
        self._size = 0  # their octets
        self.actor = actor
        self.now = now
        self.revision = reader.revision + 1

    @property
    def reader(self) -> Reader:
        """The store as it was before this draft."""
        return self._reader

    @property
    def voids_tokens(self) -> bool:
        """A token ends by its entry's removal, and in no other way."""
        return None in self._private.values()

    def find(self, kind: ObjectType, product: str, key: tuple[str, ...]) -> Object | None:
        """The object as this transaction sees it."""
        value = self._value(_at(kind, product, key))
        return None if value is None else Object.FromString(value)

    def exists(self, kind: ObjectType, product: str, key: tuple[str, ...]) -> bool:
        at = _at(kind, product, key)
        if at in self._writes:
            return self._writes[at] is not None
        if at not in self._present:
            if self._reader.get(at) is None:
                return False
            self._present.add(at)
        return True

    def default_cc(self, product: str) -> str:
        """The country code of numbers given without one."""
        if product not in self._country_codes:
            self._country_codes[product] = default_cc(self._reader, product)
        return self._country_codes[product]

    def below(
        self, kind: ObjectType, product: str, path: tuple[str, ...]
    ) -> Iterator[tuple[tuple[str, ...], Object]]:
        """Paths and objects of the store below a path, without what this draft has written."""
        for key, value in self._reader.scan(product, kind.type, path):
            yield key.path, Object.FromString(value)

    def holder(self, product: str, type_: str, field: str, value: str) -> str | None:
        """The name of the object that holds a unique value."""
        key = _unique_key(product, type_, field, value)
        held = self._marks[key] if key in self._marks else self._reader.unique(key)
        return None if held is None else held.decode()

    def put(self, kind: ObjectType, product: str, obj: Object, old: Object | None) -> None:
        """Sets an object whose name, body and stamps are complete, in place of its old state."""
        obj.revision = self.revision
        body = body_of(obj)
        if old is not None:
            self._free(kind, product, body_of(old), old.name)
        for field, value in kind.uniques(body):
            self._marks[_unique_key(product, kind.type, field, value)] = obj.name.encode()
        stored = obj.SerializeToString(deterministic=True)
        self._writes[_at(kind, product, kind.key_of(body))] = stored
        if kind.screened:
            put = delimited(Mutation.PUT_FIELD_NUMBER, published(kind, stored))
            self._publish(Mutation(name=obj.name).SerializeToString() + put)

    def remove(self, kind: ObjectType, product: str, key: tuple[str, ...], old: Object) -> None:
        """Removes an object, and what its values held."""
        self._free(kind, product, body_of(old), old.name)
        self._writes[_at(kind, product, key)] = None
        if kind.screened:
            self._publish(Mutation(name=old.name).SerializeToString())

    def private(self, key: bytes) -> bytes | None:
        return self._private[key] if key in self._private else self._reader.private(key)

    def set_private(self, key: bytes, value: bytes | None) -> None:
        """Sets or (None) removes an entry of the private table."""
        self._private[key] = value

    def batch(self) -> Batch | None:
        """What to commit; None where nothing changes."""
        if not (self._writes or self._private):
            return None
        change = Change(actor=self.actor)
        change.time.FromNanoseconds(int(self.now * 1e9))
        body = b"".join((change.SerializeToString(), *self._mutations))
        return Batch(
            writes=[
                Delete(key) if value is None else Put(key, value)
                for key, value in self._writes.items()
            ],
            # Concatenation is merging: the record is the revision, then what was serialised once.
            change=lambda revision: Change(revision=revision).SerializeToString() + body,
            private=[
                PrivateDelete(key) if value is None else PrivatePut(key, value)
                for key, value in self._private.items()
            ],
            index=[
                IndexDelete(UNIQUE, key) if value is None else IndexPut(UNIQUE, key, value)
                for key, value in self._marks.items()
            ],
        )

    def _publish(self, mutation: bytes) -> None:
        """Raises TooMuch where the change would be too large to send."""
        self._mutations.append(delimited(Change.MUTATIONS_FIELD_NUMBER, mutation))
        self._size += len(mutation)
        if self._size > CHANGE_BYTES:
            raise TooMuch(TOO_LARGE)

    def _value(self, key: Key) -> bytes | None:
        return self._writes[key] if key in self._writes else self._reader.get(key)

    def _free(self, kind: ObjectType, product: str, body: Message, name: str) -> None:
        for field, value in kind.uniques(body):
            if self.holder(product, kind.type, field, value) == name:
                self._marks[_unique_key(product, kind.type, field, value)] = None


def name_of(kind: ObjectType, product: str, body: Message) -> str:
    return format_name(product, kind.type, kind.key_of(body))


def _at(kind: ObjectType, product: str, key: tuple[str, ...]) -> Key:
    return Key(product, kind.type, kind.path_of(key))


def _unique_key(product: str, type_: str, field: str, value: str) -> bytes:
    """NUL parts it: no value holds one."""
    return "\0".join((product, type_, field, value)).encode()


__all__ = ["Draft", "name_of"]
