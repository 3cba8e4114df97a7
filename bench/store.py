"""What the store does on the disk that the sources are on: group commit, look-ups, scans, records.

Each figure stands beside its peer, measured in the same run: one fsync a write, or the engine with
nothing of ours around it.
"""

import asyncio
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb

from callscreen.core.committer import Committer
from callscreen.core.store.contract import Batch, Key, Put, Reader
from callscreen.core.store.lmdb import LmdbStore
from callscreen.core.store.lmdb_records import LmdbRecords
from callscreen.core.store.records import Arrived, same
from callscreen.fastpath.rows_types import BLOCK, DIGEST, PROVIDER, START

__all__ = ["filled", "grouped", "main", "opened", "single"]

VALUE = 300  # octets, about a number with a short list
WAITING = 500  # submitters at one time


@contextmanager
def opened() -> Iterator[LmdbStore]:
    """A new store below build/, on a real disk."""
    build = Path(__file__).parent.parent / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as folder:
        store = LmdbStore(Path(folder) / "objects")
        try:
            yield store
        finally:
            store.close()


def batch(number: int) -> Batch:
    """One object and its record, as a PUT makes them; keys spread over the whole tree."""
    value = os.urandom(VALUE)
    key = Key("pcs", "number", ("acme", f"{number * 7919 % 1_000_003:07}", "+15855551234"))
    return Batch([Put(key, value)], lambda revision: value)


def single(store: LmdbStore, writes: int) -> float:
    """Writes a second, each with an fsync of its own."""
    begun = time.perf_counter()
    for number in range(writes):
        store.commit(batch(number))
    return writes / (time.perf_counter() - begun)


def grouped(store: LmdbStore, writes: int) -> float:
    """Writes a second through the committer, from WAITING submitters; each awaits durability."""

    async def submitter(committer: Committer, first: int) -> None:
        for number in range(first, writes, WAITING):
            await committer.submit(lambda reader, n=number: batch(n))

    async def run() -> float:
        committer = Committer(store, lambda changes: None)
        begun = time.perf_counter()
        await asyncio.gather(*(submitter(committer, first) for first in range(WAITING)))
        seconds = time.perf_counter() - begun
        await committer.close()
        return writes / seconds

    return asyncio.run(run())


def filled(store: LmdbStore, objects: int) -> list[Key]:
    """Puts objects of one provider; their keys in order."""
    keys = [Key("pcs", "number", ("acme", f"{n:07}", "+15855551234")) for n in range(objects)]

    def member(some: list[Key]) -> Callable[[Reader], Batch]:
        return lambda reader: Batch([Put(key, b"x" * VALUE) for key in some], lambda revision: b"")

    for start in range(0, objects, 10_000):
        store.transact([member(keys[start : start + 10_000])])
    return keys


def rate(work: Callable[[], int]) -> float:
    """Things a second: the best of five runs, each of which tells how many it did."""
    best = 0.0
    for _ in range(5):
        begun = time.perf_counter()
        done = work()
        best = max(best, done / (time.perf_counter() - begun))
    return best


def reading(store: LmdbStore, objects: int) -> None:
    """Prints look-ups and scans, beside the engine's own."""
    keys = filled(store, objects)
    some = [keys[n * 7919 % objects] for n in range(20_000)]

    def gets() -> int:
        with store.read() as reader:
            return sum(reader.get(key) is not None for key in some)

    def own_gets() -> int:
        return sum(store.get(key) is not None for key in some)

    def scan() -> int:
        with store.read() as reader:
            return sum(1 for _ in reader.scan("pcs", "number"))

    def snapshot() -> int:
        return sum(len(chunk) for chunk in store.snapshot(["pcs"], ["number"]).chunks)

    bare = rate(lambda: bare_scan(store, objects))
    print(f"  get, in one read transaction       {rate(gets):12,.0f} /s")
    print(f"  get, a read transaction each       {rate(own_gets):12,.0f} /s")
    for name, work in (("scan", scan), ("snapshot", snapshot)):
        speed = rate(work)
        ratio = f"{bare / speed:.1f} times the engine's own cost"
        print(f"  {name:<9} of {objects:,} objects      {speed:12,.0f} /s   {ratio}")


def bare_scan(store: LmdbStore, objects: int) -> int:
    """The same entries through the engine's cursor, nothing decoded."""
    environment = store._environment
    table = next(table for table in environment.dbs if table.name == b"objects")
    with environment.read() as txn:
        cursor: lmdb.Cursor[bytes] = txn.cursor(environment.dbs[table])
        return sum(1 for _ in cursor)


def name(text: str) -> bytes:
    """Stands for the digest of a name."""
    return text.encode()[:DIGEST].ljust(DIGEST, b"\0")


def row(turn: int, place: int) -> bytes:
    """The row of a record in a batch, which is VALUE octets long."""
    where = (place * VALUE).to_bytes(4, "big") + VALUE.to_bytes(4, "big")
    names = name(f"provider{place % 10}") + name(f"{place * 7919 % 100_003}") + bytes(2 * DIGEST)
    identifier = (turn << 80 | place << 64).to_bytes(BLOCK, "big")[:8] + secrets.token_bytes(8)
    return identifier + bytes(8) + where + bytes(PROVIDER - START) + names


def records(batches: int, size: int) -> None:
    """Prints durable call records a second, in batches as an edge sends them."""
    build = Path(__file__).parent.parent / "build"
    with tempfile.TemporaryDirectory(dir=build) as folder:
        store = LmdbRecords(folder)
        begun = time.perf_counter()
        for turn in range(batches):
            rows = b"".join(row(turn, n) for n in range(size))
            store.append([Arrived("pcs", rows, os.urandom(VALUE * size))])
        speed = batches * size / (time.perf_counter() - begun)
        print(f"  call records in batches of {size}    {speed:12,.0f} /s")
        asked = [same(PROVIDER, name("provider3"))]
        page = rate(lambda: sum(bool(store.page("pcs", asked, limit=100)) for _ in range(100)))
        print(f"  pages of the newest 100            {page:12,.0f} /s")
        store.close()


def main() -> None:
    """Prints every figure."""
    with opened() as store:
        alone = single(store, 3_000)
        print(f"  one fsync a write                  {alone:12,.0f} /s")
    with opened() as store:
        together = grouped(store, 60_000)
        print(f"  group commit, {WAITING} submitters       {together:12,.0f} /s")
        print(f"  ratio                              {together / alone:12.1f}")
    with opened() as store:
        reading(store, 200_000)
    records(50, 1_000)


if __name__ == "__main__":
    main()
