"""Call records off the wire in plain Python: what records.pyx means.

1. A batch is read whole, or the place of its first record that is refused is told: one that has no
   UUID in lower case, a product that does not exist, a time that none can be, or is too long.
2. Refused is too what a protobuf library would not write or might read otherwise: a field that is
   not known, comes twice or has another type, and text that is not UTF-8.
3. A record is kept as the octets that came; a row says where they lie among those of its product.
4. A record of no product stands in both.

The input is an AppendRequest (Protocol Buffers encoding). SipHash-2-4 with 128 bits.
"""

import re
from collections.abc import Iterator
from typing import Final

from .rows_types import DIGEST, TIME_BYTES, UNSET, Batch, Limits
from .siphash_reference import WORD, rounds

__all__ = ["digest", "read"]

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_RECORDS: Final = 2  # the field of AppendRequest
_CDR_ID, _PRODUCT, _START, _END, _CALLED, _CALLING, _PROVIDER, _SUBSCRIBER = range(1, 9)
_EVENTS, _VERDICT, _CALL_ID, _SOURCE_IP, _STATUS, _EDGE = range(9, 15)  # of CallRecord
_IDENTITY, _SIGNATURE = 15, 16
_CHECKS: Final = 11  # of Identity
_SHORT: Final = (_CALLED, _CALLING, _PROVIDER, _SUBSCRIBER, _CALL_ID, _SOURCE_IP, _EDGE)
_TRACE: Final = 8  # of Verdict
_NUMBERS_OF_VERDICT: Final = (3, 9)
_STEP_FIELDS: Final = 6
_VERDICT_FIELDS: Final = 9
_PRODUCTS: Final = (1, 2)
_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z


class _Refused(Exception):
    """The record is not what is asked."""


def read(data: bytes, key: bytes, limits: Limits) -> Batch | int:
    """A batch, its rows in the order of the records; or the place of the first that is refused.

    Raises ValueError for octets that are no message.
    """
    found: tuple[list[bytes], list[bytes]] = ([], [])
    kept: tuple[list[bytes], list[bytes]] = ([], [])
    place = id = 0
    try:
        for number, value in _fields(data):
            if number == 1 and isinstance(value, int):
                id = value
                continue
            if number != _RECORDS or not isinstance(value, bytes):
                return place
            products, before, after = _row(value, key, limits)
            for product in products:
                offset = sum(map(len, kept[product]))
                where = offset.to_bytes(4, "big") + len(value).to_bytes(4, "big")
                found[product].append(before + bytes(8) + where + after)
                kept[product].append(value)
            place += 1
    except _Refused:
        return place
    pcs, cin = ((b"".join(found[each]), b"".join(kept[each])) for each in (0, 1))
    return Batch(id, place, pcs, cin)


def digest(key: bytes, text: bytes) -> bytes:
    """The first octets of SipHash-2-4 with 128 bits: what a name or number is found by."""
    low, high = (int.from_bytes(half, "little") for half in (key[:8], key[8:]))
    state = [0x736F6D6570736575 ^ low, 0x646F72616E646F6D ^ high ^ 0xEE]
    state += [0x6C7967656E657261 ^ low, 0x7465646279746573 ^ high]
    text += bytes(7 - len(text) % 8) + bytes([len(text) % 256])
    for start in range(0, len(text), 8):
        word = int.from_bytes(text[start : start + 8], "little")
        state[3] ^= word
        rounds(state, 2)
        state[0] ^= word
    out = b""
    for place, mark in ((2, 0xEE), (1, 0xDD)):
        state[place] ^= mark
        rounds(state, 4)
        out += (state[0] ^ state[1] ^ state[2] ^ state[3]).to_bytes(8, "little")
    return out[:DIGEST]


def _row(record: bytes, key: bytes, limits: Limits) -> tuple[list[int], bytes, bytes]:
    fields = _once(record, _SIGNATURE, (_PRODUCT, _STATUS))
    octets = {number: value for number, value in fields.items() if isinstance(value, bytes)}
    texts = {each: _text(octets.get(each, b"")) for each in (_CDR_ID, _EVENTS, *_SHORT)}
    product = fields.get(_PRODUCT, 0)
    if len(record) > limits.octets or product not in (0, *_PRODUCTS):
        raise _Refused
    if not _ID.fullmatch(texts[_CDR_ID]) or len(texts[_EVENTS]) > limits.events:
        raise _Refused
    if any("\0" in texts[each] or len(texts[each]) > limits.chars for each in _SHORT):
        raise _Refused
    _check_verdict(octets.get(_VERDICT, b""), limits.steps)
    _check_told(octets.get(_IDENTITY, b""), (3, 8, 10), many=(6, _CHECKS), checks=_CHECKS)
    _check_told(octets.get(_SIGNATURE, b""), (10,), many=(8,))
    times = [_time(octets.get(each)) for each in (_START, _END)]
    owner = (texts[_PROVIDER], texts[_PROVIDER] + "\0" + texts[_SUBSCRIBER])
    digests = [digest(key, each.encode()) for each in (*owner, texts[_CALLED], texts[_CALLING])]
    id = bytes.fromhex(texts[_CDR_ID].replace("-", ""))
    chosen = [each - 1 for each in _PRODUCTS if product in (0, each)]
    return chosen, id, b"".join([*times, *digests])


def _check_verdict(verdict: bytes, steps: int) -> None:
    found = [value for number, value in _fields(verdict) if number == _TRACE]
    if len(found) > steps:
        raise _Refused
    texts = _once(verdict, _VERDICT_FIELDS, _NUMBERS_OF_VERDICT, many=(_TRACE,))
    _check_texts({number: value for number, value in texts.items() if number != _TRACE})
    for step in found:
        if isinstance(step, bytes):
            _check_texts(_once(step, _STEP_FIELDS, ()))


def _check_told(
    data: bytes, numbers: tuple[int, ...], many: tuple[int, ...], checks: int = 0
) -> None:
    """An Identity or a Signature: 11 fields each."""
    _once(data, 11, numbers, many)
    for number, value in _fields(data):
        if isinstance(value, bytes) and number == checks:
            _check_texts(_once(value, 3, (2,)))
        elif isinstance(value, bytes):
            _text(value)


def _check_texts(fields: dict[int, bytes | int]) -> None:
    for value in fields.values():
        if isinstance(value, bytes):
            _text(value)


def _text(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise _Refused from None


def _once(
    data: bytes, last: int, numbers: tuple[int, ...], many: tuple[int, ...] = ()
) -> dict[int, bytes | int]:
    """The fields of a message with these numbers up to `last`; but for `many` each comes once."""
    found: dict[int, bytes | int] = {}
    for number, value in _fields(data):
        known = 0 < number <= last and isinstance(value, int) is (number in numbers)
        if not known or (number in found and number not in many):
            raise _Refused
        found[number] = value
    return found


def _time(value: bytes | None) -> bytes:
    """As a row holds it."""
    if value is None:
        return UNSET
    fields = _once(value, 2, (1, 2))
    seconds, nanos = int(fields.get(1, 0)), int(fields.get(2, 0))
    if seconds > _LAST_SECOND or nanos >= 10**9:  # one below 0 is written as 2 to the 64 less it
        raise _Refused
    return seconds.to_bytes(TIME_BYTES - 4, "big") + nanos.to_bytes(4, "big")


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if tag & 7 != 2:
            raise _Refused  # no field of these messages has another type
        size, at = _varint(data, at)
        if at + size > len(data):
            raise ValueError("a field is cut off")
        yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value & WORD, at
        shift += 7
    raise ValueError("a number is cut off")
