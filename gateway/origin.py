"""Where a request comes from: its id, its sender's address, and whether it came over TLS.

1. A forwarding header counts only where the connection comes from a proxy that is listed.
2. Every request has an id that is safe in a header and in a log: its own, else a new one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from os import urandom
from typing import Any, Final, NamedTuple

__all__ = ["Network", "Origin", "networks", "origin_of"]

Network = IPv4Network | IPv6Network
REQUEST_ID: Final = re.compile(rb"[!-~]{1,128}")


class Origin(NamedTuple):
    """`address` is empty where the connection has none."""

    request_id: str
    address: str
    secure: bool


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and CIDR blocks as networks.

    Raises:
        ValueError: a text is neither.
    """
    try:
        return tuple(ip_network(text, strict=False) for text in texts)
    except ValueError as error:
        raise ValueError(f"--proxies must be addresses or CIDR blocks: {error}") from None


def origin_of(
    scope: Mapping[str, Any], raw: Mapping[bytes, bytes], proxies: Sequence[Network]
) -> Origin:
    """The origin of a request; `raw` are its headers."""
    given = raw.get(b"x-request-id", b"")
    request_id = given.decode() if REQUEST_ID.fullmatch(given) else urandom(16).hex()
    client = scope.get("client")
    address: str = client[0] if client else ""
    secure = scope.get("scheme") == "https"
    if proxies and _listed(address, proxies):
        secure = raw.get(b"x-forwarded-proto", b"").strip().lower() == b"https"
        address = _forwarded(scope["headers"], address, proxies)
    return Origin(request_id, address, secure)


def _forwarded(
    headers: Iterable[tuple[bytes, bytes]], peer: str, proxies: Sequence[Network]
) -> str:
    """The last address that no listed proxy has: what is left of it anyone may have written."""
    named = b",".join(value for name, value in headers if name == b"x-forwarded-for")
    nearest = peer
    for part in reversed(named.decode("latin-1").split(",")):
        try:
            nearest = str(ip_address(part.strip()))
        except ValueError:
            break
        if not _listed(nearest, proxies):
            break
    return nearest


def _listed(address: str, proxies: Sequence[Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in proxies)
