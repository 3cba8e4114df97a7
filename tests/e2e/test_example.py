"""`make run ONCE=1`: the first thing that a newcomer sees."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FREE = {f"CALLSCREEN_{name}": "127.0.0.1:0" for name in ("HTTP", "GRPC", "SIP")}


def test_it_provisions_places_four_calls_and_ends(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "deploy/example.py", "--once", "--data", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env={**os.environ, **FREE},
    )
    assert done.returncode == 0, done.stderr
    answers = [line for line in done.stdout.splitlines() if line.startswith("  SIP/2.0")]
    assert [answer.split()[1] for answer in answers] == ["302", "603", "603", "302"]
    assert "vm.example.net" in answers[3]
    reasons = [line.strip().split(",")[0] for line in done.stdout.splitlines() if "because" in line]
    assert reasons == ["continue", "terminate", "terminate", "voicemail"]


def test_it_goes_on_serving_and_leaves_nothing_when_it_is_ended(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "deploy/example.py", "--data", str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **FREE},
    )
    assert process.stdout is not None
    with process.stdout:
        addresses = next(line for line in process.stdout if line.startswith("ready "))
        assert any(line.startswith("serving;") for line in process.stdout)
        process.terminate()
        process.wait(20)
    host, _, port = addresses.split()[1].removeprefix("http=").rpartition(":")
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port))) == errno.ECONNREFUSED
