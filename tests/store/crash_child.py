"""Commits from several threads through one committer, and prints what was acknowledged.

Usage: crash_child.py FOLDER ROUND. A line an acknowledged write: `<revision> <thread> <number>`.
Runs until it is killed.
"""

import asyncio
import os
import sys
import threading

from callscreen.core.committer import Committer
from callscreen.core.store.contract import Batch, IndexPut, Key, PrivatePut, Put
from callscreen.core.store.lmdb import LmdbStore

THREADS = 3
WRITERS = 4  # in each thread
LOG_RECORDS = 5_000  # so that pruning is under way when the process dies


def batch(name: str) -> Batch:
    writes = [Put(Key("pcs", "number", (name, part)), name.encode()) for part in ("a", "b")]
    private, index = [PrivatePut(name.encode(), b"p")], [IndexPut("unique", name.encode(), b"u")]
    return Batch(writes, lambda revision: f"{revision} {name}".encode(), private, index)


async def write(committer: Committer, name: str) -> None:
    number = 0
    while True:
        number += 1
        key = f"{name}/{number}"
        revision = await committer.submit(lambda reader, k=key: batch(k))
        os.write(1, f"{revision} {key}\n".encode())  # one call: a line is whole or not there


def main(folder: str, turn: str) -> None:
    store = LmdbStore(folder, map_bytes=1 << 20, log_records=LOG_RECORDS)
    committer = Committer(store, lambda changes: None)
    os.write(1, f"ready {store.revision}\n".encode())

    async def writers(thread: int) -> None:
        names = [f"{turn}-{thread}-{writer}" for writer in range(WRITERS)]
        await asyncio.gather(*(write(committer, name) for name in names))

    for thread in range(THREADS):
        threading.Thread(target=lambda t=thread: asyncio.run(writers(t)), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
