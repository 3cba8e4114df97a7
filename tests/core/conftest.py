"""A core in memory for commands, and a real one over gRPC for services."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from argon2 import PasswordHasher

from callscreen.core.access import Principal, principal, service
from callscreen.core.commands import create, delete, get, list_objects, update
from callscreen.core.commands.context import Core
from callscreen.core.server import first_start, serve
from callscreen.core.store.memory import MemoryStore
from callscreen.core.store.memory_records import MemoryRecords
from callscreen.core.wiring import CoreConfig, wire
from callscreen.schema import TYPES
from callscreen.v1 import provisioning_pb2
from callscreen.v1.object_pb2 import Object

PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Clock:
    """Unix seconds that move only when told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def obj(kind: str, **fields: Any) -> Object:
    return Object(**{kind: TYPES[kind].message(**fields)})


class Desk:
    """Commands of one caller, with the arguments of a test."""

    def __init__(self, core: Core, caller: Principal) -> None:
        self.core = core
        self.caller = caller

    async def create(self, parent: str, /, **fields: Any) -> Object:
        kind = parent.split("/")[1]
        return await create.create(self.core, self.caller, parent, obj(kind, **fields))

    async def update(
        self,
        at: str,
        /,
        mask: tuple[str, ...] | None = None,
        allow_missing: bool = False,
        revision: int = 0,
        **fields: Any,
    ) -> Object:
        body = obj(at.split("/")[1], **fields)
        return await update.update(self.core, self.caller, at, body, mask, allow_missing, revision)

    async def delete(self, name: str, revision: int = 0) -> int:
        return await delete.delete(self.core, self.caller, name, revision)

    def get(self, name: str) -> Object:
        return get.get(self.core, self.caller, name)

    def list(self, parent: str, **given: Any) -> list_objects.Page:
        query = provisioning_pb2.TableQuery(
            **{name: given.pop(name) for name in list(given) if name in QUERY}
        )
        return list_objects.list_objects(self.core, self.caller, parent, query, **given)

    def names(self, parent: str, **given: Any) -> "list[str]":
        return [each.name for each in self.list(parent, page_size=1000, **given).objects]


QUERY = frozenset(provisioning_pb2.TableQuery.DESCRIPTOR.fields_by_name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def core(tmp_path: Path, clock: Clock) -> AsyncIterator[Core]:
    """A core in memory, after its first start."""
    config = CoreConfig(tmp_path, service_token="service", clock=clock, hasher=CHEAP)
    async with AsyncExitStack() as stack:
        made = wire(config, MemoryStore(), MemoryRecords(clock), stack)
        await first_start(made, PASSWORD)
        yield made


@pytest.fixture
def owner(core: Core) -> Desk:
    """pcs_administrator."""
    return Desk(core, principal("pcs", "pcs_administrator", "platform_owner"))


@pytest.fixture
def cin(core: Core) -> Desk:
    """cin_administrator."""
    return Desk(core, principal("cin", "cin_administrator", "platform_owner"))


@pytest.fixture
def inside(core: Core) -> Desk:
    """An internal service."""
    return Desk(core, service())


@pytest.fixture
def desk(core: Core) -> Callable[..., Desk]:
    """The desk of any role."""
    return lambda role, product="pcs": Desk(core, principal(product, "somebody", role))


async def tenant(desk: Desk, provider: str, subscriber: str, number: str) -> None:
    """A provider with a subscriber with a number."""
    product = desk.caller.product
    await desk.create(f"{product}/service_provider", name=provider)
    await desk.create(f"{product}/subscriber/{provider}", name=subscriber)
    await desk.create(f"{product}/number/{provider}/{subscriber}", number=number)


@dataclass
class Running:
    """A core that serves, and a channel to it."""

    channel: grpc.aio.Channel
    address: str
    data: Path
    token: str
    ended: "asyncio.Task[None]"
    stop: asyncio.Event

    @property
    def service(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),)


@asynccontextmanager
async def running(data: Path, **config: Any) -> AsyncIterator[Running]:
    """Starts a core on LMDB at any port, and stops it."""
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    settings = CoreConfig(
        data, "127.0.0.1:0", **{"admin_password": PASSWORD, "hasher": CHEAP, **config}
    )
    task = asyncio.create_task(serve(settings, ready.set_result, stop))
    await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    options = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
    async with grpc.aio.insecure_channel(ready.result(), options=options) as channel:
        token = (data / "service.token").read_text().strip()
        yield Running(channel, ready.result(), data, token, task, stop)
    stop.set()
    await asyncio.wait_for(task, 20)


@pytest.fixture
async def server(tmp_path: Path, clock: Clock) -> AsyncIterator[Running]:
    async with running(tmp_path / "data", clock=clock) as started:
        yield started
