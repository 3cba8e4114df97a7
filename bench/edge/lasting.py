"""The whole platform for long: calls, changes, broken datagrams, a core that is killed at times.

python -m bench.edge.lasting [--seconds 600] [--rate 2000] [--kill 60]

Core and edge are processes of their own, on the serving core. Every answer is compared with what
the call has to get; at the end each answered call has a record in the core, and memory stood still.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from callscreen.v1 import (
    object_pb2,
    provisioning_pb2,
    provisioning_pb2_grpc,
    records_pb2,
    records_pb2_grpc,
)

from .disturbed import GROWTH, JUNK
from .measure import measured
from .servers import Server, cores, end_on_sigterm, free_port, pinned
from .workload import PROVIDER, SPARE, called, friend, listed, listing, number, platform

__all__ = ["main"]

COUNT = 20_000  # of each kind of data
BATCH = 500  # objects of a write
CHANGES = 20  # a second, each a write of its own
SETTLED_SECONDS = 60.0  # for the records that wait


class Platform:
    """A core that may die, and the edge that follows it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._grpc = f"127.0.0.1:{free_port()}"
        self._core: subprocess.Popen[str] | None = None
        self._edge: subprocess.Popen[str] | None = None
        self.start_core()
        token = (folder / "service.token").read_text().strip()
        self._metadata = (("authorization", f"Bearer {token}"),)
        self._channel = grpc.insecure_channel(self._grpc)
        self.kills = 0

    def part(self, name: str, *words: str) -> "tuple[subprocess.Popen[str], str]":
        """A started part and its address."""
        command = [sys.executable, "-m", "callscreen", name, "--data", str(self._folder)]
        process = subprocess.Popen(
            pinned([*command, "--grpc", self._grpc, "--log-level", "error", *words], cores()[1]),
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "CALLSCREEN_ADMIN_PASSWORD": "a password of a bench"},
        )
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("ready "):
                return process, line.strip().rpartition("=")[2]
        raise RuntimeError(f"{name} did not start")

    def start_core(self) -> None:
        self._core, _ = self.part("core")

    def start_edge(self) -> Server:
        self._edge, address = self.part("edge", "--sip", "127.0.0.1:0")
        return Server(int(address.rpartition(":")[2]), (self._edge.pid,))

    def kill_core(self) -> None:
        """As a machine that lost its power; it comes back two seconds later."""
        assert self._core is not None
        self._core.kill()
        self._core.wait()
        self.kills += 1
        time.sleep(2)
        self.start_core()

    def close(self) -> None:
        for process in (self._edge, self._core):
            if process is not None:
                process.send_signal(signal.SIGTERM)
                process.wait(20)
        self._channel.close()

    def write(self, kind: str, objects: Sequence[object_pb2.Object]) -> None:
        """Puts objects. RuntimeError for what the core refuses, grpc.RpcError where it is gone."""
        write = provisioning_pb2_grpc.ProvisioningStub(self._channel).Write
        requests = (
            provisioning_pb2.WriteRequest(parent=f"pcs/{kind}", objects=objects[at : at + BATCH])
            for at in range(0, len(objects), BATCH)
        )
        for answered in write(requests, metadata=self._metadata, timeout=30):
            if answered.errors:
                raise RuntimeError(f"{kind} refused: {answered.errors[0]}")

    def records(self) -> int:
        """Call records that the core holds."""
        query = records_pb2_grpc.RecordsStub(self._channel).Query
        request = records_pb2.QueryRequest(parent="pcs/cdr", page_size=0)
        return int(query(request, metadata=self._metadata, timeout=30).total_size)


def fill(core: Platform, count: int) -> None:
    core.write("service_provider", [listing(map(listed, range(count)))])
    for each in platform():
        core.write(each.WhichOneof("kind") or "", [each])
    owner: Any = {"service_provider_name": PROVIDER}
    core.write(
        "subscriber",
        [object_pb2.Object(subscriber={**owner, "name": f"s{place}"}) for place in range(count)],
    )
    core.write(
        "number",
        [
            object_pb2.Object(
                number={
                    **owner,
                    "subscriber_name": f"s{place}",
                    "number": called(place),
                    "whitelist": [friend(place)],
                }
            )
            for place in range(count)
        ],
    )


@contextmanager
def changing(core: Platform, every: float) -> Iterator[None]:
    """List changes meanwhile, and a core killed every so many seconds."""
    done = threading.Event()

    def change() -> None:
        owner: Any = {"service_provider_name": PROVIDER, "subscriber_name": "s0"}
        place, killed = 0, time.monotonic()
        while not done.wait(1 / CHANGES):
            place += 1
            lists = {"whitelist": [friend(0)], "blacklist": [number(SPARE, place)]}
            body = {**owner, "number": called(0), **lists}
            core.write("number", [object_pb2.Object(number=body)])  # type: ignore[arg-type]
            if time.monotonic() - killed > every:
                core.kill_core()
                killed = time.monotonic()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def run(given: argparse.Namespace) -> None:
    build = Path(__file__).parents[2] / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as folder:
        core = Platform(Path(folder))
        answered = lost = wrong = 0
        sizes: list[int] = []
        try:
            fill(core, COUNT)
            edge = core.start_edge()
            end = time.monotonic() + given.seconds
            with changing(core, given.kill):
                while time.monotonic() < end:
                    seen = measured(
                        edge,
                        **{"rate": given.rate, "seconds": min(10, given.seconds), "warm": 0},
                        **{"subscribers": COUNT, "listed": COUNT, "junk": JUNK},
                    )
                    answered += seen.sent - seen.lost
                    lost, wrong = lost + seen.lost, wrong + seen.wrong
                    sizes.append(edge.memory())
                    print(f"  {answered:,} answered, {core.kills} cores killed, {seen}", flush=True)
            settle(core, answered)
            print(f"{answered:,} calls answered, {core.records():,} records, ", end="")
            print(f"lost {lost:,}, wrong {wrong:,}, cores killed {core.kills}")
            print(f"resident {sizes[0] / 2**20:,.0f} MiB, then {sizes[-1] / 2**20:,.0f} ", end="")
            print("(no growth)" if sizes[-1] <= GROWTH * sizes[0] else "(GROWTH)")
        finally:
            core.close()


def settle(core: Platform, count: int) -> None:
    """Waits for the records that are on their way."""
    end = time.monotonic() + SETTLED_SECONDS
    while core.records() < count and time.monotonic() < end:
        time.sleep(0.5)


def main() -> None:
    reader = argparse.ArgumentParser(prog="python -m bench.edge.lasting", description=__doc__)
    reader.add_argument("--seconds", type=float, default=600.0)
    reader.add_argument("--rate", type=float, default=2_000.0, help="calls a second")
    reader.add_argument("--kill", type=float, default=60.0, help="seconds between two kills")
    given = reader.parse_args()
    end_on_sigterm()
    run(given)


if __name__ == "__main__":
    main()
