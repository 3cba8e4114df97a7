"""What the answers and their plain twin share: limits, and what is prepared once, not a call."""

import hashlib
import ipaddress
from functools import lru_cache

DEFAULT_PORT = 5060
MAX_TAG_KEY = 64  # octets


@lru_cache(maxsize=1024)  # hosts of at most 255 octets each
def plain_address(host: str) -> str:
    """An address in its shortest form, IPv4 out of IPv6; anything else as it is, in lower case."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])  # a zone means nothing elsewhere
    except ValueError:
        return host.lower()
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


@lru_cache(maxsize=16)
def tag_key(secret: bytes) -> bytes:
    """The 16 octets that key the To tags of a server with this secret. ValueError: not 1..64."""
    if not 1 <= len(secret) <= MAX_TAG_KEY:
        raise ValueError(f"a secret has 1 to {MAX_TAG_KEY} octets")
    return hashlib.blake2b(key=secret, digest_size=16).digest()
