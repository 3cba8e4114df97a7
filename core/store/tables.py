"""Every sub-database, and the codec of its keys, in one table.

Invariants:
1. Encoded keys order as their parts do: part by part, each by code point.
2. The encoding of a prefix begins exactly the keys that begin with its parts: no part, whatever
   text it holds, can look like the end of another.
3. decode(encode(parts)) == parts.

A part is UTF-8 with 00 written as 01 01 and 01 as 01 02, then one octet 00 as its end: 00 stands
nowhere else, and below every other octet.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from .contract import Key, KeyTooLong
from .limits import KEY_BYTES

ENGINE: Final = 0  # the engine's major version: 0.9.x, whose files have data format v1
FORMAT: Final = 1  # of the tables below; raised with every change that older code cannot read
RECORDS_FORMAT: Final = 2  # of those of call records


class Table(NamedTuple):
    """A sub-database: its name on disk, and what its keys and values are."""

    name: bytes
    key: str
    value: str


META: Final = Table(b"meta", "a word", "format, epoch, revision, indexed: number; id: text")
OBJECTS: Final = Table(b"objects", "parts: product, type, path...", "a protobuf Object")
PRIVATE: Final = Table(b"private", "the caller's octets", "the caller's octets")
UNIQUE_VALUES: Final = Table(b"unique", "the caller's octets", "the caller's octets")
COLUMN_VALUES: Final = Table(b"columns", "the caller's octets", "the caller's octets")
LOG: Final = Table(b"log", "number: revision", "a protobuf Change")
OBJECT_COUNTS: Final = Table(
    b"object_counts", "parts: product, type[, first of the path]", "number: objects, never 0"
)
OBJECT_TABLES: Final = (
    META,
    OBJECTS,
    PRIVATE,
    UNIQUE_VALUES,
    LOG,
    OBJECT_COUNTS,
    COLUMN_VALUES,
)

BLOCKS: Final = Table(b"blocks", "block: product, segment, block", "protobuf CallRecords")
FRESH: Final = Table(b"fresh", "block: product, segment, block", "rows of an open segment's block")
SEGMENTS: Final = Table(b"segments", "segment: product, segment", "what its rows span")
ROWS: Final = Table(b"rows", "segment, number: chunk", "sorted rows: see fastpath.rows_types")
POSTINGS: Final = Table(b"postings", "segment, column, first posting", "sorted postings of rows")
RECORDS: Final = Table(b"records", "parts: product, cdr_id", "a protobuf CallRecord")
BY_PROVIDER: Final = Table(b"by_provider", "parts: product, provider, cdr_id", "empty")
BY_SUBSCRIBER: Final = Table(
    b"by_subscriber", "parts: product, provider, subscriber, cdr_id", "empty"
)
COUNTS: Final = Table(b"counts", "parts: product[, provider[, subscriber]]", "number: records")
FORMER_RECORD_TABLES: Final = (RECORDS, BY_PROVIDER, BY_SUBSCRIBER, COUNTS)  # of format 1
RECORD_TABLES: Final = (META, BLOCKS, FRESH, SEGMENTS, ROWS, POSTINGS, *FORMER_RECORD_TABLES)

END: Final = b"\x00"
NUMBER_BYTES: Final = 8


def encode_parts(parts: Sequence[str]) -> bytes:
    """The octets of these parts, of any length: also the prefix of all that begin with them.

    Raises UnicodeEncodeError, a ValueError, for text that is not Unicode (a lone surrogate).
    """
    text = "\x00".join(parts)
    if "\x01" in text or text.count("\x00") != len(parts) - 1:
        return b"".join(
            part.encode().replace(b"\x01", b"\x01\x02").replace(b"\x00", b"\x01\x01") + END
            for part in parts
        )
    return text.encode() + END if parts else b""


def decode_parts(data: bytes) -> tuple[str, ...]:
    """The parts that were encoded. Raises ValueError for octets that no parts encode to."""
    if not data:
        return ()
    if data[-1:] != END:
        raise ValueError("a key does not end where a part ends")
    if b"\x01" not in data:
        return tuple(data[:-1].decode().split("\x00"))
    return tuple(
        part.replace(b"\x01\x01", b"\x00").replace(b"\x01\x02", b"\x01").decode()
        for part in data[:-1].split(END)
    )


def checked(data: bytes) -> bytes:
    """The same octets, where they fit as a key. Raises KeyTooLong."""
    if not 0 < len(data) <= KEY_BYTES:
        raise KeyTooLong
    return data


def encode_key(key: Key) -> bytes:
    """An object's key. Raises KeyTooLong."""
    return checked(encode_parts((key.product, key.type, *key.path)))


def decode_key(data: bytes) -> Key:
    """The key that was encoded. Raises ValueError for octets that no key encodes to."""
    product, type_, *path = decode_parts(data)
    return Key(product, type_, tuple(path))


def count_keys(data: bytes) -> tuple[bytes, bytes]:
    """Of an encoded key: the parts that say product and type, and the first of the path too."""
    second = data.index(END, data.index(END) + 1) + 1
    return data[:second], data[: data.index(END, second) + 1]


def after_prefix(prefix: bytes) -> bytes:
    """The least octets above every key that begins with this encoding of one part or more."""
    return prefix[:-1] + b"\x01"


def encode_number(number: int) -> bytes:
    """A number as eight octets, which order as numbers do."""
    return number.to_bytes(NUMBER_BYTES, "big")


def decode_number(data: bytes) -> int:
    """The number that was encoded."""
    return int.from_bytes(data, "big")


__all__ = [
    "BLOCKS",
    "BY_PROVIDER",
    "BY_SUBSCRIBER",
    "COLUMN_VALUES",
    "COUNTS",
    "ENGINE",
    "FORMAT",
    "FORMER_RECORD_TABLES",
    "FRESH",
    "LOG",
    "META",
    "OBJECTS",
    "OBJECT_COUNTS",
    "OBJECT_TABLES",
    "POSTINGS",
    "PRIVATE",
    "RECORDS",
    "RECORDS_FORMAT",
    "RECORD_TABLES",
    "ROWS",
    "SEGMENTS",
    "UNIQUE_VALUES",
    "Table",
    "after_prefix",
    "checked",
    "count_keys",
    "decode_key",
    "decode_number",
    "decode_parts",
    "encode_key",
    "encode_number",
    "encode_parts",
]
