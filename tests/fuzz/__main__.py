"""Fuzzes the fast path: builds the target, runs it, and says what was found.

    python -m tests.fuzz [seconds]

What is found new is kept in build/fuzz/corpus, what breaks a promise in build/fuzz/found; with
`--keep` the corpus is made small and put into tests/fuzz/corpus, where test_corpus.py runs it.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from . import building, seeds

HERE = Path(__file__).resolve().parent
OUT = building.ROOT / "build" / "fuzz"
VECTORS = Path(os.environ.get("CALLSCREEN_VECTORS", building.ROOT.parent / "shared" / "vectors"))
KEPT_OCTETS = 1500  # an input that is kept is no longer than this
MESSAGE_MOST = 8192  # octets of an input
RUN = 14  # octets in a row that an input has of another only where it was made of it


def fuzz(*arguments: object) -> int:
    """Runs the target with libFuzzer's arguments; its exit status."""
    path = os.pathsep.join([str(OUT / "site"), str(building.ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHOME": sys.base_prefix}
    command = [str(each) for each in (OUT / "fuzz", *arguments)]
    return subprocess.run(command, env=environment, cwd=OUT).returncode


def keep() -> None:
    """Puts the smallest set of inputs that covers what all cover into the tree."""
    for old in (HERE / "corpus").glob("*"):
        old.unlink()
    fuzz(
        "-merge=1",
        "-use_counters=0",
        f"-max_len={KEPT_OCTETS}",
        HERE / "corpus",
        OUT / "corpus",
        OUT / "seeds",
    )


def runs(messages: list[bytes]) -> set[bytes]:
    """Every RUN octets in a row of them."""
    return {each[at : at + RUN] for each in messages for at in range(len(each) - RUN + 1)}


def drop_others() -> None:
    """Messages made by others, and what was made of them, are not kept in the tree."""
    foreign = runs(others()) - runs(seeds.requests())
    for path in (HERE / "corpus").glob("*"):
        if runs([path.read_bytes()]) & foreign:
            path.unlink()


def others() -> list[bytes]:
    return [path.read_bytes() for path in sorted(VECTORS.glob("rfc4475/*.dat"))]


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("seconds", type=int, nargs="?", default=600)
    parser.add_argument("--keep", action="store_true", help="put the corpus into the tree")
    options = parser.parse_args()
    lacking = building.missing()
    if lacking:
        print(f"missing: {' '.join(lacking)}; apt-get install {' '.join(lacking)}")
        return 2
    building.build(OUT)
    seeds.write(OUT / "seeds", others())
    for name in ("corpus", "found"):
        (OUT / name).mkdir(exist_ok=True)
    status = fuzz(
        f"-max_total_time={options.seconds}",
        f"-max_len={MESSAGE_MOST}",
        f"-dict={HERE / 'sip.dict'}",
        f"-artifact_prefix={OUT / 'found'}/",
        "-timeout=5",
        "-rss_limit_mb=4096",
        "-print_final_stats=1",
        OUT / "corpus",
        HERE / "corpus",
        OUT / "seeds",
    )
    if status == 0 and options.keep:
        keep()
        drop_others()
    return status


if __name__ == "__main__":
    sys.exit(main())
