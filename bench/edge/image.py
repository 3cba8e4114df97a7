"""Writes the replica of the workload to a file: `python -m bench.edge.image FILE [--count N]`."""

import argparse

from callscreen.v1.replication_pb2 import ResumeToken

from .workload import COUNT, provisioned

__all__ = ["main"]


def main() -> None:
    reader = argparse.ArgumentParser()
    reader.add_argument("file")
    reader.add_argument("--count", type=int, default=COUNT, help="of each kind of data")
    given = reader.parse_args()
    with open(given.file, "wb") as file:
        token = ResumeToken(store_id="bench", epoch=1, revision=1)
        provisioned(given.count).saver(token)(file.fileno())


if __name__ == "__main__":
    main()
