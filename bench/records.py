"""Call records: appended over gRPC while PUTs run, and looked for among many.

Server, appender and PUTs are processes of their own. The peer of appending is the bare engine: a
put a record of the same octets, committed in the same groups, with no index at all. Appending is
measured as fast as it goes, and PUTs beside PACE records a second.
"""

import asyncio
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import grpc
import lmdb
import uvloop

from callscreen.core.access import service
from callscreen.core.commands.context import Core
from callscreen.core.commands.query_records import query
from callscreen.core.limits import SWITCH_SECONDS
from callscreen.core.server import OPTIONS, bind, first_start, register, switching
from callscreen.core.store.records import Arrived
from callscreen.core.store.tables import ENGINE
from callscreen.core.wiring import CoreConfig, build
from callscreen.fastpath.recording_reference import RecordIds
from callscreen.fastpath.records import digest
from callscreen.fastpath.rows_types import ID_BYTES
from callscreen.v1 import provisioning_pb2, provisioning_pb2_grpc
from callscreen.v1.object_pb2 import Object
from callscreen.v1.provisioning_pb2 import TableQuery
from callscreen.v1.records_pb2 import AppendRequest

__all__ = ["main"]

APPEND = "/callscreen.v1.Records/Append"
BATCH = 1_000  # records
AHEAD = 6  # batches on their way
PACE = 50_000  # records a second, beside PUTs
ROUNDS = 3
SECONDS = 3.0  # a measurement
MADE = 50  # batches, over those that PACE needs
PUTTERS = 8  # at one time, each PUTTER_PAUSE after its last answer
PUTTER_PAUSE = 0.01  # seconds
SUBSCRIBERS, PROVIDERS = 100_000, 20
FEW, MANY = 10_000, int(os.environ.get("BENCH_RECORDS", "10000000"))
START = 1_700_000_000  # seconds
EACH_SECOND = 1_000  # records of a store that is filled
ASKED = 100  # times


def record(cdr_id: str, now: float, subscriber: int) -> dict[str, object]:
    """A call as an edge tells of it."""
    moment = {"seconds": int(now), "nanos": int(now % 1 * 1e9)}
    owner = {
        "service_provider_name": f"provider{subscriber % PROVIDERS}",
        "subscriber_name": f"subscriber{subscriber}",
        "called_number": f"+1585{subscriber:07}",
        "calling_number": f"+1315{random.randrange(10**7):07}",
    }
    steps = [
        {"rule": rule, "input": owner["calling_number"], "outcome": "no_match"}
        for rule in ("whitelist", "blacklist")
    ]
    return {
        **owner,
        "cdr_id": cdr_id,
        "product": 1,
        "start_time": moment,
        "end_time": moment,
        "events": "0:invite;0:whitelist:no_match;0:blacklist:no_match;0:answer:302",
        "verdict": {**owner, "treatment": "continue", "revision": 7, "trace": steps},
        "call_id": f"{random.random()}@host",
        "source_ip": "192.0.2.1",
        "status": 302,
        "edge": "edge-1",
    }


def batches(count: int) -> list[AppendRequest]:
    """Batches of an edge, BATCH records each."""
    ids, now = RecordIds(os.urandom(16)), time.time()
    return [
        AppendRequest(
            id=turn,
            records=[
                record(ids(int(at * 1e9)), at, random.randrange(SUBSCRIBERS))  # type: ignore[misc]
                for n in range(turn * BATCH, (turn + 1) * BATCH)
                for at in [now + n / PACE]
            ],
        )
        for turn in range(count)
    ]


async def serve(data: Path) -> None:
    """The core on an empty folder; prints its address and its token."""
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(switching(SWITCH_SECONDS))  # as the core does
        core = build(CoreConfig(data, "127.0.0.1:0"), stack)
        await first_start(core, "not printed")
        server = grpc.aio.server(options=OPTIONS)
        await register(server, core)
        address = bind(server, "127.0.0.1:0")
        await server.start()
        print(address, (data / "service.token").read_text().strip(), flush=True)
        await asyncio.Event().wait()


