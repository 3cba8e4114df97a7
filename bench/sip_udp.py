"""INVITEs answered a second over loopback, beside a bare echo on an event loop.

Server and generator are processes of their own, each on a core where there are two. The generator
keeps WINDOW datagrams under way; every INVITE is a new call, and every answer is looked at. The
edge has one worker, which parses, decides, answers and makes its record; the records are taken out
as they are on their way to the core. The generator is what limits both: bench.edge has a fast one.
"""

import asyncio
import itertools
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvloop

from callscreen.edge.peers import PeerList
from callscreen.edge.sockets import open_udp
from callscreen.edge.view import ScreeningView
from callscreen.edge.workers import WorkerConfig, Workers
from callscreen.fastpath.recent import RecentTable
from callscreen.v1 import object_pb2

__all__ = ["main"]

SECONDS = 2.0  # a measurement
ROUNDS = 5  # of each, in turns; the median counts
WINDOW = 64  # datagrams under way
NUMBERS = 1_000
INVITE = (
    b"INVITE sip:+1555123%(called)04d@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:%(port)d;branch=z9hG4bK%(id)d;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b"From: <sip:+1555765%(calling)04d@carrier.example>;tag=%(id)d\r\n"
    b"To: <sip:+1555123%(called)04d@127.0.0.1>\r\n"
    b"Call-ID: %(id)d@carrier.example\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:127.0.0.1:%(port)d>\r\n"
    b"Content-Length: 0\r\n\r\n"
)
IDS = itertools.count(1)


def provisioned() -> ScreeningView:
    """Numbers with lists of their own: half of the callers are let through."""
    rule = {"personal": True, "global": True, "match": "continue", "no_match": "next"}
    objects = [
        object_pb2.Object(
            name="pcs/settings/",
            settings={"screening_engine": {"default_treatment": "terminate", "use_contact": True}},  # type: ignore[arg-type]
        ),
        object_pb2.Object(
            name="pcs/screening_rule/acme",
            screening_rule={"service_provider_name": "acme", "whitelist": {**rule, "priority": 1}},  # type: ignore[arg-type]
        ),
    ]
    owner: dict[str, Any] = {"service_provider_name": "acme", "subscriber_name": "alice"}
    for number in range(NUMBERS):
        friends = [f"+1555765{caller:04d}" for caller in range(0, 20, 2)]
        own = {**owner, "number": f"+1555123{number:04d}", "whitelist": friends}
        name = f"pcs/number/acme/alice/%2B1555123{number:04d}"
        objects.append(object_pb2.Object(name=name, number=own))  # type: ignore[arg-type]
    view = ScreeningView()
    view.load(objects)
    view.whole(1)
    return view


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data, addr)


SERVERS = ("edge", "echo")


async def serve(name: str) -> None:
    """Answers until standard input ends."""
    if name == "edge":
        await screen()
        return
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    print(transport.get_extra_info("sockname")[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    transport.close()


async def screen() -> None:
    (sock,) = await open_udp("127.0.0.1", 0)
    view, peers = provisioned(), PeerList()
    workers = Workers([sock], WorkerConfig(os.urandom(32), RecentTable(1 << 20)), os.urandom)

    def let_go(records: bytes, count: int) -> None: ...

    workers.start()
    workers.answer_from(view.index)
    taking = asyncio.create_task(workers.run(lambda: view.index, lambda: peers.table, let_go))
    print(sock.getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    taking.cancel()
    await workers.stop(let_go)


def pin(place: int) -> None:
    """This process on one core, where each can have its own."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[place % len(cores)]})


@contextmanager
def served(name: str) -> Iterator[tuple[int, int]]:
    """The port of a server in a process of its own, and its process id."""
    command = [sys.executable, "-m", "bench.sip_udp", name]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline()), server.pid
        finally:
            server.stdin.close()
            server.wait(10)


def measure(port: int, right: Callable[[bytes], bool]) -> float:
    """Right answers a second. TimeoutError for one that stays away, else ValueError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.connect(("127.0.0.1", port))
        udp.settimeout(2)
        own = udp.getsockname()[1]

        def send() -> None:
            number = next(IDS)
            called, calling = number % NUMBERS, number % 20
            udp.send(INVITE % {b"called": called, b"calling": calling, b"id": number, b"port": own})

        for _ in range(WINDOW):
            send()
        answered, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < SECONDS:
            for _ in range(WINDOW):
                if not right(udp.recv(65_535)):
                    raise ValueError("a wrong answer")
                send()
            answered += WINDOW
        return answered / (time.perf_counter() - begun)


def cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    with open(f"/proc/{pid}/stat") as stat:
        user, system = stat.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


RIGHT: dict[str, Callable[[bytes], bool]] = {
    "edge": lambda data: data.startswith((b"SIP/2.0 302 ", b"SIP/2.0 603 ")),
    "echo": lambda data: data.startswith(b"INVITE "),
}


def main() -> None:
    everywhere = os.sched_getaffinity(0)
    rates: dict[str, list[float]] = {name: [] for name in SERVERS}
    costs: dict[str, list[float]] = {name: [] for name in SERVERS}
    with served("edge") as edge_server, served("echo") as echo_server:
        pin(0)
        for _ in range(ROUNDS):
            for name, (port, pid) in (("edge", edge_server), ("echo", echo_server)):
                before = cpu(pid)
                rate = measure(port, RIGHT[name])
                rates[name].append(rate)
                costs[name].append((cpu(pid) - before) / (rate * SECONDS) * 1e6)
    os.sched_setaffinity(0, everywhere)
    answered, echoed = (statistics.median(rates[name]) for name in ("edge", "echo"))
    call, echo = (statistics.median(costs[name]) for name in ("edge", "echo"))
    print(f"INVITEs answered: {answered:,.0f}/s, {call:.1f} us of processor time each")
    print(f"datagrams echoed: {echoed:,.0f}/s, {echo:.1f} us of processor time each")
    print(f"ratio:            {answered / echoed:.2f}, by processor time {echo / call:.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        pin(1)
        uvloop.run(serve(sys.argv[1]))
    else:
        main()
