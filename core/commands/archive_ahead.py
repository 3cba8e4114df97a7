"""A large batch of the archive, made ready beside other writes: its transaction is short then.

Invariants:
1. What was made ready is used only where the transaction finds below the root, octet by octet,
   what it was made of. Else it is stale, and nothing is written of it.
2. No read transaction is open for longer than a page of SCAN_CHUNK objects takes.
3. The root, and administrators with their credentials, are left to the transaction.
4. One is made at a time, and none goes on in a thread once who asked for it is gone.
5. Its id is that of a batch of the revision before it was made, after all that were made there.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Final

from ...schema import TYPES, ObjectType, body_of, children
from ...v1.object_pb2 import Archived, Change, Mutation, Object
from ..access import Principal, Verb
from ..audit.changes import changed_fields
from ..audit.rows import middle
from ..encoding import delimited
from ..errors import TooMuch, Unavailable
from ..indexing import Path, changes
from ..limits import AHEAD_LEAST, COUNT_CHUNK, DESCENDANTS, SCAN_CHUNK
from ..store.contract import Gone, Key, Reader
from ..store.tables import encode_key
from .archive_keys import archive_key, batch_id, batch_key
from .context import Core
from .credentials import KIND
from .draft import Draft, unique_key
from .names import Target, canonical
from .rename import TOO_MANY

STAMP_BYTES: Final = 200  # of who restored it and when, and of what frames it
MADE_AHEAD: Final = 1 << 31  # in the place of a batch's id: no transaction makes so many

Pair = tuple[bytes, bytes]
Member = tuple[ObjectType, Path, Object]  # an object with its type and its path


class Stale(Exception):
    """What was made ready is no longer what lies below the root."""


def octets_back(kind: ObjectType, obj: Object) -> int:
    """Octets of an object in the change that a restore would be, or a few more."""
    return obj.ByteSize() + len(obj.name) + STAMP_BYTES if kind.screened else 0


@dataclass(slots=True)
class Ready:
    """All that lies below a root, as it goes into the archive."""

    product: str
    path: Path  # of the root
    said: Archived
    values: dict[str, list[bytes]] = field(default_factory=dict)  # as stored, by type, in order
    administrators: list[Member] = field(default_factory=list)
    objects: list[bytes] = field(default_factory=list)  # keys that go, and of the indexes
    unique: list[bytes] = field(default_factory=list)
    columns: list[bytes] = field(default_factory=list)
    archived: list[Pair] = field(default_factory=list)  # what comes into the archive
    mutations: list[bytes] = field(default_factory=list)  # encoded
    middles: list[bytes] = field(default_factory=list)  # of audit rows
    octets: int = 0  # of what a restore would publish, but for administrators

    def check(self, reader: Reader) -> None:
        """Raises Stale."""
        if reader.get(batch_key(self.product, self.said.batch)) is not None:
            raise Stale
        for type_, values in self.values.items():
            start = 0
            for found in _pages(reader, self.product, type_, self.path):
                if found != values[start : start + len(found)]:
                    raise Stale
                start += len(found)
            if start != len(values):
                raise Stale

    def move(self, draft: Draft) -> None:
        """Puts it into a draft. Raises TooMuch."""
        gone = Gone(self.objects, self.unique, self.columns)
        # what lies deepest goes first, as one by one
        told = b"".join(reversed(self.mutations)), self.middles[::-1]
        draft.move_out(self.product, gone, self.archived, told)

    def add(self, reader: Reader, kind: ObjectType, value: bytes) -> None:
        """Notes one object as it is stored."""
        obj, product = Object.FromString(value), self.product
        body = body_of(obj)
        path = kind.path_of(kind.key_of(body))
        if kind is KIND:
            self.administrators.append((kind, path, obj))
            return
        self.octets += octets_back(kind, obj)
        self.objects.append(encode_key(Key(product, kind.type, path)))
        for name, held in kind.uniques(body):
            mark = unique_key(product, kind.type, name, held)
            if reader.unique(mark) == obj.name.encode():
                self.unique.append(mark)
        self.columns += [entry for entry, _ in changes(kind, product, path, obj, None)]
        fields = changed_fields(kind, product, obj, None)
        self.middles.append(middle(kind.type, obj.name, "archive", fields))
        if kind.screened:
            mutation = Mutation(name=obj.name).SerializeToString()
            self.mutations.append(delimited(Change.MUTATIONS_FIELD_NUMBER, mutation))
        obj.archived.CopyFrom(self.said)
        key = encode_key(archive_key(product, kind.type, path, self.said.batch))
        self.archived.append((key, obj.SerializeToString(deterministic=True)))


def _pages(reader: Reader, product: str, type_: str, path: Path) -> Iterator[Sequence[bytes]]:
    found, after = reader.page(product, type_, path, None, COUNT_CHUNK)
    while found:
        yield found
        found, after = reader.page(product, type_, path, after, COUNT_CHUNK)


async def make_ready(core: Core, caller: Principal, at: Target) -> Ready | None:
    """What a transaction would else do at length; None where it is short.

    Raises Invalid, PermissionDenied, TooMuch, Unavailable.
    """
    kinds = tuple(children(at.kind.type, at.product))
    if not kinds:
        return None
    caller.require(at.product, at.kind.type, at.key, Verb.DELETE)
    with core.store.read() as reader:
        path = at.kind.path_of(canonical(reader, at))
        few = AHEAD_LEAST
        for kind in kinds:
            few -= len(reader.page(at.product, kind.type, path, None, max(1, few))[0])
        if few > 0:
            return None
    async with core.committer.ahead:  # one at a time: it is held in memory
        gone = Event()
        reading = asyncio.create_task(asyncio.to_thread(_read, core, caller, at, path, gone.is_set))
        try:
            return await asyncio.shield(reading)
        except asyncio.CancelledError:
            gone.set()
            await asyncio.gather(reading, return_exceptions=True)  # the next waits until it ended
            raise


def _read(
    core: Core, caller: Principal, at: Target, path: Path, gone: Callable[[], bool] = bool
) -> Ready:
    """All that lies below a path, page by page, until who asked is gone. Raises TooMuch,
    Unavailable."""
    product, kinds = at.product, tuple(children(at.kind.type, at.product))
    place = MADE_AHEAD | int.from_bytes(core.means.random(4), "big")
    batch = batch_id(core.store.revision, place)
    found: dict[str, list[bytes]] = {}
    seen = 0
    for kind in kinds:
        values = found[kind.type] = []
        after: Path | None = None
        while True:
            _check_wanted(core, gone)
            with core.store.read() as reader:
                page, after = reader.page(product, kind.type, path, after, SCAN_CHUNK)
            if not page:
                break
            values += page
            seen += len(page)
            if seen > DESCENDANTS:
                raise TooMuch(TOO_MANY)
    said = Archived(batch=batch, actor=caller.username, count=1 + seen)
    said.time.FromNanoseconds(int(core.clock() * 1e9))
    with core.store.read() as reader:
        value = reader.get(Key(product, at.kind.type, path))
    said.root = "" if value is None else Object.FromString(value).name
    ready = Ready(product, path, said, found)
    for type_, values in found.items():
        for start in range(0, len(values), SCAN_CHUNK):
            _check_wanted(core, gone)
            with core.store.read() as reader:
                for value in values[start : start + SCAN_CHUNK]:
                    ready.add(reader, TYPES[type_], value)
    return ready


def _check_wanted(core: Core, gone: Callable[[], bool]) -> None:
    """Raises Unavailable where nobody will use it."""
    if gone() or not core.committer.groups.working:
        raise Unavailable


__all__ = ["Member", "Ready", "Stale", "make_ready", "octets_back"]
