"""Runs every case so many times, in order: what callgrind is put around."""

import sys

from .cases import cases

__all__ = ["main"]


def main(times: int) -> None:
    for name, case in cases().items():
        print(name, flush=True)
        case(times)


if __name__ == "__main__":
    main(int(sys.argv[1]))
