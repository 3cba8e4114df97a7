"""An edge that starts again from its replica on disk with the core gone; target: 5 s at 10 million.

The image is made here as the index writes it: numbers in the order of their hashes, a subscriber a
number, five list entries each, a global list of a million, and ten thousand origination sources.
"""

import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from callscreen.edge.local import Local
from callscreen.edge.memory import resident
from callscreen.edge.view import ScreeningView
from callscreen.fastpath.blocks import checksum
from callscreen.fastpath.blocks_reference import HEAD, MAGIC
from callscreen.v1.object_pb2 import Object

__all__ = ["main"]

NUMBERS = 10_000_000
GLOBAL = 1_000_000  # entries of one provider's list
SOURCES = 10_000  # of 4 masks and 2 prefixes each
FIRST, LAST = 2_000_000_000, 9_999_999_900  # national numbers
STEP = 7
BLOCK = 1 << 20  # octets
ODD, ALL = 0x9E3779B97F4A7C15, (1 << 64) - 1
KIND = {"head": 1, "counts": 2, "provider": 3, "subscriber": 4, "number": 5, "object": 6, "end": 7}


def packed(national: int) -> int:
    """+1 and ten digits as the index holds them."""
    return int(f"1{national:010}", 16) << 20 | 11


def octets(content: bytes) -> bytes:
    return struct.pack("<Q", len(content)) + content + bytes(-len(content) % 8)


def lists(first: list[int], second: list[int]) -> bytes:
    count = len(first) + len(second)
    return struct.pack(f"<{2 + count}Q", len(first) | len(second) << 32, 0, *first, *second)


def subscribers(count: int, world: random.Random) -> Iterator[bytes]:
    head = struct.Struct("<QQQ16sQQQQ")
    for row in range(1, count + 1):
        name = b"subscriber%06d" % (row % 1_000_000) if row < 1_000_000 else b"sub%013d" % row
        own = world.randrange(FIRST, LAST)
        entries = packed(own), packed(own + 1)
        yield head.pack(row | 1 << 32, 1 | 16 << 32, 1 << 32, name, 2 << 32, 0, *entries)


def numbers(count: int, world: random.Random) -> Iterator[bytes]:
    order = sorted(
        (packed(FIRST + STEP * i) * ODD & ALL, packed(FIRST + STEP * i), i + 1)
        for i in range(count)
    )
    record = struct.Struct("<QQQQQQQ")
    for _, number, row in order:
        own = world.randrange(FIRST, LAST)
        entries = packed(own), packed(own + 1), packed(own + 10)
        yield record.pack(number, row | 1 << 32 | 1 << 40, 2 | 1 << 32, 0, *entries)


def sources() -> Iterator[bytes]:
    for i in range(SOURCES):
        made = Object(name=f"pcs/origination_source/acme/s{i}")
        source = made.origination_source
        source.service_provider_name, source.name = "acme", f"s{i}"
        source.orig_id, source.attest, source.cert_name = f"id{i}", "A", "certificate"
        source.source_ip.extend([f"10.{i >> 8}.{i & 255}.0/24", f"2001:db8:{i:x}::/48"])
        group = source.source_numbers.add(orig_id_n="one", attest_n="B", priority=1)
        group.numbers_n.extend(f"+1{2000 + i % 8000}{k}xxxxx" for k in range(4))
        yield octets(made.SerializeToString())


def plan() -> bytes:
    made = Object(name="pcs/screening_rule/acme")
    made.screening_rule.service_provider_name = "acme"
    rule = made.screening_rule.blacklist
    rule.personal, rule.priority, rule.match, rule.no_match = True, 1, "terminate", "next"
    setattr(rule, "global", True)
    return octets(made.SerializeToString())


def write(path: Path, count: int) -> None:
    """The image of an index with that many numbers."""
    world = random.Random(1)
    said = {"store": "bench", "epoch": 1, "revision": 1, "digests": []}
    everyone = [packed(world.randrange(FIRST, LAST)) for _ in range(GLOBAL)]
    acme = struct.pack("<QQ8s", 1 | 1 << 32, 4 | 1 << 32, b"acme") + lists([], everyone)
    kinds: list[tuple[str, Iterable[bytes]]] = [
        ("head", [octets(json.dumps(said).encode())]),
        ("counts", [struct.pack("<5Q", count, 0, count, 2, count + 1)]),
        ("provider", [acme]),
        ("subscriber", subscribers(count, world)),
        ("number", numbers(count, world)),
        ("object", [plan(), *sources()]),
    ]
    place = 0
    with path.open("wb") as file:

        def put(kind: str, payload: bytes) -> None:
            nonlocal place
            found = checksum(payload, KIND[kind], place)
            file.write(HEAD.pack(MAGIC | KIND[kind] << 32, place, len(payload), found))
            file.write(payload)
            place += 1

        for kind, records in kinds:
            parts: list[bytes] = []
            size = 0
            for record in records:
                if parts and size + len(record) > BLOCK:
                    put(kind, b"".join(parts))
                    parts, size = [], 0
                parts.append(record)
                size += len(record)
            put(kind, b"".join(parts))
        put("end", struct.pack("<QQ", place, 1))


def child(folder: Path) -> None:
    """A process that starts: what it takes until it has decided on a call."""
    start, before = time.perf_counter(), os.times()[:2]
    local = Local(folder, ScreeningView)
    local.open()
    found = local.recover()
    assert found is not None
    view, token = found
    verdict = view.index.screen(1, f"+1{FIRST + STEP}", f"+1{FIRST}", False)
    assert verdict.subscriber_name == "subscriber000002", verdict
    ready = time.perf_counter() - start
    user, kernel = (now - then for now, then in zip(os.times()[:2], before, strict=True))
    started = time.clock_gettime(time.CLOCK_MONOTONIC) - float(os.environ["BENCH_STARTED"])
    print(f"  first right answer {ready:.2f} s after the process ran, {started:.2f} s after exec")
    print(f"  processor: {user:.2f} s of its own, {kernel:.2f} s of the kernel for it")
    print(f"  resident {resident() / 2**20:,.0f} MiB; index {view.octets / 2**20:,.0f} MiB")
    start = time.perf_counter()
    image = local.begin(view, token)
    assert image is not None
    local.write(image)
    local.finish(image)
    took = time.perf_counter() - start
    print(f"  next image {local.image_octets / 2**20:,.0f} MiB written in {took:.2f} s, fsync too")
    local.close()


def main() -> None:
    if len(sys.argv) == 4 and sys.argv[2] == "--child":
        child(Path(sys.argv[3]))
        return
    count = next((int(word) for word in sys.argv[1:] if word.isdecimal()), NUMBERS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image-0000000001"
        start = time.perf_counter()
        write(path, count)
        size = path.stat().st_size / 2**20
        made = time.perf_counter() - start
        print(f"  {count:,} numbers, {size:,.0f} MiB on disk (made in {made:.0f} s)", flush=True)
        code = "import sys; from bench.restart import main; main()"
        again = [sys.executable, "-c", code, "restart", "--child", folder]
        started = {"BENCH_STARTED": str(time.clock_gettime(time.CLOCK_MONOTONIC))}
        subprocess.run(again, check=True, env=os.environ | started)
