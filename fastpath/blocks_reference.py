"""The plain twin of blocks: what stands in a file of blocks, and when it is believed."""

import struct
from collections.abc import Iterable, Iterator

__all__ = ["MAGIC", "DamagedError", "checksum", "read_blocks", "write_blocks"]

MAGIC = 0x31494353
ODD = 0x9E3779B97F4A7C15
ALL = (1 << 64) - 1
HEAD = struct.Struct("<QQQQ")


class DamagedError(ValueError):
    """The octets are not those that were written."""


def _turned(value: int) -> int:
    return (value << 31 | value >> 33) & ALL


def checksum(payload: bytes, kind: int, place: int) -> int:
    """Of a block's payload, whole words of 8 octets, and of its kind and place."""
    words = struct.unpack(f"<{len(payload) // 8}Q", payload)
    whole = len(words) // 4 * 4
    lanes = [(MAGIC | kind << 32) + 1, place + 2, len(payload) + 3, len(words) + 4]
    for i, word in enumerate(words):
        lane = i % 4 if i < whole else 0
        lanes[lane] = _turned((lanes[lane] ^ word) * ODD & ALL)
    found = lanes[0] & ALL
    for lane in lanes[1:]:
        found = (found ^ _turned(lane * ODD & ALL)) * ODD & ALL
        found ^= found >> 32
    return found


def write_blocks(blocks: Iterable[tuple[int, bytes]]) -> bytes:
    """The file of (kind, payload)."""
    out = b""
    for place, (kind, payload) in enumerate(blocks):
        out += HEAD.pack(MAGIC | kind << 32, place, len(payload), checksum(payload, kind, place))
        out += payload
    return out


def read_blocks(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """(kind, payload) of each block. Raises DamagedError at the first that is not right."""
    at = place = 0
    while at < len(octets):
        if len(octets) - at < HEAD.size:
            raise DamagedError("the file ends in the head of a block")
        first, number, size, given = HEAD.unpack_from(octets, at)
        at += HEAD.size
        payload = octets[at : at + size]
        if first & 0xFFFFFFFF != MAGIC or number != place or size % 8 or len(payload) < size:
            raise DamagedError(f"block {place} is none")
        if checksum(payload, first >> 32, place) != given:
            raise DamagedError(f"block {place} has another checksum")
        yield first >> 32, payload
        at, place = at + size, place + 1
