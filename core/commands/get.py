"""Reads one object.

Invariants:
1. What the caller may not see looks not provisioned.
2. Secrets are masked.
3. A name that is in normal form already (what is found as it stands is) costs one look-up.
"""

from ...v1.object_pb2 import Object
from ..access import Principal, Verb
from ..errors import NotFound
from ..store.contract import Key
from .context import Core
from .names import found_key, target
from .secrets import masked


def get(core: Core, caller: Principal, name: str) -> Object:
    """Raises InvalidInput, NotFound."""
    at = target(name)
    if not caller.may(at.product, at.kind.type, Verb.READ):
        raise NotFound
    key, value = at.key, core.store.get(Key(at.product, at.kind.type, at.path))
    if value is None:
        with core.store.read() as reader:
            key = found_key(reader, at)
            value = reader.get(Key(at.product, at.kind.type, at.kind.path_of(key)))
    if value is None or not caller.sees(at.product, at.kind.type, key):
        raise NotFound
    return masked(at.kind, Object.FromString(value))


__all__ = ["get"]
