"""Sockets on which SIP is answered: of UDP one for each worker, all on one address; of TCP one.

Invariants
1. All of UDP are bound before the first answers; port 0 is chosen by that one. An address that any
   other socket has is an error, also one that would be shared.
2. Each has a receive time-out, so that its worker sees that it is to stop.
"""

import asyncio
import ctypes
import logging
import socket
import struct

__all__ = [
    "RECEIVE_BUFFER",
    "can_segment",
    "check_buffer",
    "format_address",
    "open_tcp",
    "open_udp",
    "overflows",
    "parse_address",
]

log = logging.getLogger("callscreen.edge")

RECEIVE_BUFFER = 8 * 1024 * 1024  # octets asked of the kernel, which may give less
SEND_BUFFER = 4 * 1024 * 1024
WAIT_MICROSECONDS = 100_000
BACKLOG = 1_024  # connections that wait to be accepted
# Of the kernel's headers; Python's socket has no names.
SOL_UDP, UDP_SEGMENT, UDP_GRO = 17, 103, 104
IP_PKTINFO, IP_RECVERR, IPV6_RECVERR = 8, 11, 25
SO_ATTACH_REUSEPORT_CBPF, SO_MEMINFO = 51, 55
MEMORY_INFO = struct.Struct("@9I")  # the last: datagrams that found no room
SO_RCVBUFFORCE, SO_SNDBUFFORCE = 33, 32
LOAD_ANCILLARY, MODULO, RETURN_A = 0x20, 0x94, 0x16
RANDOM = 0xFFFFF000 + 56  # SKF_AD_OFF + SKF_AD_RANDOM


async def open_udp(host: str, port: int, count: int = 1) -> list[socket.socket]:
    """Bound UDP sockets of the family of `host`. Raises OSError where one cannot be bound."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            sock = socket.socket(family, socket.SOCK_DGRAM)
            opened.append(sock)
            prepare(sock, any_address=address[0] in ("0.0.0.0", "::"))  # noqa: S104 - compared
            if len(opened) > 1:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind(address)
            if count > 1:  # only now: a stranger's sockets would have been joined
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            address = (address[0], sock.getsockname()[1], *address[2:])
        if count > 1:
            spread(opened[0], count)
    except OSError as error:
        for sock in opened:
            sock.close()
        where = format_address((host, port))
        raise OSError(f"The address {where} cannot be bound: {error.strerror}") from error
    return opened


async def open_tcp(host: str, port: int) -> socket.socket:
    """A listening TCP socket that does not block. Raises OSError where it cannot be bound."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise OSError(
            f"The address {format_address((host, port))} cannot be bound for TCP: {error.strerror}"
        ) from error
    return sock


def prepare(sock: socket.socket, any_address: bool) -> None:
    """Options of a socket before it is bound."""
    sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
    if any_address and sock.family == socket.AF_INET6:  # so that the answer leaves from there
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    elif any_address:
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    for force, usual, octets in (
        (SO_RCVBUFFORCE, socket.SO_RCVBUF, RECEIVE_BUFFER),
        (SO_SNDBUFFORCE, socket.SO_SNDBUF, SEND_BUFFER),
    ):
        try:
            sock.setsockopt(socket.SOL_SOCKET, force, octets)  # past the system's limit: root may
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, usual, octets)
    wait = struct.pack("@ll", 0, WAIT_MICROSECONDS)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, wait)
    try:
        sock.setsockopt(SOL_UDP, UDP_GRO, 1)
    except OSError:  # an old kernel: datagrams come one by one
        return


def check_buffer(sock: socket.socket) -> None:
    """Tells the log where the kernel gave less of a receive buffer than was asked for."""
    given = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # the kernel tells it doubled
    if given < RECEIVE_BUFFER:
        log.warning(
            "a socket has room for %d KiB of what waits, not for %d: net.core.rmem_max is low",
            given // 1024,
            RECEIVE_BUFFER // 1024,
        )


def can_segment(sock: socket.socket) -> bool:
    """Whether the kernel takes apart what is sent together. One that does not know of it would not
    say so when it is asked to, and send all as one datagram."""
    try:
        sock.setsockopt(SOL_UDP, UDP_SEGMENT, 0)
    except OSError:
        return False
    return True


def overflows(sock: socket.socket) -> int:
    """Datagrams that found no room in the socket's buffer."""
    found = sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMORY_INFO.size)
    dropped: int = MEMORY_INFO.unpack(found)[-1]
    return dropped


def spread(sock: socket.socket, count: int) -> None:
    """Gives each datagram to any of the sockets: by the sender's address, as the kernel does it,
    an SBC that sends all from one port would keep one worker busy and the others idle."""
    steps = ((LOAD_ANCILLARY, RANDOM), (MODULO, count), (RETURN_A, 0))
    code = ctypes.create_string_buffer(
        b"".join(struct.pack("@HBBI", op, 0, 0, k) for op, k in steps)
    )
    program = struct.pack("@HP", len(steps), ctypes.addressof(code))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, program)


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of HOST:PORT or [HOST]:PORT. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"not HOST:PORT: {text!r}")
    return host, int(port)


def format_address(address: tuple[str, int]) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
