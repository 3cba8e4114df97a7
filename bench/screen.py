"""What the core answers over gRPC, beside an echo in the same server: Screen, one by one and in
batches, Get, and bulk Write.

Server and clients are processes of their own; every figure is of CALLERS callers at one time.
"""

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import uvloop

from callscreen.core.limits import SWITCH_SECONDS
from callscreen.core.server import OPTIONS, bind, first_start, register, switching
from callscreen.core.wiring import CoreConfig, build
from callscreen.schema import TYPES
from callscreen.v1 import provisioning_pb2, provisioning_pb2_grpc, screening_pb2, screening_pb2_grpc
from callscreen.v1.object_pb2 import Object

__all__ = ["filled", "main", "measured", "served"]

ECHO = "/bench.Echo/Echo"
CALLERS = 64
BATCH = 100
NUMBERS = 20_000

Call = Callable[[int], Awaitable[Any]]


async def answer(data: Path) -> None:
    """The core on an empty folder, with an echo beside it; prints its address and its token."""

    async def echo(request: bytes, _context: Any) -> bytes:
        return request

    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(switching(SWITCH_SECONDS))  # as the core does
        core = build(CoreConfig(data, "127.0.0.1:0"), stack)
        await first_start(core, "not printed")
        server = grpc.aio.server(options=OPTIONS)
        await register(server, core)
        handlers = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("bench.Echo", handlers),)
        )
        address = bind(server, "127.0.0.1:0")
        await server.start()
        print(address, (data / "service.token").read_text().strip(), flush=True)
        await asyncio.to_thread(sys.stdin.read)  # until whoever started it closes it
        core.feed.close()
        await server.stop(0.5)


@contextlib.contextmanager
def served() -> Iterator[tuple[str, str]]:
    """Address and token of a core in a process of its own, on the disk that the sources are on."""
    root = Path(__file__).parent.parent
    (root / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root / "build") as data:
        command = [sys.executable, "-m", "bench.screen", data]
        with subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            address, token = process.stdout.readline().split()
            try:
                yield address, token
            finally:
                process.communicate(timeout=10)


def obj(kind: str, **fields: Any) -> Object:
    return Object(**{kind: TYPES[kind].message(**fields)})


async def filled(channel: grpc.aio.Channel, metadata: Any, numbers: int) -> float:
    """Puts numbers of one subscriber in place with Write; how many a second."""
    write = provisioning_pb2_grpc.ProvisioningStub(channel).Write
    rule = {"personal": True, "global": True, "override": False, "stir_shaken": False}
    rules = {
        "whitelist": {**rule, "match": "continue", "no_match": "next", "priority": 1},
        "blacklist": {**rule, "match": "terminate", "no_match": "next", "priority": 2},
    }
    first: list[tuple[str, Object]] = [
        ("service_provider", obj("service_provider", name="acme", blacklist=["+1900*"])),
        ("subscriber", obj("subscriber", name="alice", service_provider_name="acme")),
        ("screening_rule", obj("screening_rule", service_provider_name="acme", **rules)),
    ]

    async def requests() -> AsyncIterator[provisioning_pb2.WriteRequest]:
        for kind, each in first:
            yield provisioning_pb2.WriteRequest(parent=f"pcs/{kind}", objects=[each])
        for start in range(0, numbers, 500):
            held = [
                obj("number", number=number(place), blacklist=["+15550001111", "+1555xxx2222"])
                for place in range(start, min(start + 500, numbers))
            ]
            yield provisioning_pb2.WriteRequest(parent="pcs/number/acme/alice", objects=held)

    begun = time.perf_counter()
    async for answered in write(requests(), metadata=metadata):
        assert not answered.errors, answered.errors
    return numbers / (time.perf_counter() - begun)


def number(place: int) -> str:
    return f"+1585{place:07}"


def call(place: int) -> screening_pb2.Call:
    return screening_pb2.Call(called=number(place % NUMBERS), calling=f"+1900{place % 9999:07}")


async def measured(work: Call, seconds: float) -> float:
    """How often a second CALLERS callers get an answer."""
    answered = 0
    until = time.perf_counter() + seconds

    async def caller(place: int) -> None:
        nonlocal answered
        while time.perf_counter() < until:
            await work(place)
            place += CALLERS
            answered += 1

    begun = time.perf_counter()
    await asyncio.gather(*(caller(place) for place in range(CALLERS)))
    return answered / (time.perf_counter() - begun)


async def batches(channel: grpc.aio.Channel, metadata: Any, count: int) -> float:
    """Calls a second through one stream of batches."""
    stub = screening_pb2_grpc.ScreeningStub(channel)
    request = screening_pb2.ScreenBatchRequest(calls=[call(place) for place in range(BATCH)])

    async def requests() -> AsyncIterator[screening_pb2.ScreenBatchRequest]:
        for _ in range(count):
            yield request

    begun = time.perf_counter()
    async for _ in stub.ScreenBatches(requests(), metadata=metadata):
        pass
    return count * BATCH / (time.perf_counter() - begun)


async def run(address: str, token: str, seconds: float = 3.0) -> None:
    metadata = (("authorization", f"Bearer {token}"),)
    async with grpc.aio.insecure_channel(address) as channel:
        written = await filled(channel, metadata, NUMBERS)
        echo = channel.unary_unary(ECHO)
        screen = screening_pb2_grpc.ScreeningStub(channel).Screen
        get = provisioning_pb2_grpc.ProvisioningStub(channel).Get
        octets = screening_pb2.ScreenRequest(call=call(0)).SerializeToString()
        bare = await measured(lambda _: echo(octets, metadata=metadata), seconds)
        screened = await measured(
            lambda place: screen(screening_pb2.ScreenRequest(call=call(place)), metadata=metadata),
            seconds,
        )
        got = await measured(
            lambda place: get(
                provisioning_pb2.GetRequest(
                    name=f"pcs/number/acme/alice/%2B{number(place % NUMBERS)[1:]}"
                ),
                metadata=metadata,
            ),
            seconds,
        )
        streamed = await batches(channel, metadata, 500)
    print(f"  echo                               {bare:12,.0f} /s")
    print(
        f"  Screen                             {screened:12,.0f} /s   {screened / bare:.2f} of it"
    )
    print(f"  Get of a number                    {got:12,.0f} /s   {got / bare:.2f} of it")
    print(f"  ScreenBatches of {BATCH}               {streamed:12,.0f} calls/s")
    print(f"  Write of numbers in batches of 500 {written:12,.0f} /s")


def main() -> None:
    """Prints every figure."""
    with served() as (address, token):
        uvloop.run(run(address, token))


if __name__ == "__main__":
    uvloop.run(answer(Path(sys.argv[1])))
