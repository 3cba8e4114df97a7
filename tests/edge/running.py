"""A running edge, and a peer that talks to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from callscreen.edge.server import EdgeConfig, serve
from callscreen.edge.sockets import format_address, parse_address

from .messages import Response, read, request
from .objects import CALLED, platform


class Phone(asyncio.DatagramProtocol):
    """Sends datagrams and keeps what comes back."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[bytes] = asyncio.Queue()
        self.transport: Any = None
        self.calls = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.got.put_nowait(data)

    async def ask(self, data: bytes) -> Response:
        self.transport.sendto(data)
        return read(await asyncio.wait_for(self.got.get(), 20))

    async def call(self, calling: str, method: str = "INVITE") -> Response:
        self.calls += 1
        host, port = self.transport.get_extra_info("sockname")[:2]
        place = format_address((host, port))
        return await self.ask(
            request(
                method,
                uri=f"sip:{CALLED}@edge.example",
                caller=f"<sip:{calling}@carrier.example>;tag=abc",
                via=f"SIP/2.0/UDP {place};rport;branch=z9hG4bK-{port}-{self.calls}",
                call_id=f"{port}-{self.calls}",
                contact=f"<sip:{place}>",
            )
        )


@asynccontextmanager
async def phone(address: str, local: tuple[str, int] | None = None) -> AsyncIterator[Phone]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        Phone, local_addr=local, remote_addr=parse_address(address)
    )
    try:
        yield protocol
    finally:
        transport.close()


@asynccontextmanager
async def edge(core: Any, sip: str = "127.0.0.1:0", **more: Any) -> AsyncIterator[str]:
    """A running edge; gives its address once it is ready."""
    config = EdgeConfig(sip=sip, grpc=f"127.0.0.1:{core.port}", token="secret", name="e1", **more)
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    task = asyncio.create_task(serve(config, address.set_result, stop))
    try:
        await asyncio.wait([task, address], timeout=20, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield await asyncio.wait_for(address, 20)
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


def provision(core: Any) -> None:
    for each in platform():
        core.note(each.name, body=each)
