"""Removes what is archived for good.

Invariants:
1. A batch goes whole, with the passwords that waited in it; the samples of its audio objects go
   once nothing names them.
2. A transaction purges one batch, and further ones until they have PURGE_OBJECTS objects or
   PURGE_BYTES octets.
3. A batch goes by itself once it is older than its product's `restworkx.archive_max_days`.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

from ...schema import PRODUCTS, TYPES, ObjectType, parse_name
from ...v1.object_pb2 import Object
from ..access import Principal, Verb, service
from ..errors import InvalidInput, NotFound
from ..limits import PURGE_BYTES, PURGE_OBJECTS
from ..store.contract import Reader
from .archive import archived_at, forget, members
from .archive_keys import BATCHES, archive_key, batch_key
from .context import Core
from .draft import Draft
from .effective import platform_settings
from .grants import check_grants
from .names import Target, canonical, target
from .restore import last_root

DAY: Final = 86_400  # seconds
ACTOR: Final = "callscreen"  # who purges what is too old


async def purge(core: Core, caller: Principal, name: str) -> None:
    """Removes every archived batch of which this object is the root.

    Raises InvalidInput, Invalid, NotFound, PermissionDenied, TooMuch.
    """
    at = target(name)
    more = await core.write(caller, lambda draft: purged(draft, caller, at))
    while more:
        try:
            more = await core.write(caller, lambda draft: purged(draft, caller, at))
        except (NotFound, InvalidInput):  # somebody else was there first: no root is left
            return


def purged(draft: Draft, caller: Principal, at: Target) -> bool:
    """Inside the transaction: some of them; whether more are left."""
    kind, product = at.kind, at.product
    caller.require(product, kind.type, at.key, Verb.DELETE)  # a name says whose it is
    key = canonical(draft.reader, at)
    last_root(draft.reader, caller, kind, product, key)  # refuses where there is none
    room = 1.0
    path = kind.path_of(key)
    for root in archived_at(draft.reader, caller, kind, product, key):
        if root.archived.root != root.name:
            continue
        if room <= 0:
            return True
        if kind.type == "administrator":
            check_grants(caller, product, root.administrator)
        room -= _purge_batch(draft, kind, product, path, root)
    return False


async def purge_expired(core: Core) -> None:
    """Removes what is older than its product's settings let it be."""
    for product in PRODUCTS:
        work = partial(expired, product)
        while await core.write(service(ACTOR), work):
            pass


def expired(product: str, draft: Draft) -> bool:
    """Inside the transaction: some of what is too old; whether more may be left."""
    oldest = draft.now - max_days(draft.reader, product) * DAY
    room = 1.0
    for record in _records(draft.reader, product):
        if record.archived.time.ToNanoseconds() > oldest * 1e9:
            return False  # they stand in the order of their time
        if room <= 0:
            return True
        room -= _purge_record(draft, product, record)
    return False


def max_days(reader: Reader, product: str) -> int:
    """How long the archive keeps what it holds; days."""
    return platform_settings(reader, product).restworkx.archive_max_days


def _records(reader: Reader, product: str) -> Iterator[Object]:
    for _, value in reader.scan(product, BATCHES):
        yield Object.FromString(value)


def _purge_record(draft: Draft, product: str, record: Object) -> float:
    """Purges the batch of a record; what part of a transaction's room it took."""
    _, type_, key = parse_name(record.name)
    kind = TYPES[type_]
    path = kind.path_of(key)
    value = draft.raw(archive_key(product, type_, path, record.archived.batch))
    if value is None:  # then it names nothing
        draft.remove_raw(batch_key(product, record.archived.batch))
        return 1 / PURGE_OBJECTS
    return _purge_batch(draft, kind, product, path, Object.FromString(value))


def _purge_batch(
    draft: Draft, kind: ObjectType, product: str, path: tuple[str, ...], root: Object
) -> float:
    found = members(draft.reader, product, kind, path, root)
    forget(draft, product, root.archived.batch, found, purge=True)
    return max(len(found) / PURGE_OBJECTS, sum(obj.ByteSize() for *_, obj in found) / PURGE_BYTES)


__all__ = ["expired", "max_days", "purge", "purge_expired", "purged"]
