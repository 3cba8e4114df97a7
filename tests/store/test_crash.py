"""A core that is killed at any moment loses nothing that it acknowledged."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from callscreen.core.store.contract import Key
from callscreen.core.store.lmdb import LmdbStore

ROUNDS = 20
CHILD = Path(__file__).with_name("crash_child.py")


def run_and_kill(folder: Path, turn: int, seconds: float) -> tuple[int, dict[str, int]]:
    """Starts the child and kills it: the revision it found, and the revision of each write."""
    child = subprocess.Popen(
        [sys.executable, str(CHILD), str(folder), str(turn)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    with child.stdout as output:
        ready = output.readline().split()
        assert ready[:1] == [b"ready"]
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        lines = output.read().decode().splitlines()
    assert child.wait() == -signal.SIGKILL
    return int(ready[1]), {name: int(revision) for revision, name in map(str.split, lines)}


def check(store: LmdbStore, acknowledged: dict[str, int]) -> None:
    """Every acknowledged write is there whole, and the log is gapless up to the revision."""
    with store.read() as reader:
        for name in acknowledged:
            for part in ("a", "b"):
                assert reader.get(Key("pcs", "number", (name, part))) == name.encode()
            assert reader.private(name.encode()) == b"p"
            assert reader.unique(name.encode()) == b"u"
    place, log = store.oldest() - 1, {}
    while tail := store.tail(place):
        assert [revision for revision, _ in tail] == list(range(place + 1, place + len(tail) + 1))
        log.update(tail)
        place = tail[-1][0]
    assert place == store.revision
    for name, revision in acknowledged.items():
        if revision in log:
            assert log[revision] == f"{revision} {name}".encode()
    for revision, record in log.items():  # what is in the log is in the data
        name = record.decode().split()[1]
        assert store.get(Key("pcs", "number", (name, "b"))) is not None, revision


def test_twenty_kills_lose_nothing(tmp_path: Path) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    chance = random.Random(seed)
    everything: dict[str, int] = {}
    revision, name = 0, ""
    for turn in range(ROUNDS):
        found, acknowledged = run_and_kill(tmp_path, turn, chance.uniform(0.02, 0.3))
        assert found == revision
        everything |= acknowledged
        store = LmdbStore(tmp_path)
        check(store, acknowledged)
        assert store.revision >= max(acknowledged.values(), default=0)
        assert name in ("", store.id)
        revision, name = store.revision, store.id
        store.close()
    assert len(set(everything.values())) == len(everything) > ROUNDS
    store = LmdbStore(tmp_path)
    check(store, everything)
    with store.read() as reader:
        assert reader.count("pcs", "number") == 2 * store.revision
    store.close()
