"""The whole platform as its users meet it: real processes, sockets and disk."""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "correct horse battery"
SECONDS = 30.0

INVITE = (
    "INVITE sip:{called}@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP {here};branch=z9hG4bK{id};rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:{calling}@example.net>;tag={id}\r\n"
    "To: <sip:{called}@example.net>\r\n"
    "Call-ID: {id}\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:{here}>\r\n"
    "Content-Length: 0\r\n\r\n"
)


@dataclass
class Platform:
    """`callscreen serve` on a data folder, and ways to talk to it."""

    data: Path
    process: "subprocess.Popen[str]"
    http: str = ""
    grpc: str = ""
    sip: str = ""
    lines: list[str] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    reader: threading.Thread = field(default_factory=threading.Thread)

    @property
    def service_token(self) -> str:
        return (self.data / "service.token").read_text().strip()

    def rest(
        self, method: str, path: str, body: Any = None, product: str = "pcs"
    ) -> dict[str, Any]:
        if product not in self.tokens and path != "authenticate":
            login = {"username": f"{product}_administrator", "password": PASSWORD}
            answer = self.rest("POST", "authenticate", login, product)
            self.tokens[product] = answer["data"][0]["token"]
        request = urllib.request.Request(
            f"http://{self.http}/{product}/api/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Basic {self.tokens.get(product, '')}"},
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            answer = json.load(response)
        assert isinstance(answer, dict)
        return answer

    def ok(self, method: str, path: str, body: Any = None, product: str = "pcs") -> list[Any]:
        answer = self.rest(method, path, body, product)
        assert answer["meta"]["code"] == 200, answer
        data = answer["data"]
        assert isinstance(data, list)
        return data

    def call(self, calling: str, called: str) -> str:
        """One INVITE: the status line of its answer."""
        return invite(self.sip, calling, called)[0]

    def children(self) -> list[int]:
        """Process ids of the tree below `serve`."""
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]

    def child(self, part: str) -> int:
        """The process id of one part."""
        for pid in self.children():
            with contextlib.suppress(FileNotFoundError):  # it has ended since
                if part.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                    return pid
        raise AssertionError(f"no {part} runs")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


def invite(sip: str, calling: str, called: str, timeout: float = 5.0) -> list[str]:
    """The lines of the answer to one INVITE."""
    host, _, port = sip.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(timeout)
        here = "{}:{}".format(*udp.getsockname())
        text = INVITE.format(called=called, calling=calling, here=here, id=secrets.token_hex(8))
        udp.sendto(text.encode(), (host, int(port)))
        return udp.recv(65535).decode().split("\r\n")


def start(data: Path, *options: str, log: int | None = None) -> Platform:
    """`log` is the file that takes standard error; None: our own."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "callscreen.cli", "serve", "--data", str(data)),
            *("--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--sip", "127.0.0.1:0"),
            *options,
        ],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env={**os.environ, "CALLSCREEN_ADMIN_PASSWORD": PASSWORD},
    )
    platform = Platform(data, process)
    assert process.stdout is not None
    for line in process.stdout:
        platform.lines.append(line.rstrip("\n"))
        if line.startswith("ready "):
            for part in line.split()[1:]:
                key, _, address = part.partition("=")
                setattr(platform, key, address)
            break
    else:
        process.stdout.close()
        raise AssertionError(f"serve ended with {process.wait()}: {platform.lines}")
    platform.reader = threading.Thread(target=process.stdout.read, daemon=True)
    platform.reader.start()
    return platform


@contextlib.contextmanager
def running(data: Path, *options: str, log: int | None = None) -> Iterator[Platform]:
    platform = start(data, *options, log=log)
    try:
        yield platform
    finally:
        if platform.process.poll() is None:
            platform.process.send_signal(signal.SIGTERM)
            try:
                platform.process.wait(10)
            except subprocess.TimeoutExpired:
                platform.process.kill()
                platform.process.wait()
        platform.reader.join()
        assert platform.process.stdout is not None
        platform.process.stdout.close()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running(tmp_path_factory.mktemp("platform") / "data") as found:
        yield found


def eventually(check: Any, seconds: float = SECONDS) -> Any:
    """The first true value of `check`, asked for again and again."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def callscreen(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "callscreen.cli", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )
