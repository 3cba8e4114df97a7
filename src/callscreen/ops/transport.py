"""How the parts speak gRPC with the core: over TLS, or in the clear on one machine.

Invariants
1. Beyond loopback nothing goes in the clear unless that was said in so many words: tokens and the
   data of calls are in it. No proxy of the environment comes in between.
2. Who asks the core holds its certificate against given authorities and the name that it asked for.
3. An address is a host and a port: no host is taken for a scheme of gRPC's.
"""

import logging
import re
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import grpc

from .ending import CertificateEnd
from .grpc_tls import ClientTls
from .pem import read_authorities, read_pair
from .renewed import Renewed
from .renewing import RenewingChannel

__all__ = ["advised", "check_clear", "is_loopback", "open_blocking", "open_channel"]

log = logging.getLogger("callscreen.tls")

Options = Sequence[tuple[str, Any]]
Credentials = Callable[[], grpc.ChannelCredentials]

NO_PROXY = ("grpc.enable_http_proxy", 0)  # https_proxy of the environment: it would see tokens
NAME = "grpc.ssl_target_name_override"
HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)\]|([^\s:\[\]]+)):[0-9]+")
UNREACHED = "failed to connect"
ADVICE = (  # what gRPC says where no connection comes about, and what to do
    ("WRONG_VERSION_NUMBER", "the core there speaks no TLS: it needs --grpc-certificate"),
    ("Hostname Verification", "its certificate is another host's: see --grpc-name"),
    ("has expired", "its certificate has expired, or a clock is wrong"),
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is not of --grpc-ca"),
    ("Socket closed", "perhaps it wants TLS (--grpc-ca), or --grpc-client-certificate"),
    ("reset by peer", "perhaps it wants TLS (--grpc-ca), or --grpc-client-certificate"),
)


def open_channel(address: str, tls: ClientTls, options: Options) -> grpc.aio.Channel:
    """A channel for the event loop that runs; its files are read anew where they changed.

    Raises ValueError, OSError (see `credentials`).
    """
    target, given = target_of(address), given_of(options, tls)
    found = credentials(address, tls)
    if found is None:
        return grpc.aio.insecure_channel(target, given)
    files, end = found
    return RenewingChannel(files, lambda made: grpc.aio.secure_channel(target, made, given), end)


def open_blocking(address: str, tls: ClientTls) -> grpc.Channel:
    """A channel for a thread. Raises ValueError, OSError (see `credentials`)."""
    target, given = target_of(address), given_of((), tls)
    found = credentials(address, tls)
    if found is None:
        return grpc.insecure_channel(target, given)
    return grpc.secure_channel(target, found[0].look(), given)


def credentials(
    address: str, tls: ClientTls
) -> tuple[Renewed[grpc.ChannelCredentials], CertificateEnd] | None:
    """What a channel needs, and the end of what it shows; None: it goes in the clear.

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
    end = CertificateEnd(Path(tls.certificate), log)

    def make() -> grpc.ChannelCredentials:
        authorities = read_authorities(Path(tls.authorities))
        if not tls.certificate:
            return grpc.ssl_channel_credentials(authorities)
        pair = read_pair(Path(tls.certificate), Path(tls.key))
        end.set(pair.until)
        return grpc.ssl_channel_credentials(authorities, pair.key, pair.chain)

    names = filter(None, (tls.certificate, tls.key, tls.authorities))
    return Renewed([*map(Path, names)], make, log), end


def target_of(address: str) -> str:
    """HOST:PORT as gRPC takes it for nothing else: `unix:1` is a host and a port here."""
    return f"dns:///{address}"


def given_of(options: Options, tls: ClientTls) -> Options:
    name = ((NAME, tls.name),) if tls.name else ()
    return (*options, NO_PROXY, *name)


def advised(details: str) -> str:
    """What gRPC says of a connection that did not come about, and what may be done."""
    if UNREACHED in details:
        for word, advice in ADVICE:
            if word in details:
                return f"{details}; {advice}"
    return details


def check_clear(address: str, allowed: bool) -> None:
    """Raises ValueError where gRPC at HOST:PORT would go in the clear beyond loopback."""
    if not allowed and not is_loopback(address):
        raise ValueError(
            f"gRPC at {address} would go in the clear beyond loopback: give it certificates, or"
            " say --grpc-in-clear"
        )


def is_loopback(address: str) -> bool:
    """Of names only localhost is: what another leads to is for somebody else to say."""
    found = HOST_PORT.fullmatch(address)
    if found is None:
        return False
    if found[2] == "localhost":
        return True
    try:
        return ip_address(found[1] or found[2]).is_loopback
    except ValueError:
        return False
