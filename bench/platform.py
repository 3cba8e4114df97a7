"""The whole platform in real processes, for measurements that go through all of it."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Addresses", "served"]


@dataclass(frozen=True)
class Addresses:
    """Where the parts answer, and what logs in to them."""

    http: str
    grpc: str
    sip: str
    password: str
    token: str  # of internal services


@contextlib.contextmanager
def served(folder: Path | None = None) -> Iterator[Addresses]:
    """`callscreen serve` on an empty folder of the disk that the sources are on."""
    build = Path(__file__).parent.parent / "build"
    build.mkdir(exist_ok=True)
    password = secrets.token_urlsafe(12)
    with tempfile.TemporaryDirectory(dir=folder or build) as data:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "callscreen.cli", "serve", "--data", data),
                *("--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--sip", "127.0.0.1:0"),
                *("--log-level", "warning"),
            ],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "CALLSCREEN_ADMIN_PASSWORD": password},
        )
        assert process.stdout is not None
        try:
            ready = next(line for line in process.stdout if line.startswith("ready "))
            where = dict(part.split("=", 1) for part in ready.split()[1:])
            token = (Path(data) / "service.token").read_text().strip()
            yield Addresses(where["http"], where["grpc"], where["sip"], password, token)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
