"""Messages put together from parts that are encoded already (protobuf's wire format).

Invariants:
1. Concatenated fields are a message: what was serialised once is sent on, never made again.
"""

from typing import Final

LENGTHS: Final = 4_096  # octets; lengths below are made once


def delimited(number: int, octets: bytes) -> bytes:
    """A length-delimited field (a message or a string), its number below 16."""
    return tag(number) + length(octets) + octets


def tag(number: int) -> bytes:
    """What begins a length-delimited field, its number below 16."""
    return bytes((number << 3 | 2,))


def length(octets: bytes) -> bytes:
    """What says how long a field is."""
    size = len(octets)
    return _LENGTHS[size] if size < LENGTHS else _varint(size)


def _varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


_LENGTHS: Final = tuple(_varint(size) for size in range(LENGTHS))

__all__ = ["delimited", "length", "tag"]
