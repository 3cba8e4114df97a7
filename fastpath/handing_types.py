"""A call that was handed over, as Python reads it. handing.pxd says what is copied."""

import ipaddress
import struct
from functools import lru_cache
from typing import NamedTuple

__all__ = ["REQUEST_MOST", "Handed", "read_handed"]

REQUEST_MOST = 16_000  # octets of a request that is handed over; two octets tell its entry's length
ENTRY_HEAD = 3  # octets of an entry's tag and length
HEAD = struct.Struct("=Q16sHHBBB20s5x")
VIA_TRUSTED = 2  # as respond.Trait


class Handed(NamedTuple):
    """A call over UDP that awaits a verdict or a signature; nothing of it is answered yet."""

    now_ns: int  # Unix time of its receipt
    host: str  # of the peer, in its shortest form; IPv4 out of IPv6
    port: int
    request: bytes
    via_trusted: bool = False  # from a proxy of ours, whose second Via names the call's source
    own: bytes = b""  # packet information (IP_PKTINFO, IPV6_PKTINFO) that an answer leaves with


def read_handed(entry: bytes) -> Handed:
    """A call out of an entry of a worker's ring. Raises ValueError where it is none."""
    try:
        now_ns, address, port, request, v6, traits, own_size, own = HEAD.unpack_from(
            entry, ENTRY_HEAD
        )
    except struct.error as error:
        raise ValueError(f"an entry is cut off: {error}") from None
    at = ENTRY_HEAD + HEAD.size
    if at + request != len(entry) or own_size > len(own):
        raise ValueError("an entry does not end where it says")
    return Handed(
        now_ns,
        host_of(address if v6 else address[:4]),
        port,
        entry[at:],
        bool(traits & VIA_TRUSTED),
        own[:own_size],
    )


@lru_cache(maxsize=4_096)
def host_of(octets: bytes) -> str:
    """An address as text, in its shortest form."""
    return str(ipaddress.ip_address(octets))
