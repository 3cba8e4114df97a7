"""The plain twin of image_write and image_read: a file as the operations that fill an index."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from .blocks_reference import DamagedError, read_blocks
from .model import RULES, Operation

__all__ = ["HEAD", "Contents", "read_image"]

HEAD, COUNTS, PROVIDER, SUBSCRIBER, NUMBER, OBJECT, END = range(1, 8)
DIGITS = 15  # of a number at most
Lists = tuple[list[str], list[str]]


class Contents(NamedTuple):
    """Of an image: octets of the caller's, operations in an order that fits, and objects."""

    head: bytes
    operations: list[Operation]
    objects: list[bytes]
    complete: int  # the revision at which it is whole


class Record:
    """Words of a block, read one after another."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._payload)

    def octets(self, size: int) -> bytes:
        """So many, of whole words."""
        end = self._at + (size + 7) // 8 * 8
        if end > len(self._payload):
            raise DamagedError("a record is not whole")
        found = self._payload[self._at : self._at + size]
        self._at = end
        return found

    def words(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}Q", self.octets(8 * count))

    def lists(self) -> Lists:
        numbers, masks = (halves(word) for word in self.words(2))
        given = [list(map(number_text, self.words(count))) for count in numbers]
        patterns = [[mask_text(*self.words(2)) for _ in range(count)] for count in masks]
        return given[0] + patterns[0], given[1] + patterns[1]


def halves(word: int) -> tuple[int, int]:
    return word & 0xFFFFFFFF, word >> 32


def digits_of(value: int, count: int) -> str:
    return f"{value:016x}"[:count]


def number_text(value: int) -> str:
    return "+" + digits_of(value, value & 15)


def mask_text(value: int, care: int) -> str:
    """Positions that nobody cares for are x; without a length whatever follows is taken."""
    count = value & 15
    pairs = zip(digits_of(value, count), digits_of(care, count), strict=True)
    text = "".join(digit if cared == "f" else "x" for digit, cared in pairs)
    return f"+{text}" if care & 15 else f"+{text}*"


def read_image(octets: bytes) -> Contents:
    """Raises DamagedError where the file is not whole."""
    head: bytes | None = None
    operations: list[Operation] = []
    objects: list[bytes] = []
    providers: dict[int, tuple[int, str]] = {}
    subscribers: dict[int, tuple[int, str, str]] = {}
    place = 0
    for place, (kind, payload) in enumerate(read_blocks(octets)):
        record = Record(payload)
        while record:
            if kind == HEAD:
                head = record.octets(*record.words(1))
            elif kind == COUNTS:
                record.words(5)
            elif kind == PROVIDER:
                operations += _provider(record, providers)
            elif kind == SUBSCRIBER:
                operations += _subscriber(record, providers, subscribers)
            elif kind == NUMBER:
                operations += _number(record, subscribers)
            elif kind == OBJECT:
                objects.append(record.octets(*record.words(1)))
            elif kind == END and head is not None:
                blocks, complete = record.words(2)
                if blocks != place or record:
                    raise DamagedError("the image has lost blocks")
                return Contents(head, operations, objects, complete)
            else:
                raise DamagedError("the image says what cannot be")
    raise DamagedError("the image has no end")


def _provider(record: Record, known: dict[int, tuple[int, str]]) -> Iterator[Operation]:
    (position, product), (size, follow) = (halves(word) for word in record.words(2))
    known[position] = product, record.octets(size).decode()
    if follow:
        yield "put_provider", (*known[position], *record.lists())


def _subscriber(
    record: Record, providers: dict[int, tuple[int, str]], known: dict[int, tuple[int, str, str]]
) -> Iterator[Operation]:
    (position, owner), (flags, size), (mail, follow) = (halves(word) for word in record.words(3))
    known[position] = owned = *providers[owner], record.octets(size).decode()
    voicemail = record.octets(mail).decode() if mail else None
    override = frozenset(rule for bit, rule in enumerate(RULES) if flags >> 16 >> bit & 1)
    lists: Lists = record.lists() if follow else ([], [])
    yield "put_subscriber", (*owned, not flags >> 8 & 1, override, *lists, voicemail)


def _number(record: Record, subscribers: dict[int, tuple[int, str, str]]) -> Iterator[Operation]:
    number, owner = record.words(2)
    product, provider, subscriber = subscribers[owner & 0xFFFFFFFF]
    lists: Lists = record.lists() if owner >> 40 else ([], [])
    yield "put_number", (product, provider, subscriber, number_text(number), *lists)
