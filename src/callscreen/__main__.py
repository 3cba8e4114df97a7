"""`callscreen` as a process: a signal ends it in order from its first moment on.

What the command needs is imported after that: it takes a while.
"""

import signal
import sys


def main() -> None:
    """Runs the command."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    from .cli import main as command

    command()


if __name__ == "__main__":
    main()
