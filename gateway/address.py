"""The address that the gateway listens at, as HOST:PORT or [IPv6]:PORT.

1. Nothing is guessed: an address without a host, or with a port out of range, is refused.
2. Every refusal names the address as it was given.
"""

import re
import socket
from typing import Final

__all__ = ["listen", "shown"]

ADDRESS: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s\x00-\x1f\x7f:\[\]]+)):([0-9]{1,5})")
PORT_MOST: Final = 65535


def listen(address: str) -> socket.socket:
    """A socket that listens at the address; port 0 takes any that is free.

    Raises:
        ValueError: the address is not HOST:PORT.
        OSError: its host is not known here, or its port is taken or not allowed.
    """
    host, port = _split(address)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, where = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
            listener.listen()  # of two that bound one port, the second is refused only here
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise OSError(f"The address {address} cannot be bound: {error.strerror}") from error
    except ValueError:  # a host that cannot be a name: a label too long
        raise _refused(address) from None
    return listener


def shown(listener: socket.socket) -> str:
    """Where a socket listens, an IPv6 address in brackets."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _split(address: str) -> tuple[str, int]:
    found = ADDRESS.fullmatch(address)
    if found is None or int(found[3]) > PORT_MOST:
        raise _refused(address)
    return found[1] or found[2], int(found[3])


def _refused(address: str) -> ValueError:
    return ValueError(f"--http must be HOST:PORT, not {address!r}")
