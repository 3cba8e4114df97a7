"""Peers that are not ours, as processes: Kamailio as a carrier's proxy, baresip as a phone, sipp.

Invariants
1. Kamailio runs `docs/integrate/kamailio.cfg` as it stands; addresses are given from outside.
2. A peer is there, and answers, once its context is entered; it is gone when that ends.
3. Every socket is on the loopback, at a port that was free a moment before.
"""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Edge", "Proxy", "edge", "free_port", "needed", "phone", "place", "proxy"]

CONFIG = Path(__file__).parents[2] / "docs" / "integrate" / "kamailio.cfg"
SCENARIOS = Path(__file__).parent / "sipp"
SECONDS = 15.0  # until a peer must answer or be done


def needed(program: str, package: str) -> str:
    """The path of a program; where CI is true its absence is a failure."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None and os.environ.get("CI") == "true":
        pytest.fail(f"{program} is missing: install Debian's {package}")
    if path is None:
        pytest.skip(f"{program} is missing: install Debian's {package} to run this")
    return path


def free_port() -> int:
    """Free over UDP and TCP, as is the next (baresip takes it for TLS); connections get others."""
    while True:
        port = random.randrange(20_000, 32_000, 2)
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for each in (port, port + 1):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(
                        ("127.0.0.1", each)
                    )
            return port


@contextlib.asynccontextmanager
async def running(
    *command: str, log: Path, how: signal.Signals = signal.SIGTERM, **more: Any
) -> AsyncIterator[Process]:
    """A process whose output goes to `log`; at the end it is asked to go, then made to."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=output, stderr=STDOUT, **more
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(how)
            try:
                await asyncio.wait_for(process.wait(), 20)
            except TimeoutError:
                process.kill()
                await process.wait()


async def until(log: Path, text: str, process: Process) -> None:
    """Returns once the log holds `text`; fails with all of it where the process ends before."""
    async with asyncio.timeout(SECONDS):
        while text not in log.read_text(errors="replace"):  # noqa: ASYNC240
            assert process.returncode is None, log.read_text(errors="replace")  # noqa: ASYNC240
            await asyncio.sleep(0.02)


@dataclass
class Edge:
    """One of our own, as a process."""

    port: int
    process: Process

    async def kill(self) -> None:
        """As a machine that lost its power: it says nothing any more."""
        self.process.kill()
        await self.process.wait()


@contextlib.asynccontextmanager
async def edge(
    core: Any, folder: Path, name: str, port: int = 0, *more: str
) -> AsyncIterator[Edge]:
    log = folder / f"{name}.log"
    command = [sys.executable, "-m", "callscreen", "edge", "--name", name, "--data", str(folder)]
    command += ["--grpc", f"127.0.0.1:{core.port}", "--sip", f"127.0.0.1:{port}", *more]
    environment = {**os.environ, "CALLSCREEN_TOKEN": "secret"}
    async with running(*command, log=log, env=environment) as process:
        await until(log, "ready sip=", process)
        said = log.read_text()
        address = said.partition("ready sip=")[2].split()[0]
        yield Edge(int(address.rpartition(":")[2]), process)


@dataclass
class Proxy:
    """Kamailio, and what it says of the edges."""

    port: int
    control: Path

    async def states(self) -> dict[int, str]:
        """Ports of the edges, each with its dispatcher's flags: AP active, IP inactive, …"""
        program = needed("kamcmd", "kamailio")
        command = [program, "-s", f"unixs:{self.control}", "dispatcher.list"]
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
        output, _ = await asyncio.wait_for(process.communicate(), SECONDS)
        found: dict[int, str] = {}
        port = 0
        for line in output.decode().splitlines():
            name, _, value = line.strip().partition(": ")
            if name == "URI":
                port = int(value.rpartition(":")[2])
            elif name == "FLAGS":
                found[port] = value
        return found

    async def until(self, expected: dict[int, str]) -> None:
        """Returns once the edges are in these states; fails with those that they are in."""
        states: dict[int, str] = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS):
                while states != expected:
                    states = await self.states()
                    await asyncio.sleep(0.1)
        assert states == expected


@contextlib.asynccontextmanager
async def proxy(
    folder: Path, edges: Sequence[int], port: int = 0, **names: str
) -> AsyncIterator[Proxy]:
    """Kamailio before edges at these ports; `names` are set as its configuration's."""
    program, port = needed("kamailio", "kamailio"), port or free_port()
    listed = folder / "edges.list"
    listed.write_text("".join(f"1 sip:127.0.0.1:{each}\n" for each in edges))
    control = folder / "control"
    given = {
        "LISTEN": f"udp:127.0.0.1:{port}",
        "EDGES": f'"{listed}"',
        "CONTROL": f'"unixs:{control}"',
        "KEEPALIVE_SECONDS": "1",
        **names,
    }
    defines = [word for name, value in given.items() for word in ("-A", f"{name}={value}")]
    command = [program, "-f", str(CONFIG), *defines, "-DD", "-E", "-m", "64", "-M", "8"]
    command += ["-w", str(folder), "-Y", str(folder), "-P", str(folder / "kamailio.pid")]
    log = folder / "kamailio.log"
    async with running(*command, log=log) as process:
        found = Proxy(port, control)
        async with asyncio.timeout(SECONDS):
            while not control.exists():
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.02)
        await found.until(dict.fromkeys(edges, "AP"))
        yield found


@dataclass
class Phone:
    """baresip, and what it said and saw on the wire."""

    port: int
    log: Path

    def said(self) -> str:
        return self.log.read_text(errors="replace")


@contextlib.asynccontextmanager
async def phone(folder: Path, *users: str) -> AsyncIterator[Phone]:
    """A phone without sound that takes every call to one of its users by itself."""
    program, port = needed("baresip", "baresip-core"), free_port()
    home = folder / "baresip"
    home.mkdir()
    (home / "config").write_text(
        f"sip_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\n"
        "audio_source aubridge,in\naudio_player aubridge,out\naudio_alert aubridge,out\n"
        "module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aubridge.so\n"
        "module uuid.so\nmodule_app account.so\nmodule_app menu.so\n"
    )
    accounts = (f"<sip:{user}@127.0.0.1:{port}>;regint=0;answermode=auto\n" for user in users)
    (home / "accounts").write_text("".join(accounts))
    (home / "contacts").write_text("")
    (home / "uuid").write_text("00000000-0000-4000-8000-000000000000")
    log = folder / "baresip.log"
    async with running(program, "-4", "-s", "-f", str(home), log=log) as process:
        await until(log, "baresip is ready", process)
        yield Phone(port, log)


async def place(
    port: int,
    folder: Path,
    scenario: str,
    service: str,
    calling: str,
    *more: str,
    source: str = "127.0.0.1",
) -> None:
    """Runs a sipp scenario towards a port, from the address `source`; fails with sipp's words where
    a call went otherwise."""
    program = needed("sipp", "sip-tester")
    command = [program, f"127.0.0.1:{port}", "-sf", str(SCENARIOS / f"{scenario}.xml")]
    command += ["-s", service, "-key", "calling", calling, "-i", source, "-nostdin"]
    # A proxy of several processes may pass a 200 on before the 180: that is no reason to give up.
    command += ["-default_behaviors", "all,-abortunexp"]
    command += [
        "-p",
        str(free_port()),
        "-timeout",
        f"{SECONDS:.0f}s",
        "-timeout_error",
        "-recv_timeout",
        "8000",
    ]
    command += more or ("-m", "1")
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), SECONDS + 5)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode(errors="replace")[-4000:]
