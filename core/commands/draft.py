"""One transaction in the making.

Invariants:
1. Reads see what the draft has written, and below it one revision of the store.
2. The batch holds each key once, with its last value; the Change tells what was done in order.
3. Only types of the screening index are published, without their secrets; the Change of a batch
   that touches none of them is there all the same, empty: the log has no gap.
4. Every unique value of an object is indexed with it, and freed with it; so are the cells of the
   columns that have an index.
5. `changed` tells each object's change once: a rename is one change, a restore none but its own.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from google.protobuf.message import Message

from ...fastpath.staged_read import Block
from ...schema import ObjectType, body_of, format_name
from ...v1.object_pb2 import Change, Mutation, Object
from ..access import Principal
from ..audit.rows import Event, render
from ..encoding import delimited
from ..errors import TooMuch
from ..indexing import changes
from ..limits import CHANGE_BYTES
from ..origin import Origin
from ..store.contract import (
    COLUMNS,
    UNIQUE,
    Batch,
    Delete,
    Gone,
    IndexDelete,
    IndexPut,
    Key,
    PrivateDelete,
    PrivatePut,
    Put,
    Reader,
)
from ..store.tables import encode_key
from .archive_keys import ANY_BATCH, archive_key, batch_id
from .names import default_cc
from .new_objects import New
from .secrets import published

# A name up to so long is no longer as a key than it is so: whatever has it can be archived.
PLAIN_NAME_CHARS: Final = 400
TOO_LARGE: Final = "The change is too large for one transaction: make it in parts."


class Changed(NamedTuple):
    """What was done to one object.

    `action`: create, update, rename, archive, restore or purge; `name` is the one it had before.
    """

    product: str
    type: str
    name: str
    action: str
    old: Object | None
    new: Object | None


class Draft:
    """What one write reads and wants written. `now` is Unix seconds."""

    def __init__(
        self, reader: Reader, caller: Principal, now: float, origin: Origin | None = None
    ) -> None:
        self._reader = reader
        self._events: list[Event] = []
        self._origin = origin or Origin()
        self._writes: dict[Key, bytes | None] = {}
        self._marks: dict[bytes, bytes | None] = {}
        self._columns: dict[bytes, bool] = {}  # entries of the index of columns: put, or removed
        self._private: dict[bytes, bytes | None] = {}
        self._present: set[Key] = set()  # of the store, looked up before
        self._country_codes: dict[str, str] = {}
        self._mutations: list[bytes] = []  # encoded, in order
        self._size = 0  # their octets
        self._stamps: bytes | None = None  # of every new object, encoded
        self._batches = 0  # made for the archive
        self._fresh = New()
        self._gone: Gone | None = None
        self._middles: dict[str, list[bytes]] = {}  # of their audit rows, by product
        self._lines: dict[str, list[bytes]] = {}  # whole rows, by product
        self.changed: list[Changed] = []  # in order
        self.unmailed: list[str] = []  # who is sent no mail, as too many wait
        self.caller = caller
        self.actor = caller.username
        self.now = now
        self.revision = reader.revision + 1

    @property
    def reader(self) -> Reader:
        """The store as it was before this draft."""
        return self._reader

    @property
    def size(self) -> int:
        """Octets that this draft publishes so far."""
        return self._size

    @property
    def voids_tokens(self) -> bool:
        """Whether what tokens stand for changes: one ends, or its administrator is written."""
        written = any(key.type == "administrator" for key in self._writes)
        return written or None in self._private.values()

    def find(self, kind: ObjectType, product: str, key: tuple[str, ...]) -> Object | None:
        """The object as this transaction sees it."""
        value = self._value(_at(kind, product, key))
        return None if value is None else Object.FromString(value)

    def exists(self, kind: ObjectType, product: str, key: tuple[str, ...]) -> bool:
        at = _at(kind, product, key)
        if at in self._writes:
            return self._writes[at] is not None
        if at not in self._present:
            if self._value(at) is None:
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
        key = unique_key(product, type_, field, value)
        held = self._marks[key] if key in self._marks else self._mark(key)
        return None if held is None else held.decode()

    def put(
        self,
        kind: ObjectType,
        product: str,
        obj: Object,
        old: Object | None,
        action: str = "",
        was: Object | None = None,
    ) -> None:
        """Sets an object whose name, body and stamps are complete, in place of its old state.

        `action` is told besides; by itself it is create or update. `was` is the state that a
        renamed object had at its old place. Raises KeyTooLong for what could not be archived.
        """
        obj.revision = self.revision
        body = body_of(obj)
        if old is not None:
            self._free(kind, product, body_of(old), old.name)
        elif len(obj.name) > PLAIN_NAME_CHARS:
            path = kind.path_of(kind.key_of(body))
            self._reader.get(archive_key(product, kind.type, path, ANY_BATCH))
        for field, value in kind.uniques(body):
            self._marks[unique_key(product, kind.type, field, value)] = obj.name.encode()
        stored = obj.SerializeToString(deterministic=True)
        at = _at(kind, product, kind.key_of(body))
        self._writes[at] = stored
        self._columns.update(changes(kind, product, at.path, old, obj))
        if kind.screened:
            put = delimited(Mutation.PUT_FIELD_NUMBER, published(kind, stored))
            self._publish(Mutation(name=obj.name).SerializeToString() + put)
        before = was or old
        action = action or ("create" if before is None else "update")
        name = obj.name if before is None else before.name
        self.changed.append(Changed(product, kind.type, name, action, before, obj))

    def remove(
        self,
        kind: ObjectType,
        product: str,
        key: tuple[str, ...],
        old: Object,
        action: str = "archive",
    ) -> None:
        """Removes an object, and what its values held. Of a rename the put tells."""
        self._free(kind, product, body_of(old), old.name)
        at = _at(kind, product, key)
        self._writes[at] = None
        self._columns.update(changes(kind, product, at.path, old, None))
        if kind.screened:
            self._publish(Mutation(name=old.name).SerializeToString())
        if action != "rename":
            self.changed.append(Changed(product, kind.type, old.name, action, old, None))

    def note(self, kind: ObjectType, product: str, old: Object, action: str) -> None:
        """Tells of a change that is none of the live objects: a purge."""
        self.changed.append(Changed(product, kind.type, old.name, action, old, None))

    def next_batch(self) -> str:
        """The id of a batch of the archive."""
        self._batches += 1
        return batch_id(self.revision, self._batches)

    def taken(self, keys: Sequence[bytes], marks: Sequence[bytes]) -> tuple[set[bytes], set[bytes]]:
        """Of the store's keys, and of entries of the index of unique values: what is there."""
        at, held = set(self._reader.present(keys)), set(self._reader.claimed(marks))
        if self._fresh.objects.pairs:
            at.update(self._fresh.objects.among(keys))
            held.update(self._fresh.marks.among(marks))
        return at, held

    def put_fresh(
        self, kind: ObjectType, product: str, block: Block, rows: Sequence[int] | None = None
    ) -> None:
        """Sets new objects, the block's or those of these rows, of which nothing is `taken`.

        Nor may this draft have put or removed any of them. Raises TooMuch.
        """
        if self._stamps is None:
            self._stamps = self._stamped()
        objects, marks, columns, mutations, audit = block.put(self._stamps, kind.screened, rows)
        self._fresh.objects.add(objects)
        self._fresh.marks.add(marks)
        self._fresh.columns += columns
        self._middles.setdefault(product, []).extend(audit)
        self._mutations.append(mutations)
        self._size += len(mutations)
        if self._size > CHANGE_BYTES:
            raise TooMuch(TOO_LARGE)

    def move_out(
        self,
        product: str,
        gone: Gone,
        archived: Sequence[tuple[bytes, bytes]],
        told: tuple[bytes, Sequence[bytes]],
    ) -> None:
        """Removes objects by the thousand; `archived` are put, of which nothing is there.

        `told` is what is published of it, encoded, and the middles of its audit rows. Once a draft.
        Raises TooMuch.
        """
        mutations, middles = told
        self._gone = gone
        self._fresh.objects.add(archived)
        self._middles.setdefault(product, []).extend(middles)
        self._mutations.append(mutations)
        self._size += len(mutations)
        if self._size > CHANGE_BYTES:
            raise TooMuch(TOO_LARGE)

    def _stamped(self) -> bytes:
        """The stamps and the revision of a new object, encoded."""
        obj = Object(revision=self.revision)
        obj.stamps.modified.FromNanoseconds(int(self.now * 1e9))
        obj.stamps.created.CopyFrom(obj.stamps.modified)
        obj.stamps.created_by = obj.stamps.modified_by = self.actor
        return obj.SerializeToString(deterministic=True)

    def raw(self, key: Key) -> bytes | None:
        """An entry of any type as this transaction sees it."""
        return self._value(key)

    def put_raw(self, key: Key, value: bytes) -> None:
        """Sets an entry that is neither published nor indexed: the archive's."""
        self._writes[key] = value

    def remove_raw(self, key: Key) -> None:
        """Removes one."""
        self._writes[key] = None

    def private(self, key: bytes) -> bytes | None:
        return self._private[key] if key in self._private else self._reader.private(key)

    def set_private(self, key: bytes, value: bytes | None) -> None:
        """Sets or (None) removes an entry of the private table."""
        self._private[key] = value

    def audit(self, product: str, name: str, action: str, role_id: str = "") -> None:
        """Notes what touches the private table alone: login, logout, password, reset.

        `name` is the resource name of whom it is about, `role_id` the role where the caller has
        none yet.
        """
        self._events.append(Event(product, name.split("/", 2)[1], name, action, role_id))

    def tell(self, product: str, rows: bytes) -> None:
        """Adds rows to the audit log that tell of no change, such as of a signature."""
        self._lines.setdefault(product, []).append(rows)

    def batch(self) -> Batch | None:
        """What to commit; None where nothing changes, and nothing is told."""
        if not (self._writes or self._private or self._fresh.objects.pairs or self._lines):
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
            ]
            + [
                IndexPut(COLUMNS, key, b"") if put else IndexDelete(COLUMNS, key)
                for key, put in self._columns.items()
            ],
            rows=self._rows,
            fresh=self._fresh.batch(),
            gone=self._gone,
        )

    def _rows(self) -> dict[str, bytes]:
        """Of the audit log, by product."""
        rows = render(
            self.caller, self._origin, self.now, self.changed, self._events, self._middles
        )
        for product, lines in self._lines.items():
            rows[product] = b"".join((rows.get(product, b""), *lines))
        return rows

    def _publish(self, mutation: bytes) -> None:
        """Raises TooMuch where the change would be too large to send."""
        self._mutations.append(delimited(Change.MUTATIONS_FIELD_NUMBER, mutation))
        self._size += len(mutation)
        if self._size > CHANGE_BYTES:
            raise TooMuch(TOO_LARGE)

    def _value(self, key: Key) -> bytes | None:
        if key in self._writes:
            return self._writes[key]
        if self._fresh.objects.pairs:
            found = self._fresh.objects.get(encode_key(key))
            if found is not None:
                return found
        return self._reader.get(key)

    def _mark(self, key: bytes) -> bytes | None:
        return self._fresh.marks.get(key) or self._reader.unique(key)

    def _free(self, kind: ObjectType, product: str, body: Message, name: str) -> None:
        for field, value in kind.uniques(body):
            if self.holder(product, kind.type, field, value) == name:
                self._marks[unique_key(product, kind.type, field, value)] = None


def name_of(kind: ObjectType, product: str, body: Message) -> str:
    return format_name(product, kind.type, kind.key_of(body))


def _at(kind: ObjectType, product: str, key: tuple[str, ...]) -> Key:
    return Key(product, kind.type, kind.path_of(key))


def unique_key(product: str, type_: str, field: str, value: str) -> bytes:
    """NUL parts it: no value holds one."""
    return "\0".join((product, type_, field, value)).encode()


__all__ = ["Changed", "Draft", "name_of", "unique_key"]
