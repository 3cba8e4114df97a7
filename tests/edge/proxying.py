"""A caller, a worker that sends calls on, and who is called, over real sockets."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from callscreen.fastpath.forwarding import Forwarding, NameTable, OnwardTable

from ..fastpath.looping import Peer, index_of, udp, working
from .objects import platform, settings

__all__ = ["EGRESS", "Called", "Proxy", "also", "objects_to", "proxying"]

EGRESS = "egress.example"  # of the platform


class Called:
    """Who is called: takes what is sent on, and answers it."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(20)
        Peer.opened.append(self.socket)
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def take(self) -> list[bytes]:
        data, self.source = self.socket.recvfrom(70_000)
        self.data = data
        return data.split(b"\r\n")

    def answer(self, status: bytes, data: bytes = b"", to: Any = None) -> bytes:
        """Answers what came last: its Via, From, To, Call-ID and CSeq."""
        names = (b"Via:", b"From:", b"To:", b"Call-ID:", b"CSeq:")
        lines = [line for line in (data or self.data).split(b"\r\n") if line.startswith(names)]
        octets = b"\r\n".join([b"SIP/2.0 " + status, *lines, b"Content-Length: 0", b"", b""])
        self.socket.sendto(octets, to or self.source)
        return octets

    def silent(self) -> bool:
        self.socket.settimeout(0.2)
        try:
            self.socket.recv(70_000)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(20)
        return False


class Proxy:
    """A worker that sends calls on, a caller and who is called."""

    def __init__(self, worker: Any, address: Any, called: Called) -> None:
        self.worker, self.address, self.called = worker, address, called
        self.caller = Peer(address)

    @property
    def via(self) -> bytes:
        return b"%s:%d" % (self.address[0].encode(), self.address[1])

    def branch(self) -> bytes:
        (line,) = [each for each in self.called.data.split(b"\r\n") if self.via in each]
        return line.partition(b";branch=")[2]

    def send(self, data: bytes) -> bytes:
        """Sends a request and takes what is sent on: its octets."""
        self.caller.socket.send(data)
        self.called.take()
        return self.called.data

    def relayed(self) -> bytes:
        return self.caller.socket.recv(70_000)


def objects_to(egress: str) -> list[Any]:
    """The platform with a place to send calls to."""
    engine = {"default_treatment": "terminate", "use_contact": True, "egress_route": egress}
    web = {"default_cc": "1"}
    return [settings("pcs", screening_engine=engine, web_settings=web), *platform()[1:]]


@contextmanager
def proxying(names: dict[str, str] | None = None, **more: Any) -> Iterator[Proxy]:
    sock, called = udp(), Called()
    address = sock.getsockname()
    forwarding = Forwarding(f"127.0.0.1:{address[1]}", os.urandom(32), OnwardTable(1000))
    with working(sock, index_of(objects_to(EGRESS)), forwarding=forwarding, **more) as worker:
        worker.resolve(NameTable({EGRESS: called.address} if names is None else names))
        yield Proxy(worker, address, called)


def also(data: bytes, method: bytes) -> bytes:
    """The ACK or CANCEL of an INVITE."""
    data = data.replace(b"INVITE ", method + b" ", 1)
    return data.replace(b" INVITE\r\n", b" " + method + b"\r\n", 1)
