"""Waiting for a moment in which nobody else uses the machine: other figures are worth little."""

import time
from pathlib import Path

__all__ = ["wait_until_quiet"]

IDLE_SHARE = 0.95  # of all cores
LOOK_SECONDS = 0.3


def idle_and_all() -> tuple[int, int]:
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return ticks[3], sum(ticks)


def wait_until_quiet(seconds: float) -> bool:
    """Whether the machine was idle for a moment within so many seconds; at once for none."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        idle, every = idle_and_all()
        time.sleep(LOOK_SECONDS)
        idle_now, every_now = idle_and_all()
        if idle_now - idle >= IDLE_SHARE * (every_now - every):
            return True
    return not seconds
