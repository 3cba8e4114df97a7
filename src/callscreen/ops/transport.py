"""How the parts speak gRPC with the core: over TLS, or in the clear on one machine.

Invariants
1. Beyond loopback nothing goes in the clear unless that was said in so many words: tokens and the
   data of calls are in it.
2. A key's file is its owner's alone, and has no pass phrase.
3. Who asks the core holds its certificate against given authorities and the name that it asked for.
"""

import stat
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import grpc

from .grpc_tls import ClientTls

__all__ = ["check_clear", "open_blocking", "open_channel", "read_key"]

Options = Sequence[tuple[str, Any]]
NAME = "grpc.ssl_target_name_override"


def open_channel(address: str, tls: ClientTls, options: Options) -> grpc.aio.Channel:
    """A channel for an event loop. Raises ValueError, OSError (see `credentials`)."""
    found = credentials(address, tls)
    if found is None:
        return grpc.aio.insecure_channel(address, options)
    return grpc.aio.secure_channel(address, found, named(options, tls))


def open_blocking(address: str, tls: ClientTls) -> grpc.Channel:
    """A channel for a thread. Raises ValueError, OSError (see `credentials`)."""
    found = credentials(address, tls)
    if found is None:
        return grpc.insecure_channel(address)
    return grpc.secure_channel(address, found, named((), tls))


def credentials(address: str, tls: ClientTls) -> grpc.ChannelCredentials | None:
    """What a channel needs; None: it goes in the clear.

    Raises ValueError for what does not go together or must not go in the clear, OSError for a file
    that cannot be read.
    """
    if bool(tls.certificate) != bool(tls.key):
        raise ValueError("a certificate for the core goes with its key")
    if not tls.authorities:
        if tls.certificate or tls.name:
            raise ValueError("TLS with the core needs the authorities of its certificate")
        check_clear(address, tls.in_clear)
        return None
    authorities = Path(tls.authorities).read_bytes()
    if b"-----BEGIN CERTIFICATE-----" not in authorities:
        raise ValueError(f"{tls.authorities} holds no certificate")
    if not tls.certificate:
        return grpc.ssl_channel_credentials(authorities)
    key = read_key(Path(tls.key))
    return grpc.ssl_channel_credentials(authorities, key, Path(tls.certificate).read_bytes())


def named(options: Options, tls: ClientTls) -> Options:
    return (*options, (NAME, tls.name)) if tls.name else options


def check_clear(address: str, allowed: bool) -> None:
    """Raises ValueError where gRPC at HOST:PORT would go in the clear beyond loopback."""
    if not allowed and not is_loopback(address.rpartition(":")[0].strip("[]")):
        raise ValueError(
            f"gRPC at {address} would go in the clear beyond loopback: give it certificates, or"
            " say --grpc-in-clear"
        )


def is_loopback(host: str) -> bool:
    """Of a name only localhost is: what another leads to is for somebody else to say."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def read_key(path: Path) -> bytes:
    """A private key. Raises OSError, and ValueError where others may read it."""
    with path.open("rb") as file:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise ValueError(f"{path} can be read by others (mode {mode:o}): 600 is right")
        return file.read()
