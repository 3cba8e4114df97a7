"""A call that was handed over, as Python reads it. handing.pxd says what is copied."""

import ipaddress
import struct
from functools import lru_cache
from typing import NamedTuple

__all__ = ["HEAD", "REQUEST_MOST", "Handed", "host_of"]

REQUEST_MOST = 16_000  # octets of a request that is handed over; two octets tell its entry's length
HEAD = struct.Struct("=Q16sHHBBB20s5x")


class Handed(NamedTuple):
    """A call over UDP that awaits a verdict or a signature; nothing of it is answered yet."""

    now_ns: int  # Unix time of its receipt
    host: str  # of the peer, in its shortest form; IPv4 out of IPv6
    port: int
    request: bytes
    via_trusted: bool = False  # from a proxy of ours, whose second Via names the call's source
    own: bytes = b""  # packet information (IP_PKTINFO, IPV6_PKTINFO) that an answer leaves with


@lru_cache(maxsize=4_096)
def host_of(octets: bytes) -> str:
    """An address as text, in its shortest form."""
    return str(ipaddress.ip_address(octets))
