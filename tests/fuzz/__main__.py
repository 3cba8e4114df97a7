"""Fuzzes what reads octets of others: builds the targets, runs them, and says what was found.

    python -m tests.fuzz [seconds] [--only TARGET] [--keep]

The seconds are shared among the targets. What is found new is kept in build/fuzz/corpus, what
breaks a promise in build/fuzz/found; with `--keep` the corpora are made small and put into
tests/fuzz/corpus, where test_corpus.py runs them.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from . import building, seeds

HERE = Path(__file__).resolve().parent
OUT = building.ROOT / "build" / "fuzz"
VECTORS = Path(os.environ.get("CALLSCREEN_VECTORS", building.ROOT.parent / "shared" / "vectors"))
RUN = 14  # octets in a row that an input has of another only where it was made of it


class Target(NamedTuple):
    """Something to fuzz; `longest` and `kept` are octets of an input, and of one in the tree."""

    name: str
    longest: int
    kept: int
    dictionary: bool  # of SIP
    seeds: Callable[[Path], None]
    guided: bool = False  # written in Python, for guided.py
    module: str = ""  # where it is not called as the target

    @property
    def environment(self) -> dict[str, str]:
        """Datagrams have a target of their own, the others a module."""
        if self.name == "datagrams":
            return {"CALLSCREEN_FUZZ": "target"}
        # Each block of Python's is one of malloc then: the sanitizer sees where it ends.
        return {
            "CALLSCREEN_FUZZ": "shell",
            "CALLSCREEN_FUZZ_MODULE": f"tests.fuzz.{self.module or self.name}",
            "PYTHONMALLOC": "malloc",
        }


def fuzz(target: Target, *arguments: object) -> int:
    """Runs a target with libFuzzer's arguments; its exit status."""
    packages = sysconfig.get_path("purelib")
    path = os.pathsep.join([str(OUT / "site"), str(building.ROOT), packages])
    environment = {
        **os.environ,
        **target.environment,
        "PYTHONPATH": path,
        "PYTHONHOME": sys.base_prefix,
    }
    command: list[object] = [OUT / "fuzz", *arguments]
    if target.guided:
        command = [sys.executable, "-m", "tests.fuzz.guided", target.name, *arguments]
        environment = {**os.environ}
    texts = [str(each) for each in command]
    return subprocess.run(texts, env=environment, cwd=building.ROOT).returncode


def keep(target: Target) -> None:
    """Puts the smallest set of inputs that covers what all cover into the tree."""
    for old in (HERE / "corpus" / target.name).glob("*"):
        old.unlink()
    (HERE / "corpus" / target.name).mkdir(exist_ok=True)
    fuzz(
        target,
        "-merge=1",
        "-use_counters=0",
        f"-max_len={target.kept}",
        HERE / "corpus" / target.name,
        OUT / "corpus" / target.name,
        OUT / "seeds" / target.name,
    )


def runs(messages: list[bytes]) -> set[bytes]:
    """Every RUN octets in a row of them."""
    return {each[at : at + RUN] for each in messages for at in range(len(each) - RUN + 1)}


def drop_others() -> None:
    """Messages made by others, and what was made of them, are not kept in the tree."""
    foreign = runs(others()) - runs(seeds.requests())
    for path in (HERE / "corpus").glob("*/*"):
        if runs([path.read_bytes()]) & foreign:
            path.unlink()


def others() -> list[bytes]:
    return [path.read_bytes() for path in sorted(VECTORS.glob("rfc4475/*.dat"))]


def write_images(folder: Path) -> None:
    from . import images

    write_seeds(folder, images.seeds())


def write_proxied(folder: Path) -> None:
    from . import proxied

    write_seeds(folder, proxied.seeds() + [b"\0" + each for each in others()])


def write_identities(folder: Path) -> None:
    from . import identities

    write_seeds(folder, identities.seeds())


def write_seeds(folder: Path, inputs: list[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, octets in enumerate(inputs):
        (folder / f"{number:03}").write_bytes(octets)


TARGETS = [
    Target("datagrams", 8192, 1500, True, lambda folder: seeds.write(folder, others())),
    Target("proxied", 4096, 1500, True, write_proxied),
    Target("images", 16384, 4096, False, write_images),
    Target("identities", 4096, 2048, False, write_identities, guided=True),
    Target("tokens", 4096, 2048, False, write_identities, module="identities"),
]


def run(target: Target, seconds: int) -> int:
    """Fuzzes a target for so many seconds."""
    target.seeds(OUT / "seeds" / target.name)
    for folder in (OUT / "corpus" / target.name, OUT / "found", HERE / "corpus" / target.name):
        folder.mkdir(parents=True, exist_ok=True)
    print(f"{target.name}: {seconds} s", flush=True)
    return fuzz(
        target,
        f"-max_total_time={seconds}",
        f"-max_len={target.longest}",
        *([f"-dict={HERE / 'sip.dict'}"] if target.dictionary else []),
        f"-artifact_prefix={OUT / 'found'}/{target.name}-",
        "-timeout=5",
        "-rss_limit_mb=4096",
        "-print_final_stats=1",
        OUT / "corpus" / target.name,
        HERE / "corpus" / target.name,
        OUT / "seeds" / target.name,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("seconds", type=int, nargs="?", default=600)
    parser.add_argument("--only", choices=[each.name for each in TARGETS], help="of the targets")
    parser.add_argument("--keep", action="store_true", help="put the corpora into the tree")
    options = parser.parse_args()
    chosen = [each for each in TARGETS if options.only in (None, each.name)]
    lacking = building.missing()
    if lacking:
        print(f"missing: {' '.join(lacking)}; apt-get install {' '.join(lacking)}")
        return 2
    if find_spec("atheris") is None and any(each.guided for each in chosen):
        print("missing: atheris; pip install -e '.[fuzz]'")
        return 2
    if not all(each.guided for each in chosen):
        building.build(OUT)
    status = 0
    for target in chosen:
        status = run(target, options.seconds // len(chosen)) or status
        if status == 0 and options.keep:
            keep(target)
    if options.keep:
        drop_others()
    return status


if __name__ == "__main__":
    sys.exit(main())