async def append(address: str, token: str, pace: float) -> None:
    """Sends batches, at most AHEAD unanswered, at a pace if there is one; prints the rate."""
    made = [each.SerializeToString() for each in batches(round(PACE / BATCH * SECONDS) + MADE)]
    print("ready", flush=True)
    sys.stdin.readline()
    room = asyncio.Semaphore(AHEAD)
    begun = time.perf_counter()

    async def sent() -> AsyncIterator[bytes]:
        for turn, each in enumerate(made):
            if pace:
                await asyncio.sleep(begun + turn * BATCH / pace - time.perf_counter())
            await room.acquire()
            if time.perf_counter() - begun > SECONDS:
                return
            yield each

    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.stream_stream(APPEND)(
            sent(), metadata=(("authorization", f"Bearer {token}"),)
        )
        answered = 0
        async for _ in call:
            answered += 1
            room.release()
    print(answered * BATCH / (time.perf_counter() - begun), flush=True)


@contextlib.contextmanager
def process(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "bench.records", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as running:
        try:
            yield running
        finally:
            running.terminate()


def line(running: "subprocess.Popen[str]") -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


class Appending:
    """An appender that is ready, and begins when told."""

    def __init__(self, running: "subprocess.Popen[str]") -> None:
        self.running = running
        assert line(running) == "ready"

    def begin(self) -> None:
        assert self.running.stdin is not None
        self.running.stdin.write("\n")
        self.running.stdin.flush()

    def rate(self) -> float:
        return float(line(self.running))


async def puts(address: str, token: str) -> list[float]:
    """Seconds that each PUT of a number took, for as long as a measurement lasts."""
    metadata = (("authorization", f"Bearer {token}"),)
    taken: list[float] = []
    async with grpc.aio.insecure_channel(address) as channel:
        stub = provisioning_pb2_grpc.ProvisioningStub(channel)
        until = time.perf_counter() + SECONDS - 0.5

        async def putter(place: int) -> None:
            turn = 0
            while time.perf_counter() < until:
                turn += 1
                request = provisioning_pb2.UpdateRequest(allow_missing=True)
                request.name = f"pcs/number/acme/alice/%2B1585123{place:04}"
                request.object.number.nickname = f"home {turn}"
                begun = time.perf_counter()
                await stub.Update(request, metadata=metadata)
                taken.append(time.perf_counter() - begun)
                await asyncio.sleep(PUTTER_PAUSE)

        await asyncio.gather(*(putter(place) for place in range(PUTTERS)))
    return taken


async def owner(address: str, token: str) -> None:
    """The provider and subscriber whose numbers are put."""
    metadata = (("authorization", f"Bearer {token}"),)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = provisioning_pb2_grpc.ProvisioningStub(channel)
        for parent, obj in (
            ("pcs/service_provider", Object(service_provider={"name": "acme"})),  # type: ignore[arg-type]
            ("pcs/subscriber/acme", Object(subscriber={"name": "alice"})),  # type: ignore[arg-type]
        ):
            request = provisioning_pb2.CreateRequest(parent=parent, object=obj)
            await stub.Create(request, metadata=metadata)


def bare(folder: str) -> float:
    """Records a second that the bare engine takes, a put each, BATCH in a transaction."""
    items = [
        [(each.cdr_id.encode(), each.SerializeToString()) for each in batch.records]
        for batch in batches(MADE)
    ]
    env = lmdb.open(folder, map_size=1 << 32, lib_version=ENGINE)
    begun = time.perf_counter()
    for some in items:
        with env.begin(write=True) as txn:
            for key, value in some:
                txn.put(key, value)
    seconds = time.perf_counter() - begun
    env.close()
    return MADE * BATCH / seconds


def appending() -> None:
    """Prints what appending comes to, and what it costs PUTs."""
    build_ = Path(__file__).parent.parent / "build"
    with tempfile.TemporaryDirectory(dir=build_) as data, process("--serve", data) as server:
        address, token = line(server).split()
        asyncio.run(owner(address, token))
        asyncio.run(puts(address, token))  # warm
        alone, beside, paces = [], [], []
        for _ in range(ROUNDS):  # in turn, since other work on the machine comes and goes
            with process("--append", address, token, str(PACE)) as paced:
                appender = Appending(paced)
                alone += asyncio.run(puts(address, token))
                appender.begin()
                beside += asyncio.run(puts(address, token))
                paces.append(appender.rate())
        with process("--append", address, token, "0") as free:
            appender = Appending(free)
            appender.begin()
            speed = appender.rate()
    with tempfile.TemporaryDirectory(dir=build_) as folder:
        peer = bare(folder)
    print(f"  appended over gRPC, indexed       {speed:10,.0f} /s")
    print(f"  put by the bare engine, no index  {peer:10,.0f} /s   {speed / peer:.2f} x")
    cuts = [statistics.quantiles(each, n=100) for each in (alone, beside)]
    pace = statistics.mean(paces)
    for name, cut in zip(("alone", f"beside {pace:,.0f} records/s"), cuts, strict=True):
        print(f"  PUT {name}: p50 {cut[49] * 1e3:.2f} ms, p99 {cut[98] * 1e3:.2f} ms")
    print(f"  ratio of p99                      {cuts[1][98] / cuts[0][98]:10.2f}")


def fill(core: Core, first: int, last: int) -> None:
    """Puts short records into the store, as a batch of an edge would bring them."""
    key = core.records.key
    hashed = [
        b"".join(
            digest(key, text.encode())
            for text in (
                f"provider{n % PROVIDERS}",
                f"provider{n % PROVIDERS}\0subscriber{n}",
                f"+1585{n:07}",
                "+13155550000",
            )
        )
        for n in range(SUBSCRIBERS)
    ]
    for start in range(first, last, BATCH * 10):
        rows, values, at = [], [], 0
        for place in range(start, min(start + BATCH * 10, last)):
            second, part = divmod(place, EACH_SECOND)
            id = f"{(START + second) * 1000 + part:012x}7000{place:016x}"
            subscriber = place * 7919 % SUBSCRIBERS
            cdr_id = f"{id[:8]}-{id[8:12]}-{id[12:16]}-{id[16:20]}-{id[20:]}"
            value = f"\n${cdr_id}\x10\x01*\x0c+1585{subscriber:07}".encode()  # a CallRecord
            moment = (START + second).to_bytes(5, "big") + (part * 10**6).to_bytes(4, "big")
            where = at.to_bytes(4, "big") + len(value).to_bytes(4, "big")
            rows.append(
                bytes.fromhex(id)[:ID_BYTES] + bytes(8) + where + moment * 2 + hashed[subscriber]
            )
            values.append(value)
            at += len(value)
        core.records.append([Arrived("pcs", b"".join(rows), b"".join(values))])


def milliseconds(work: Callable[[], int]) -> tuple[float, int]:
    """The median, and how many records the last answer says that there are."""
    times = []
    for _ in range(ASKED):
        begun = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e3, found


def answers(core: Core) -> dict[str, tuple[float, int]]:
    """What each question takes, and how many records answer it."""

    def ask(parent: str, **table: str) -> Callable[[], int]:
        return lambda: query(core, service("bench"), parent, TableQuery(**table)).total

    def number() -> int:
        called = f"called_number:+1585{random.randrange(SUBSCRIBERS):07}"
        return query(core, service("bench"), "pcs/cdr", TableQuery(search=called)).total

    def subscriber() -> int:
        n = random.randrange(SUBSCRIBERS)
        parent = f"pcs/cdr/provider{n % PROVIDERS}/subscriber{n}"
        return query(core, service("bench"), parent, TableQuery()).total

    window = "start_time:2023-11-14T22:13:20Z:2023-11-14T22:13:25Z"
    return {
        "newest page": milliseconds(ask("pcs/cdr")),
        "a provider's newest page": milliseconds(ask("pcs/cdr/provider3")),
        "a number's calls": milliseconds(number),
        "a subscriber's calls": milliseconds(subscriber),
        "five seconds' calls": milliseconds(ask("pcs/cdr", search=window)),
    }


async def asking() -> None:
    """Prints what questions take among many records, beside the same among few."""
    build_ = Path(__file__).parent.parent / "build"
    with tempfile.TemporaryDirectory(dir=build_) as data:
        async with contextlib.AsyncExitStack() as stack:
            core = build(CoreConfig(Path(data)), stack)
            await first_start(core, "not printed")
            fill(core, 0, FEW)
            few = answers(core)
            begun = time.perf_counter()
            fill(core, FEW, MANY)
            print(f"  filled with {MANY:,} in {time.perf_counter() - begun:.0f} s")
            many = answers(core)
            print(f"  the store takes {core.records.usage().octets / MANY:,.0f} octets a record")
    for name, (before, _) in few.items():
        after, total = many[name]
        print(
            f"  {name:<26}{after:8.2f} ms ({total:,} records),"
            f" {before:.2f} ms among {FEW:,}: {after / before:.1f} x"
        )


def main() -> None:
    """Prints every figure."""
    appending()
    if MANY:
        asyncio.run(asking())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        uvloop.run(serve(Path(sys.argv[2])))
    elif sys.argv[1:2] == ["--append"]:
        uvloop.run(append(sys.argv[2], sys.argv[3], float(sys.argv[4])))
    else:
        main()
