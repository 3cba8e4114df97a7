"""A core that is killed at any moment has a row for each change, and for nothing else."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from .audit_child import open_store

ROUNDS = 10
CHILD = Path(__file__).with_name("audit_child.py")


def run_and_kill(folder: Path, turn: int, seconds: float) -> set[str]:
    """Starts the child and kills it: the rows that it acknowledged."""
    child = subprocess.Popen(
        [sys.executable, str(CHILD), str(folder), str(turn)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    with child.stdout as output:
        assert output.readline() == b"ready\n"
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        acknowledged = set(output.read().decode().split())
    assert child.wait() == -signal.SIGKILL
    return acknowledged


def test_ten_kills_leave_a_row_a_change(tmp_path: Path) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    chance = random.Random(seed)
    acknowledged: set[str] = set()
    cut = 0
    for turn in range(ROUNDS):
        acknowledged |= run_and_kill(tmp_path, turn, chance.uniform(0.02, 0.3))
        before = read(tmp_path)
        store, audit = open_store(tmp_path)
        rows = read(tmp_path)
        cut += before != rows
        with store.read() as reader:
            changes = [key.path[0] for key, _ in reader.scan("pcs", "number")]
        audit.close()
        store.close()
        assert len(rows) == len(set(rows))
        assert sorted(rows) == sorted(changes)
        assert acknowledged <= set(rows)
    print(f"{len(rows)} rows, cut {cut} times")
    assert len(rows) > ROUNDS


def read(folder: Path) -> list[str]:
    return [
        line
        for path in sorted((folder / "audit" / "pcs").glob("*.log"))
        for line in path.read_text().split("\n")[:-1]
    ]
