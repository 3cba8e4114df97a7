"""Stages one part of a file in a process of its own: `python -m callscreen.core.bulk.worker PID`.

A line of JSON on standard input says what; lines on standard output say how far it is, the last
one beginning with "done". It ends by itself when the core that began it, whose PID it is told, is
gone; what comes after that core finds its own files untouched.
"""

import os
import sys
import time

from .limits import NICE
from .staging import Staged, Task, stage


class Orphaned(Exception):
    """Whoever wanted this is gone."""


def main() -> None:
    parent = int(sys.argv[1])  # not who it is now: that core may have been killed already
    os.nice(NICE)
    task = Task.decode(sys.stdin.readline())

    def wanted() -> None:
        if os.getppid() != parent:
            raise Orphaned

    def progress(made: Staged) -> None:
        wanted()
        print(made.encode(), flush=True)

    try:
        wanted()
        made = stage(task, os.urandom, time.monotonic, progress)
        wanted()
    except Orphaned:
        return
    print("done " + made.encode(), flush=True)


if __name__ == "__main__":
    main()
