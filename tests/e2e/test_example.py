"""`make run ONCE=1`: the first thing that a newcomer sees."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_it_provisions_places_four_calls_and_ends(tmp_path: Path) -> None:
    free = {f"CALLSCREEN_{name}": "127.0.0.1:0" for name in ("HTTP", "GRPC", "SIP")}
    done = subprocess.run(
        [sys.executable, "deploy/example.py", "--once", "--data", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env={**os.environ, **free},
    )
    assert done.returncode == 0, done.stderr
    answers = [line for line in done.stdout.splitlines() if line.startswith("  SIP/2.0")]
    assert [answer.split()[1] for answer in answers] == ["302", "603", "603", "302"]
    assert "vm.example.net" in answers[3]
    reasons = [line.strip().split(",")[0] for line in done.stdout.splitlines() if "because" in line]
    assert reasons == ["continue", "terminate", "terminate", "voicemail"]
