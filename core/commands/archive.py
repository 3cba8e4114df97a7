"""The archive inside a transaction: what goes in, and what a batch holds.

Invariants:
1. An object goes in with all that lies below it, as one batch, and the batch says its root.
2. What is archived is stored as it was, its secrets and its stamps included; an administrator's
   password waits beside it and its tokens are void.
3. What goes in can come back: what would be too large to publish at once is refused.
4. Only as much of the archive is read as a batch has objects, or as lies below its root.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from ...schema import ObjectType, children
from ...v1.object_pb2 import Archived, Object
from ..access import Principal
from ..errors import TooMuch
from ..limits import ARCHIVE_BYTES
from ..store.contract import Reader
from .archive_ahead import Member, Ready, octets_back
from .archive_keys import archive_key, archive_type, batch_key
from .archive_reach import is_since, since
from .credentials import KIND, purge_credential, stow_credential
from .draft import Draft

TOO_LARGE: Final = "Too much lies below this object for one transaction: remove that first."

Path = tuple[str, ...]


def archive(
    draft: Draft, product: str, root: Member, below: Sequence[Member], ready: Ready | None = None
) -> str:
    """Moves objects into the archive as one batch; its id. Raises TooMuch.

    `ready` is what of it was made ready beforehand: then `below` are the others.
    """
    octets = 0 if ready is None else ready.octets
    if octets + sum(octets_back(kind, obj) for kind, _, obj in (*below, root)) > ARCHIVE_BYTES:
        raise TooMuch(TOO_LARGE)
    if ready is None:
        said = Archived(
            batch=draft.next_batch(), root=root[2].name, actor=draft.actor, count=1 + len(below)
        )
        said.time.FromNanoseconds(int(draft.now * 1e9))
    else:
        said = ready.said
        ready.move(draft)
    for kind, path, obj in (*reversed(below), root):
        draft.remove(kind, product, kind.key_of_path(path), obj)
        obj.archived.CopyFrom(said)
        key = archive_key(product, kind.type, path, said.batch)
        draft.put_raw(key, obj.SerializeToString(deterministic=True))
        obj.ClearField("archived")
        if kind is KIND:
            stow_credential(draft, product, obj.administrator.username, said.batch)
    record = Object(name=said.root, archived=said)
    draft.put_raw(batch_key(product, said.batch), record.SerializeToString(deterministic=True))
    return said.batch


def archived_at(
    reader: Reader, caller: Principal, kind: ObjectType, product: str, key: Path
) -> Iterator[Object]:
    """Every archived object of one name that is the caller's, the newest first."""
    begin = since(reader, caller, product)
    for _, value in reader.scan(product, archive_type(kind.type), kind.path_of(key), reverse=True):
        obj = Object.FromString(value)
        if not is_since(obj, begin):
            return
        yield obj


def members(
    reader: Reader, product: str, kind: ObjectType, path: Path, root: Object
) -> "list[Member]":
    """All of a batch, its root first."""
    batch, left = root.archived.batch, root.archived.count - 1
    found: list[Member] = [(kind, path, root)]
    for child in children(kind.type, product):
        if not left:
            break
        for key, value in reader.scan(product, archive_type(child.type), path):
            if key.path[-1] == batch:
                found.append((child, key.path[:-1], Object.FromString(value)))
                left -= 1
                if not left:
                    break
    return found


def forget(draft: Draft, product: str, batch: str, of: Sequence[Member], purge: bool) -> None:
    """Takes a batch out of the archive; `purge`: for good, passwords and all."""
    for kind, path, obj in of:
        draft.remove_raw(archive_key(product, kind.type, path, batch))
        if purge and kind is KIND:
            purge_credential(draft, product, obj.administrator.username, batch)
        if purge:
            draft.note(kind, product, obj, "purge")
    draft.remove_raw(batch_key(product, batch))


__all__ = ["Member", "archive", "archived_at", "forget", "members"]
