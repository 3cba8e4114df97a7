"""An image of the index out of a damaged file: an input is a file but for its checksums.

1. An input is a row of blocks: kind (1 octet), words of the payload (2 octets), the payload. Each
   gets the head and the checksum that a writer would give it: what is tried lies behind them.
2. What is read is an index: it answers, it changes, and its own image is read again as the same.
3. What is refused is refused as ImageError, and nothing else.
"""

import os
import random

from callscreen.fastpath import blocks
from callscreen.fastpath.blocks_reference import HEAD, MAGIC, read_blocks
from callscreen.fastpath.image_read import ImageError, read_image
from callscreen.fastpath.image_reference import END
from callscreen.fastpath.image_write import write_image
from callscreen.fastpath.index import Index

from ..fastpath import provisioning
from .world import WORLDS

__all__ = ["attempt", "seeds"]

OBJECTS = [b"one", b"", b"three and more"]
TOLD = ("number", "subscriber", "provider")
HEAD_OCTETS = 3  # of a block of an input
END_OCTETS = 16


def assembled(octets: bytes) -> bytes:
    """The file of an input; what is left of it behind the last whole block is left out."""
    out, at, place = [], 0, 0
    while at + HEAD_OCTETS <= len(octets):
        kind, size = octets[at], 8 * int.from_bytes(octets[at + 1 : at + HEAD_OCTETS], "little")
        payload = octets[at + HEAD_OCTETS : at + HEAD_OCTETS + size]
        payload += bytes(-len(payload) % 8)
        if kind == END and len(payload) == END_OCTETS:  # it says how many blocks came before it
            payload = place.to_bytes(8, "little") + payload[8:]
        given = blocks.checksum(payload, kind, place)
        out += [HEAD.pack(MAGIC | kind << 32, place, len(payload), given), payload]
        at, place = at + HEAD_OCTETS + size, place + 1
    return b"".join(out)


def taken_apart(octets: bytes) -> bytes:
    """The input of a file."""
    return b"".join(
        bytes([kind]) + (len(payload) // 8).to_bytes(2, "little") + payload
        for kind, payload in read_blocks(octets)
    )


def read(octets: bytes) -> tuple[Index, bytes, list[bytes], int]:
    """Raises ImageError."""
    file = os.memfd_create("image")
    try:
        os.write(file, octets)
        os.lseek(file, 0, os.SEEK_SET)
        index = Index()
        head, objects, complete = read_image(index, file)
        return index, head, objects, complete
    finally:
        os.close(file)


def image_of(index: Index, head: bytes, objects: list[bytes]) -> bytes:
    file = os.memfd_create("image")
    try:
        size = write_image(index, file, head, objects)
        return os.pread(file, size, 0)
    finally:
        os.close(file)


def attempt(octets: bytes) -> bool:
    """Whether it was read. Raises whatever breaks a promise."""
    try:
        index, head, objects, complete = read(assembled(octets))
    except ImageError:
        return False
    index.revision = complete
    again, *rest = read(image_of(index, head, objects))
    assert rest == [head, objects, complete]
    for each in ("numbers", "subscribers", "entries"):
        assert again.counts()[each] == index.counts()[each], each
    world = random.Random(len(octets))
    calls = [provisioning.call(world) for _ in range(6)]
    again.revision = complete
    for call in calls:
        assert index.screen(*call) == again.screen(*call)
    for _ in range(6):
        change = provisioning.operation(world)
        index.commit([change], 9)
        again.commit([change], 9)
    for call in calls:
        assert index.screen(*call) == again.screen(*call)
    return True


def seeds() -> list[bytes]:
    """The images of small worlds."""
    made = []
    for operations in WORLDS:
        for size in (4, 12, 40):
            told = [each for each in operations if each[0].endswith(TOLD)][:size]
            index = Index()
            index.commit(told, 7)
            made.append(taken_apart(image_of(index, b"head", OBJECTS)))
    return made
