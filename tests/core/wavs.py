"""WAV files made by hand."""

import struct

GUID = bytes.fromhex("000000001000800000aa00389b71")


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def fmt(
    format_: int = 1, channels: int = 1, rate: int = 8000, bits: int = 16, extra: bytes = b""
) -> bytes:
    align = channels * bits // 8
    return chunk(
        b"fmt ", struct.pack("<HHIIHH", format_, channels, rate, rate * align, align, bits) + extra
    )


def extensible(format_: int = 1, bits: int = 16, valid: int = 16, guid: bytes = GUID) -> bytes:
    return fmt(0xFFFE, 1, 8000, bits, struct.pack("<HHIH", 22, valid, 4, format_) + guid)


def riff(*chunks: bytes, size: int | None = None) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def wav(samples: bytes = bytes(1600), **format_: int) -> bytes:
    """A small whole file: a tenth of a second, where nothing else is said."""
    return riff(fmt(**format_), chunk(b"data", samples))
