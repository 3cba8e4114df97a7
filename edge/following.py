"""Changes as they come from a core: octets that stay as they are, one after another.

Invariants
1. The octets of a change are what the core stored; no message is made of them here.
2. What is no message raises ValueError.
"""

from collections.abc import Sequence

import grpc

from ..v1.object_pb2 import Change
from ..v1.replication_pb2 import Changes, ResumeToken, WatchRequest

__all__ = ["numbered", "open_stream", "revision_of", "split"]

Stream = grpc.aio.UnaryStreamCall[WatchRequest, bytes]

FOLLOW = "/callscreen.v1.Replication/Follow"  # as many changes a message as there are
WATCH = "/callscreen.v1.Replication/Watch"  # one, of a core that knows no more

REVISION = Change.REVISION_FIELD_NUMBER << 3  # a varint
CHANGES = Changes.CHANGES_FIELD_NUMBER << 3 | 2  # delimited


def varint(octets: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place after it."""
    value = shift = 0
    while True:
        if at >= len(octets) or shift > 63:
            raise ValueError("a number is cut off")
        octet = octets[at]
        at += 1
        value |= (octet & 127) << shift
        if octet < 128:
            return value, at
        shift += 7


def revision_of(change: bytes) -> int:
    """Of an encoded Change, which begins with it; 0 where it says none. Raises ValueError."""
    if not change or change[0] != REVISION:
        return 0
    return varint(change, 1)[0]


def split(message: bytes) -> list[bytes]:
    """The changes of an encoded Changes. Raises ValueError."""
    changes: list[bytes] = []
    at = 0
    while at < len(message):
        if message[at] != CHANGES:
            raise ValueError("no change where one should be")
        size, at = varint(message, at + 1)
        if at + size > len(message):
            raise ValueError("a change is cut off")
        changes.append(message[at : at + size])
        at += size
    return changes


def numbered(message: bytes, single: bool) -> list[tuple[int, bytes]]:
    """(revision, change) of each of a message; `single`: it is one. Raises ValueError."""
    changes = [message] if single else split(message)
    if not changes:
        raise ValueError("a message without a change")
    return [(revision_of(change), change) for change in changes]


def open_stream(
    channel: grpc.aio.Channel,
    token: ResumeToken,
    metadata: Sequence[tuple[str, str]],
    single: bool,
) -> Stream:
    """What comes after a token, still encoded; `single`: one change a message."""
    method = channel.unary_stream(
        WATCH if single else FOLLOW,
        request_serializer=WatchRequest.SerializeToString,
        response_deserializer=None,
    )
    stream: Stream = method(WatchRequest(after=token), metadata=tuple(metadata))
    return stream
