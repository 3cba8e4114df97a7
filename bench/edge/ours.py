"""Our edge as a server of the comparison: `python -m bench.edge.ours`, a process of its own.

One worker answers, from an index of the workload; the records that it makes are written to a file
in batches, as the edge does where its core is away. The port is printed once calls are answered.
Then each line of standard input is a command (see `Commands`), and at its end the process ends.
"""

import argparse
import json
import os
import socket
import struct
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

from callscreen.fastpath.recent import RecentTable
from callscreen.fastpath.ring import RingBuffer
from callscreen.fastpath.worker import Worker

from .changing import Changing
from .servers import cores
from .workload import COUNT, provisioned

__all__ = ["main"]

RING_OCTETS = 64 * 1024 * 1024
RECENT = 1 << 24  # transactions: half a minute at half a million calls a second
BATCH = 10_000  # records
BATCH_OCTETS = 4 * 1024 * 1024
DRAIN_SECONDS = 0.01  # between two looks at an empty ring
FILE_OCTETS = 256 * 1024 * 1024  # of the records' file, which starts over then
SOCKET_OCTETS = 8 * 1024 * 1024
SO_RCVBUFFORCE = 33
UDP_GRO = 104


def opened() -> socket.socket:
    """A socket as the edge has it: large buffer, receive time-out, datagrams joined."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_OCTETS)
    except PermissionError:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_OCTETS)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 50_000))
    udp.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
    udp.bind(("127.0.0.1", 0))
    return udp


class Records:
    """Takes records out of the ring and into a file, in a thread."""

    def __init__(self, ring: RingBuffer, path: Path) -> None:
        self.taken = 0
        self._ring = ring
        self._path = path
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with self._path.open("wb", buffering=0) as file:
            while True:
                octets, count = self._ring.take(BATCH, BATCH_OCTETS)
                self.taken += count
                if count:
                    file.write(octets)
                    if file.tell() > FILE_OCTETS:
                        file.seek(0)
                elif self._done.is_set():
                    return
                else:
                    time.sleep(DRAIN_SECONDS)

    def close(self) -> None:
        """Returns when the ring is empty."""
        self._done.set()
        self._thread.join()


def apart() -> None:
    """This thread and those that it starts leave the serving core to the worker."""
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - {cores()[1]} or {0})
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)


def serve(given: argparse.Namespace) -> None:
    view = provisioned(given.count)
    udp, ring = opened(), RingBuffer(RING_OCTETS)
    worker = Worker(
        udp.fileno(),
        os.urandom(32),
        seed=os.urandom(16),
        recent=RecentTable(RECENT),
        records=ring,
        edge="bench",
        segmenting=not given.plain,
    )
    worker.answer_from(view.index)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        running = threading.Thread(target=worker.run)
        running.start()
        try:
            if given.apart:
                apart()
            with closing(Records(ring, Path(folder) / "records")) as records:
                changing = Changing(view, given.count)
                print(udp.getsockname()[1], flush=True)
                for line in sys.stdin:
                    said = {**changing.obey(line), "records": records.taken}
                    print(json.dumps(said), flush=True)
        finally:
            worker.stop()
            running.join()
    udp.close()


def main() -> None:
    reader = argparse.ArgumentParser()
    reader.add_argument("--count", type=int, default=COUNT, help="of each kind of data")
    reader.add_argument("--plain", action="store_true", help="each answer is a send of its own")
    reader.add_argument("--apart", action="store_true", help="only the worker is pinned")
    reader.add_argument("--folder", default=None, help="of the records' file")
    serve(reader.parse_args())


if __name__ == "__main__":
    main()
