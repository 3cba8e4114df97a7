"""Commits from several tasks through one committer with an audit log, and prints what was
acknowledged.

Usage: audit_child.py FOLDER ROUND. A line an acknowledged write: its row. Runs until it is killed.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from callscreen.core.audit.files import PREFIX, AuditFiles
from callscreen.core.committer import Committer
from callscreen.core.store.contract import Batch, Key, Put
from callscreen.core.store.lmdb import LmdbStore

WRITERS = 12
MAP_BYTES = 1 << 18  # so that the map grows in the middle of a group


def days(product: str) -> int:
    return 1


def open_store(folder: Path) -> tuple[LmdbStore, AuditFiles]:
    """The store and its audit log, recovered."""
    store = LmdbStore(folder / "objects", map_bytes=MAP_BYTES)
    with store.read() as reader:
        entries = list(reader.scan_private(PREFIX))
    return store, AuditFiles(folder / "audit", entries, days, time.time)


def batch(name: str) -> Batch:
    return Batch(
        [Put(Key("pcs", "number", (name,)), name.encode() * 40)],
        lambda revision: b"",
        rows=lambda: {"pcs": f"{name}\n".encode()},
    )


async def write(committer: Committer, name: str) -> None:
    number = 0
    while True:
        number += 1
        row = f"{name}/{number}"
        await committer.submit(lambda reader, r=row: batch(r))
        os.write(1, f"{row}\n".encode())  # one call: a line is whole or not there


async def main(folder: str, turn: str) -> None:
    store, audit = open_store(Path(folder))
    committer = Committer(store, lambda changes: None, audit=audit)
    os.write(1, b"ready\n")
    await asyncio.gather(*(write(committer, f"{turn}-{n}") for n in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
