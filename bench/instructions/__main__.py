"""Instructions a call, counted by callgrind, beside those kept: `python -m bench.instructions`.

`--keep` keeps what was counted. The result is 1 where a case rose by more than TOLERANCE.
"""

import os
import platform
import re
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from .figures import TOLERANCE, compared, keep, kept

__all__ = ["main"]

TIMES = 200  # of each case: every time alike, so that few are enough
COUNTED = "callscreen_counted"  # of fastpath/repeat.pyx


def counted() -> dict[str, float]:
    """Instructions a call by case. Raises RuntimeError where a count is missing."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            "valgrind",
            "--tool=callgrind",
            "--collect-atstart=no",
            f"--toggle-collect={COUNTED}",
            f"--dump-after={COUNTED}",
            f"--callgrind-out-file={folder}/out",
            *(sys.executable, "-m", "bench.instructions.run", str(TIMES)),
        ]
        # A hash seed of its own would lead to another layout of memory each time.
        around = {**os.environ, "PYTHONHASHSEED": "0"}
        done = subprocess.run(command, capture_output=True, text=True, env=around)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        names = done.stdout.splitlines()
        parts = {int(path.suffix[1:]): path for path in Path(folder).glob("out.*")}
        if len(parts) < len(names):
            raise RuntimeError(f"{len(names)} cases, {len(parts)} counts")
        return {name: total(parts[place + 1]) / TIMES for place, name in enumerate(names)}


def total(part: Path) -> int:
    found = re.search(r"^totals: (\d+)", part.read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError("a count without its total")
    return int(found[1])


def made() -> str:
    """What a count depends on besides the code: compiler, C library and processor family."""
    compiler = sysconfig.get_config_var("CC").split()[0]
    version = subprocess.run(
        [compiler, "-dumpfullversion"], capture_output=True, text=True, check=False
    ).stdout.strip()
    wide = "avx2" if "avx2" in Path("/proc/cpuinfo").read_text() else "no avx2"
    return f"{compiler} {version}, {' '.join(platform.libc_ver())}, {platform.machine()}, {wide}"


def main() -> None:
    here, before = made(), kept()
    now = counted()
    lines, risen = compared(now, before["instructions"])
    print(*lines, sep="\n")
    if "--keep" in sys.argv:
        keep(here, now)
        return
    if before.get("made") not in (None, here):
        print(f"  the figures kept were made with {before['made']}; here it is {here}")
    if risen:
        print(f"  risen by more than {TOLERANCE:.0%}: {', '.join(risen)}")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
