"""A message that was tapped, as Python reads it. tapping.pxd says what is copied."""

import ipaddress
import struct
from typing import NamedTuple

__all__ = ["ALL", "OFF", "WATCHED", "WATCHED_MOST", "Tapped", "read_tapped"]

OFF, WATCHED, ALL = range(3)  # TapMode
WATCHED_MOST = 8  # numbers at a time
ENTRY_HEAD = 3  # octets of an entry's tag and length
HEAD = struct.Struct("=Q4Q16s16s6H4B")
CUT, CALL, REPEATED, SENT_ON, RELAYED = 1, 2, 4, 8, 16


class Tapped(NamedTuple):
    """A request, its answer (empty: none is sent) and its call record (empty: none was made).

    Of a message that is sent on the answer is that message on its way; what is `relayed` is a
    response, and `status` its own.
    """

    now_ns: int  # Unix time
    host: str  # of the peer
    port: int
    request: bytes
    answer: bytes = b""
    answer_port: int = 0  # where the answer goes, over UDP; the peer's host, if not `target`
    status: int = 0  # of the answer
    record: bytes = b""  # a `records` entry of an AppendRequest
    numbers: tuple[int, ...] = ()  # packed: called and calling, by product
    transport: str = "udp"
    call: bool = False  # a call that was decided
    repeated: bool = False  # which came before
    cut: bool = False  # request or answer is longer
    target: str = ""  # address that a message is sent on to; empty: the answer is one
    relayed: bool = False


def read_tapped(entry: bytes) -> Tapped:
    """A message out of an entry of a worker's ring. Raises ValueError where it is none."""
    try:
        now_ns, *rest = HEAD.unpack_from(entry, ENTRY_HEAD)
    except struct.error as error:
        raise ValueError(f"an entry is cut off: {error}") from None
    numbers, (address, target, port, answer_port, status) = rest[:4], rest[4:9]
    sizes, (v6, traits, target_v6) = rest[9:12], rest[12:15]
    parts, at = [], ENTRY_HEAD + HEAD.size
    for size in sizes:
        parts.append(entry[at : at + size])
        at += size
    if at != len(entry):
        raise ValueError("an entry does not end where it says")
    request, answer, record = parts
    return Tapped(
        now_ns,
        str(ipaddress.ip_address(address if v6 else address[:4])),
        port,
        request,
        answer,
        answer_port,
        status,
        record,
        tuple(numbers),
        call=bool(traits & CALL),
        repeated=bool(traits & REPEATED),
        cut=bool(traits & CUT),
        target=str(ipaddress.ip_address(target if target_v6 else target[:4]))
        if traits & SENT_ON
        else "",
        relayed=bool(traits & RELAYED),
    )
