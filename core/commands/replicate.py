"""What an edge follows: everything that decisions need, then every change of it.

Invariants:
1. Internal services only; no secret leaves.
2. A snapshot's objects are at least as new as its `from` revision and no newer than its `complete`.
3. A change is sent as it was stored, not made again.
"""

from collections.abc import AsyncGenerator, Iterator

from ...schema import PRODUCTS, TYPES
from ...v1.replication_pb2 import Changes, ResumeToken, SnapshotChunk
from ..access import Principal, Verb
from ..encoding import delimited
from ..engine import SCREENED
from ..errors import Compacted
from ..limits import CHUNK_BYTES
from ..store.contract import Key
from .context import Core
from .secrets import published


def snapshot(core: Core, caller: Principal) -> Iterator[bytes]:
    """Encoded SnapshotChunks. Each step reads: not for the event loop. Raises PermissionDenied."""
    _require(caller)
    return _chunks(core)


def _chunks(core: Core) -> Iterator[bytes]:
    taken = core.store.snapshot(PRODUCTS, SCREENED)
    token = ResumeToken(store_id=core.store.id, epoch=core.store.epoch, revision=taken.revision)
    head = SnapshotChunk(**{"from": token}).SerializeToString()  # type: ignore[arg-type]
    parts: list[bytes] = []
    size = 0
    for chunk in taken.chunks:
        for key, value in chunk:
            part = _encoded(key, value)
            if parts and size + len(part) > CHUNK_BYTES:
                yield b"".join((head, *parts))
                parts, size = [], 0
            parts.append(part)
            size += len(part)
    complete = SnapshotChunk(complete=core.store.revision).SerializeToString()
    yield b"".join((head, *parts, complete))


def watch(core: Core, caller: Principal, after: ResumeToken) -> AsyncGenerator[bytes, None]:
    """Each Change after a token, encoded, until the core stops.

    Raises PermissionDenied, Compacted.
    """
    return core.feed.follow(_start(core, caller, after))


def follow(core: Core, caller: Principal, after: ResumeToken) -> AsyncGenerator[bytes, None]:
    """The same as encoded Changes, each with all that there is at the moment, up to a step."""
    return _together(core.feed.steps(_start(core, caller, after)))


async def _together(steps: AsyncGenerator[list[bytes], None]) -> AsyncGenerator[bytes, None]:
    try:
        async for changes in steps:
            yield b"".join(delimited(Changes.CHANGES_FIELD_NUMBER, each) for each in changes)
    finally:
        await steps.aclose()


def _start(core: Core, caller: Principal, after: ResumeToken) -> int:
    _require(caller)
    if (after.store_id, after.epoch) != (core.store.id, core.store.epoch):
        raise Compacted
    return after.revision


def _require(caller: Principal) -> None:
    caller.require("", "replication", (), Verb.READ)


def _encoded(key: Key, value: bytes) -> bytes:
    value = published(TYPES[key.type], value)
    return delimited(SnapshotChunk.OBJECTS_FIELD_NUMBER, value)


__all__ = ["follow", "snapshot", "watch"]
