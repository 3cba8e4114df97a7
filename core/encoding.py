"""Messages put together from parts that are encoded already (protobuf's wire format).

Invariants:
1. Concatenated fields are a message: what was serialised once is sent on, never made again.
"""


def delimited(number: int, octets: bytes) -> bytes:
    """A length-delimited field (a message or a string), its number below 16."""
    return bytes((number << 3 | 2,)) + _varint(len(octets)) + octets


def _varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


__all__ = ["delimited"]
