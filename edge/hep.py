"""HEP version 3 (EEP): SIP messages as a capture server such as Homer reads them.

    "HEP3", length of all in two octets, then chunks: vendor, type, length with these six octets,
    each in two octets; all in network order

Invariants
1. No socket, clock or randomness is inside: they are arguments.
2. What is longer than a UDP datagram carries is cut; its length chunk tells what is sent.
"""

import ipaddress
import struct
from typing import NamedTuple

__all__ = ["PAYLOAD_MOST", "Endpoint", "call_id", "encode"]

PAYLOAD_MOST = 60_000  # octets of a message
KEY_MOST, CALL_ID_MOST = 256, 1_024  # octets
CHUNK = struct.Struct("!HHH")
GENERIC = 0  # the vendor of all chunks here
FAMILY, PROTOCOL, SOURCE_4, TARGET_4, SOURCE_6, TARGET_6, SOURCE_PORT, TARGET_PORT = range(1, 9)
SECONDS, MICROSECONDS, KIND, CAPTURE = range(9, 13)
KEY, PAYLOAD, CORRELATION = 0x0E, 0x0F, 0x11
SIP = 1
PROTOCOLS = {"udp": 17, "tcp": 6, "tls": 6}  # of IP
AF_INET, AF_INET6 = 2, 10


class Endpoint(NamedTuple):
    """An address in text, and a port."""

    host: str
    port: int


def encode(
    payload: bytes,
    source: Endpoint,
    target: Endpoint,
    *,
    now_ns: int,
    transport: str = "udp",
    capture: int = 0,
    key: str = "",
    correlation: bytes = b"",
) -> bytes:
    """A packet with one SIP message that went from source to target at Unix time `now_ns`.

    `capture` names who captured it, `key` is shown to the server, `correlation` is the Call-ID.
    Raises ValueError where a host is no address.
    """
    first, second = address(source.host), address(target.host)
    if first.version != second.version:
        first, second = wide(first), wide(second)
    v6 = first.version == 6
    seconds, rest = divmod(now_ns, 1_000_000_000)
    chunks = [
        chunk(FAMILY, struct.pack("!B", AF_INET6 if v6 else AF_INET)),
        chunk(PROTOCOL, struct.pack("!B", PROTOCOLS[transport])),
        chunk(SOURCE_6 if v6 else SOURCE_4, first.packed),
        chunk(TARGET_6 if v6 else TARGET_4, second.packed),
        chunk(SOURCE_PORT, struct.pack("!H", source.port)),
        chunk(TARGET_PORT, struct.pack("!H", target.port)),
        chunk(SECONDS, struct.pack("!I", seconds)),
        chunk(MICROSECONDS, struct.pack("!I", rest // 1_000)),
        chunk(KIND, struct.pack("!B", SIP)),
        chunk(CAPTURE, struct.pack("!I", capture)),
    ]
    if key:
        chunks.append(chunk(KEY, key.encode()[:KEY_MOST]))
    if correlation:
        chunks.append(chunk(CORRELATION, correlation[:CALL_ID_MOST]))
    chunks.append(chunk(PAYLOAD, payload[:PAYLOAD_MOST]))
    body = b"".join(chunks)
    return b"HEP3" + struct.pack("!H", 6 + len(body)) + body


def call_id(message: bytes) -> bytes:
    """The Call-ID of a message (RFC 3261 20.8), empty where it has none."""
    for line in message.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() in (b"call-id", b"i"):
            return value.strip()
    return b""


def chunk(kind: int, value: bytes) -> bytes:
    return CHUNK.pack(GENERIC, kind, CHUNK.size + len(value)) + value


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address(host: str) -> Address:
    """IPv4 also where it is written as IPv6."""
    found = ipaddress.ip_address(host.partition("%")[0])
    return getattr(found, "ipv4_mapped", None) or found


def wide(one: Address) -> Address:
    if one.version == 6:
        return one
    return ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + one.packed)
