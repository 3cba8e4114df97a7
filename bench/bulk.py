"""Import and export of numbers with lists as jobs of a core, beside the engine alone.

The import is measured from the first octet sent to the job's end: sending, checking, writing with
indexes, audit rows and change log, and the core's own screening index. Its peer puts the same
octets, table by table, into an empty environment, committed in as many groups. The export's peer
is a scan of the same objects.

`python -m bench bulk 100000` takes another number of rows than a million.
"""

import contextlib
import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import lmdb

from callscreen.core.store.tables import COLUMN_VALUES, LOG, OBJECTS, UNIQUE_VALUES, encode_parts
from callscreen.loading import Loading, dump_file, load_file
from callscreen.v1.jobs_pb2 import DONE, Job
from callscreen.v1.provisioning_pb2 import TableQuery

__all__ = ["main"]

ROWS = 1_000_000
EACH = 10  # numbers of a subscriber
ENTRIES = 4  # of each of a number's two lists
TABLES = (OBJECTS, UNIQUE_VALUES, COLUMN_VALUES)
MAP_BYTES = 64 << 30
NUMBERS = encode_parts(("pcs", "number"))


class Done(NamedTuple):
    """A job, and the seconds that it took: to the last row read, and to its end."""

    job: Job
    read: float
    whole: float


@contextlib.contextmanager
def core(data: Path) -> Iterator[tuple[tuple[str, str], int]]:
    """A core in a process of its own: where it answers with its token, and its process id."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "callscreen.cli", "core", "--data", str(data)),
            *("--grpc", "127.0.0.1:0", "--log-level", "warning"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "CALLSCREEN_ADMIN_PASSWORD": "only for this run"},
    )
    assert process.stdout is not None
    try:
        ready = next(line for line in process.stdout if line.startswith("ready "))
        token = (data / "service.token").read_text().strip()
        yield (ready.partition("grpc=")[2].split()[0], token), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        process.stdout.close()


def processor_seconds(pid: int) -> tuple[float, float]:
    """What a process has had of the processors, and what those that it waited for have had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own, others = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
    return own / os.sysconf("SC_CLK_TCK"), others / os.sysconf("SC_CLK_TCK")


def write_numbers(path: Path, rows: int) -> None:
    """Numbers in order, each with two lists."""
    chance = random.Random(7)
    with path.open("w") as file:
        file.write("number,subscriber_name,service_provider_name,nickname,whitelist,blacklist\n")
        for n in range(rows):
            lists = [
                ";".join(f"+1{chance.randrange(10**10):010}" for _ in range(ENTRIES))
                for _ in range(2)
            ]
            owner = f"s{n // EACH:07},acme"
            file.write(f"+1{2_000_000_000 + n},{owner},number {n},{lists[0]},{lists[1]}\n")


def loaded(path: Path, type_name: str, where: tuple[str, str]) -> Done:
    """Loads a file."""
    begun = time.perf_counter()
    read: list[float] = []

    def progress(job: Job, part: float) -> None:
        if job.rows_total and not read:
            read.append(time.perf_counter() - begun)

    job, _ = load_file(path, Loading("pcs", type_name), *where, progress)
    whole = time.perf_counter() - begun
    assert job.state == DONE, job
    return Done(job, read[0] if read else whole, whole)


def dumped(where: tuple[str, str]) -> float:
    """Seconds to dump every number."""
    begun = time.perf_counter()
    dump_file("pcs/number", TableQuery(), Nowhere(), *where, lambda job, part: None)
    return time.perf_counter() - begun


class Nowhere(io.BytesIO):
    """Takes a file and keeps nothing of it."""

    def write(self, data: object) -> int:
        return len(data)  # type: ignore[arg-type]


def bare_puts(source: Path, folder: Path, rows: int) -> tuple[float, int]:
    """Seconds to put what the core has put, and in how many groups."""
    with opened(source, readonly=True) as old, opened(folder) as new:
        dbs = {
            table: (old.open_db(table.name, create=False), new.open_db(table.name))
            for table in (*TABLES, LOG)
        }
        with old.begin() as reading:
            log = [
                value
                for _, value in reading.cursor(dbs[LOG][0])
                if value.count(b"pcs/number/") > 10
            ]
            cursors = [iter(reading.cursor(dbs[table][0])) for table in TABLES]
            seconds = 0.0
            size = -(-rows // len(log))
            for number, record in enumerate(log):
                some = [
                    [pair for pair, _ in zip(each, range(size), strict=False)] for each in cursors
                ]
                begun = time.perf_counter()
                with new.begin(write=True) as txn:
                    for table, entries in zip(TABLES, some, strict=True):
                        db = dbs[table][1]
                        for key, value in entries:
                            txn.put(key, value, db=db)
                    txn.put(number.to_bytes(8, "big"), record, append=True, db=dbs[LOG][1])
                seconds += time.perf_counter() - begun
    return seconds, len(log)


def bare_scan(source: Path) -> float:
    """Seconds to read every number."""
    with opened(source, readonly=True) as env:
        db = env.open_db(OBJECTS.name, create=False)
        begun = time.perf_counter()
        with env.begin() as txn:
            cursor = txn.cursor(db)
            cursor.set_range(NUMBERS)
            for key, _ in cursor:
                if not key.startswith(NUMBERS):
                    break
        return time.perf_counter() - begun


@contextlib.contextmanager
def opened(path: Path, readonly: bool = False) -> Iterator[lmdb.Environment]:
    env = lmdb.open(str(path), map_size=MAP_BYTES, max_dbs=16, readonly=readonly, lib_version=0)
    try:
        yield env
    finally:
        env.close()


def main() -> None:
    """Prints every figure."""
    rows = next((int(word) for word in sys.argv[1:] if word.isdecimal()), ROWS)
    build = Path(__file__).parent.parent / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as name:
        folder = Path(name)
        data, numbers, others = folder / "data", folder / "numbers.csv", folder / "others.csv"
        write_numbers(numbers, rows)
        with core(data) as (where, pid):
            others.write_text("name\nacme\n")
            loaded(others, "service_provider", where)
            owners = "".join(f"s{n:07},acme\n" for n in range(-(-rows // EACH)))
            others.write_text("name,service_provider_name\n" + owners)
            loaded(others, "subscriber", where)
            before = processor_seconds(pid)
            done = loaded(numbers, "number", where)
            used = [b - a for a, b in zip(before, processor_seconds(pid), strict=True)]
            out = dumped(where)
        bare, groups = bare_puts(data / "objects", folder / "bare", rows)
        scan = bare_scan(data / "objects")
    writing = rows / (done.whole - done.read)
    print(f"  import of {rows:,} numbers          {rows / done.whole:10,.0f} /s")
    print(f"    sent and read                     {rows / done.read:10,.0f} /s")
    print(f"    written, in {groups:,} groups          {writing:10,.0f} /s")
    print(
        f"    processor time: core {used[0] / rows * 1e6:.1f}, its readers "
        f"{used[1] / rows * 1e6:.1f} microseconds a row"
    )
    print(f"  bare puts of the same octets        {rows / bare:10,.0f} /s")
    print(f"  import / bare                       {bare / done.whole:10.2f}")
    print(f"  written / bare                      {bare / (done.whole - done.read):10.2f}")
    print(f"  export, to the client               {rows / out:10,.0f} /s")
    print(f"  bare scan                           {rows / scan:10,.0f} /s")
    print(f"  export / scan                       {scan / out:10.3f}")


if __name__ == "__main__":
    main()
