"""Reads one object.

Invariants:
1. What the caller may not see looks not provisioned.
2. Secrets are masked.
3. What lies outside the caller's reach is not looked for: a name says whose it is.
4. A name that is in normal form already (what is found as it stands is) costs one look-up.
"""

from ...v1.object_pb2 import Object
from ..access import Principal
from ..errors import NotFound
from ..store.contract import Key
from .archive import archived_at
from .context import Core
from .names import Target, found_key, target
from .secrets import masked


def get(core: Core, caller: Principal, name: str, archived: bool = False) -> Object:
    """`archived`: the last of that name in the archive. Raises InvalidInput, NotFound."""
    at = target(name)
    if not caller.sees(at.product, at.kind.type, at.key):
        raise NotFound
    if archived:
        return _archived(core, caller, at)
    key, value = at.key, core.store.get(Key(at.product, at.kind.type, at.path))
    if value is None:
        with core.store.read() as reader:
            key = found_key(reader, at)
            value = reader.get(Key(at.product, at.kind.type, at.kind.path_of(key)))
    if value is None or not caller.sees(at.product, at.kind.type, key):
        raise NotFound
    return masked(at.kind, Object.FromString(value))


def _archived(core: Core, caller: Principal, at: Target) -> Object:
    with core.store.read() as reader:
        key = found_key(reader, at)
        last = next(archived_at(reader, caller, at.kind, at.product, key), None)
    if last is None or not caller.sees(at.product, at.kind.type, key):
        raise NotFound
    return masked(at.kind, last)


__all__ = ["get"]
