"""What sending on and its plain twin share: limits, words, and what is prepared once."""

import hashlib
import ipaddress
import re
from typing import NamedTuple

from .answer_types import DEFAULT_PORT, MAX_TAG_KEY, plain_address

__all__ = [
    "COOKIE",
    "HOP_OCTETS",
    "MAX_FORWARDS_SET",
    "NAMES_MOST",
    "ONWARD_OCTETS",
    "REFUSALS",
    "SENT_BY_OCTETS",
    "SPIRALS",
    "SentBy",
    "branch_key",
    "parse_sent_by",
]

COOKIE = b"z9hG4bK"
HOP_OCTETS = 255  # of an egress route
MAX_FORWARDS_SET = 70  # where a request has none (RFC 3261 16.6)
NAMES_MOST = 256  # egress routes that had to be resolved
ONWARD_OCTETS = 208  # of a Request-URI that a call is sent on with
SENT_BY_OCTETS = 127  # of the host and port in our Via
SPIRALS = 3  # times that one call may come through here
# Why something is not sent on; the place is the number in forwarding.pxd.
REFUSALS = (
    "",
    "no_route",
    "unresolved",
    "not_a_peer",
    "own_address",
    "too_long",
    "extension",
    "crowded",
    "loop",
    "response_malformed",
    "response_not_ours",
)
HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


class SentBy(NamedTuple):
    """Where responses come back to: a host in lower case, IPv6 in brackets, and a port."""

    host: str
    port: int

    @property
    def text(self) -> str:
        """As it stands in our Via."""
        return f"{self.host}:{self.port}"

    @property
    def address(self) -> str:
        """The host without brackets."""
        return self.host.strip("[]")


def parse_sent_by(text: str) -> SentBy:
    """HOST:PORT, or a host alone. ValueError: neither, too long, or an address of no one host."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(DEFAULT_PORT)
    host = host.lower()
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ValueError(f"a Via names HOST:PORT: {text!r}")
    plain = plain_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
    if ":" in plain:
        host = f"[{plain}]"
    elif not HOST.fullmatch(host):
        raise ValueError(f"a Via names HOST:PORT: {text!r}")
    made = SentBy(host, int(port))
    if len(made.text) > SENT_BY_OCTETS:
        raise ValueError(f"a Via names a host and port of at most {SENT_BY_OCTETS} octets")
    try:
        address = ipaddress.ip_address(made.address)
    except ValueError:
        return made
    if address.is_unspecified or address.is_multicast:
        raise ValueError(f"no response can come to {text}: name an address of this host")
    return made


def branch_key(secret: bytes) -> bytes:
    """The 16 octets that key the branches of a proxy with this secret. ValueError: not 1..64."""
    if not 1 <= len(secret) <= MAX_TAG_KEY:
        raise ValueError(f"a secret has 1 to {MAX_TAG_KEY} octets")
    return hashlib.blake2b(b"branch", key=secret, digest_size=16).digest()
