"""The servers of a comparison, each a process of its own on the serving core.

Invariants
1. A server given by a context manager answers calls already, with all its data.
2. It is gone when the context ends, whatever happened in it.
3. Only the processes started here are ended, by their id.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .tools import compiled

__all__ = [
    "Server",
    "cores",
    "echo",
    "edge_of",
    "end_on_sigterm",
    "find_kamailio",
    "free_port",
    "kamailio",
    "make_replica",
    "ours",
    "pinned",
    "whole",
]

KAMAILIO_CONFIG = Path(__file__).parent / "kamailio.cfg"
START_SECONDS = 120  # until a server with a million of each must answer
STOP_SECONDS = 20
KAMAILIO_SHARED = 2048  # MiB, for three tables of a million
KAMAILIO_PRIVATE = 64  # MiB
KAMAILIO_BUFFER = 4 * 1024 * 1024  # octets of its socket, which it asks for no more than
PROBE = (
    "OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{own}x{turn};rport\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:bench@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\n"
    "Call-ID: {own}x{turn}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


@dataclass(frozen=True)
class Server:
    """Where it answers, and the processes whose time is its own."""

    port: int
    pids: tuple[int, ...]
    process: "subprocess.Popen[str] | None" = None  # that takes commands

    def tell(self, command: str) -> dict[str, Any]:
        """Sends our edge a command of `changing` and waits for what it says."""
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        return said

    def cpu(self) -> float:
        """Seconds of processor time used so far."""
        return sum(map(cpu_seconds, self.pids))

    def memory(self) -> int:
        """Octets resident, of the largest of its processes."""
        return max(map(resident, self.pids))


def end_on_sigterm() -> None:
    """SIGTERM ends this process as an exception does, so that no server outlives it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))


def cpu_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cores() -> tuple[int, int]:
    """The core of the generator and the core of the server; the same one where there is one."""
    own = sorted(os.sched_getaffinity(0))
    return own[0], own[1 % len(own)]


def pinned(command: list[str], core: int) -> list[str]:
    """The command, bound to a core from its first instruction on."""
    return ["taskset", "-c", str(core), *command]


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        port: int = udp.getsockname()[1]
        return port


def wait_until_it_answers(port: int, process: "subprocess.Popen[str]") -> None:
    """Returns once an OPTIONS is answered, with whatever. RuntimeError where the server is gone."""
    end = time.monotonic() + START_SECONDS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(0.2)
        own = udp.getsockname()[1]
        for turn in range(10**6):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the server did not start")
            udp.sendto(PROBE.format(port=port, own=own, turn=turn).encode(), ("127.0.0.1", port))
            try:
                udp.recv(65535)
                return
            except TimeoutError:
                continue


def ended(process: "subprocess.Popen[str]") -> None:
    """Returns when a process that was asked to end has, or was made to."""
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


@contextmanager
def echo(mode: str) -> Iterator[Server]:
    """The bare echo; `mode` is plain, segment or joined."""
    command = pinned([str(compiled("echo")), "0", mode], cores()[1])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(int(process.stdout.readline()), (process.pid,))
        finally:
            process.kill()


def find_kamailio() -> str | None:
    """Debian's, which stands where only root's PATH looks."""
    return shutil.which("kamailio", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def kamailio(
    count: int, source: Path = KAMAILIO_CONFIG, words: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Kamailio with tables of `count`, one process for UDP, its best allocators.

    `words` stand for others in its configuration.
    """
    program, port = find_kamailio(), free_port()
    if program is None:
        raise RuntimeError("kamailio is missing: Debian's package has it")
    text = source.read_text()
    for word, meaning in {"PORT": str(port), "COUNT": str(count), **(words or {})}.items():
        text = text.replace(word, meaning)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "kamailio.cfg"
        config.write_text(text)
        command = [
            *(program, "-f", str(config), "-x", "fm", "-X", "fm", "-DD", "-E", "-w", folder),
            *("-m", str(KAMAILIO_SHARED), "-M", str(KAMAILIO_PRIVATE)),
            *("-b", str(KAMAILIO_BUFFER), "-Y", folder, "-P", f"{folder}/pid"),
        ]
        with subprocess.Popen(
            pinned(command, cores()[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            try:
                wait_until_it_answers(port, process)
                children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
                yield Server(port, (process.pid, *map(int, children.split())))
            finally:
                process.send_signal(signal.SIGTERM)
                ended(process)


@contextmanager
def ours(count: int, *words: str) -> Iterator[Server]:
    """Our edge with the same data; `words` go to bench.edge.ours."""
    command = [sys.executable, "-m", "bench.edge.ours", "--count", str(count), *words]
    with subprocess.Popen(
        pinned(command, cores()[1]),
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            port = process.stdout.readline()
            if not port:
                raise RuntimeError("our edge did not start")
            yield Server(int(port), (process.pid,), process)
        finally:
            process.stdin.close()
            ended(process)


@contextmanager
def sink() -> Iterator[int]:
    """The port of a core that takes records, on the generator's core."""
    command = [sys.executable, "-m", "bench.edge.sink"]
    with subprocess.Popen(
        pinned(command, cores()[0]),
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            ended(process)


def make_replica(state: Path, count: int) -> Path:
    """Writes the workload where an edge with this state folder finds it; the file."""
    path = state / "replica" / "image-0000000001"
    path.parent.mkdir(mode=0o700)
    command = [sys.executable, "-m", "bench.edge.image", str(path), "--count", str(count)]
    subprocess.run(command, cwd=Path(__file__).parents[2], check=True)
    return path


@contextmanager
def edge_of(state: Path, *words: str) -> Iterator[Server]:
    """`callscreen edge` with one worker, all of it on the serving core, started from its replica;
    its records go to a core that takes them. `words` are options of it."""
    with sink() as port:
        command = [sys.executable, "-m", "callscreen", "edge", "--workers", "1", *words]
        command += ["--state", str(state), "--data", str(state), "--token", "none"]
        command += ["--grpc", f"127.0.0.1:{port}", "--sip", "127.0.0.1:0", "--log-level", "error"]
        with subprocess.Popen(
            pinned(command, cores()[1]), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            late = threading.Timer(START_SECONDS, process.kill)
            late.start()
            try:
                ready = next((line for line in process.stdout if line.startswith("ready ")), "")
                late.cancel()
                if not ready:
                    raise RuntimeError("our edge did not start")
                address = ready.partition("sip=")[2].split()[0].split(",")[0]
                yield Server(int(address.rpartition(":")[2]), (process.pid,))
            finally:
                process.send_signal(signal.SIGTERM)
                ended(process)


@contextmanager
def whole(count: int, *words: str) -> Iterator[Server]:
    """Our edge as it is run, with the workload."""
    root = Path(__file__).parents[2] / "build"
    root.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        make_replica(Path(folder), count)
        with edge_of(Path(folder), *words) as server:
            yield server
