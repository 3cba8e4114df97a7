"""A worker in a thread on a socket of its own, and peers that send to it."""

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from callscreen.fastpath.index import Index
from callscreen.fastpath.loader import Loader
from callscreen.fastpath.recent import RecentTable
from callscreen.fastpath.ring import RingBuffer
from callscreen.fastpath.worker import Worker
from callscreen.v1 import object_pb2, records_pb2, screening_pb2

from ..edge.messages import Response, read, request
from ..edge.objects import CALLED, FRIEND, platform

SOL_UDP, UDP_SEGMENT, UDP_GRO = 17, 103, 104
RING = 1 << 20  # octets


def index_of(objects: list[object_pb2.Object] | None = None, revision: int = 7) -> Index:
    index = Index()
    Loader(index).load(platform() if objects is None else objects)
    index.revision = revision
    return index


def udp(host: str = "127.0.0.1", joined: bool = True) -> socket.socket:
    """A bound socket as a worker has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", 0, 20_000))
    if joined:
        sock.setsockopt(SOL_UDP, UDP_GRO, 1)
    sock.bind((host, 0))
    return sock


class Peer:
    """Sends to a worker from one port, and reads what comes back; closed by `close_peers`."""

    opened: ClassVar[list[socket.socket]] = []

    def __init__(self, to: Any, host: str = "127.0.0.1") -> None:
        self.socket = socket.socket(
            socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM
        )
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
        self.opened.append(self.socket)
        self.socket.bind((host, 0))
        self.socket.connect(to)
        self.socket.settimeout(20)
        place, self.port = self.socket.getsockname()[:2]
        self.host = f"[{place}]" if ":" in place else place
        self.sent = 0

    def invite(self, calling: str = FRIEND, called: str = CALLED, **more: Any) -> bytes:
        """The next call; each is as long as the others."""
        self.sent += 1
        return request(
            **{
                "uri": f"sip:{called}@edge.example",
                "caller": f"<sip:{calling}@carrier.example>;tag=abc",
                "via": f"SIP/2.0/UDP {self.host}:{self.port};rport;branch=z9hG4bK-{self.sent:08d}",
                "call_id": f"{self.sent:08d}@{self.port:05d}",
            }
            | more
        )

    def answer(self) -> Response:
        return read(self.socket.recv(70_000))

    def ask(self, data: bytes) -> Response:
        self.socket.send(data)
        return self.answer()

    def burst(self, data: list[bytes]) -> None:
        """Datagrams of one size that the kernel carries as one."""
        control = [(SOL_UDP, UDP_SEGMENT, struct.pack("@H", len(data[0])))]
        self.socket.sendmsg(data, control)


def close_peers() -> None:
    while Peer.opened:
        Peer.opened.pop().close()


@contextmanager
def working(
    sock: socket.socket, index: Index | None = None, ring: int = RING, **more: Any
) -> Iterator[Worker]:
    worker = Worker(
        sock.fileno(),
        b"secret",
        seed=os.urandom(16),
        recent=RecentTable(10_000),
        records=RingBuffer(ring),
        edge="edge-1",
        **more,
    )
    if index is not None:
        worker.answer_from(index)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join()
        sock.close()


def recorded(worker: Worker) -> list[screening_pb2.CallRecord]:
    """The records that wait."""
    found: list[screening_pb2.CallRecord] = []
    while True:
        octets, count = worker.records.take(1_000, 1 << 20)
        if not count:
            return found
        records = records_pb2.AppendRequest.FromString(octets).records
        assert len(records) == count
        found += records
