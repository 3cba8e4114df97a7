"""Stages one part of a file in a process of its own: `python -m callscreen.core.bulk.worker`.

A line of JSON on standard input says what; lines on standard output say how far it is, the last
one beginning with "done". It ends by itself when the core that began it is gone.
"""

import os
import sys
import time

from .limits import NICE
from .staging import Staged, Task, stage


class Orphaned(Exception):
    """Whoever wanted this is gone."""


def main() -> None:
    parent = os.getppid()
    os.nice(NICE)
    task = Task.decode(sys.stdin.readline())

    def progress(made: Staged) -> None:
        if os.getppid() != parent:
            raise Orphaned
        print(made.encode(), flush=True)

    try:
        made = stage(task, os.urandom, time.monotonic, progress)
    except Orphaned:
        return
    print("done " + made.encode(), flush=True)


if __name__ == "__main__":
    main()
