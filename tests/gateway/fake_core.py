"""A core that answers as it is told, and keeps what it was asked: every method of every service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from callscreen.gateway import GatewayConfig, create_app
from callscreen.v1 import (
    audio_files_pb2,
    authentication_pb2,
    identity_pb2,
    jobs_pb2,
    provisioning_pb2,
    records_pb2,
)

MODULES = (
    audio_files_pb2,
    authentication_pb2,
    identity_pb2,
    jobs_pb2,
    provisioning_pb2,
    records_pb2,
)
TOKEN = {"Authorization": "Basic secret"}


class Refusal(Exception):
    """An answer that is a gRPC error."""

    def __init__(self, code: grpc.StatusCode, details: str = "No.") -> None:
        self.code = code
        self.details = details


@dataclass
class Asked:
    """One call: its method, its messages, and its metadata."""

    method: str
    messages: list[Any]
    metadata: dict[str, str]


@dataclass
class FakeCore:
    """`answers` by method: a message, a list of them for a stream, or a Refusal."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)  # methods whose caller had sent all

    @property
    def last(self) -> Asked:
        return self.asked[-1]

    async def begin(self, method: str, context: Any) -> Asked:
        asked = Asked(method, [], dict(context.invocation_metadata() or ()))
        self.asked.append(asked)
        return asked

    async def answer(self, method: str, context: Any) -> Any:
        found = self.answers.get(method, Refusal(grpc.StatusCode.UNIMPLEMENTED))
        if isinstance(found, list) and found and isinstance(found[0], Refusal | grpc.StatusCode):
            found = found.pop(0)
        if isinstance(found, Refusal):
            await context.abort(found.code, found.details)
        return found

    def handler(self, method: MethodDescriptor) -> Any:
        name = method.name

        async def unary(request: Any, context: Any) -> Any:
            (await self.begin(name, context)).messages.append(request)
            return await self.answer(name, context)

        async def stream_out(request: Any, context: Any) -> AsyncIterator[Any]:
            (await self.begin(name, context)).messages.append(request)
            for message in await self.answer(name, context):
                if isinstance(message, Refusal):
                    await context.abort(message.code, message.details)
                yield message

        async def stream_in(requests: AsyncIterator[Any], context: Any) -> Any:
            asked = await self.begin(name, context)
            if isinstance(self.answers.get(name), Refusal):
                return await self.answer(name, context)
            async for request in requests:
                asked.messages.append(request)
            await asyncio.sleep(0.01)  # a call that was cancelled is so only after its last message
            self.ended.append(name)
            return await self.answer(name, context)

        decode = GetMessageClass(method.input_type).FromString
        if method.client_streaming:
            return grpc.stream_unary_rpc_method_handler(stream_in, decode, _encode)
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(stream_out, decode, _encode)
        return grpc.unary_unary_rpc_method_handler(unary, decode, _encode)


def _encode(message: Any) -> bytes:
    found: bytes = message.SerializeToString()
    return found


@asynccontextmanager
async def faked(config: GatewayConfig) -> AsyncIterator[tuple[FakeCore, httpx.AsyncClient, str]]:
    """A fake core, the gateway in front of it, and the core's address."""
    core = FakeCore()
    server = grpc.aio.server()
    for module in MODULES:
        for service in module.DESCRIPTOR.services_by_name.values():
            methods = {m.name: core.handler(m) for m in service.methods if m.name != "Write"}
            handlers = grpc.method_handlers_generic_handler(service.full_name, methods)
            server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    address = f"127.0.0.1:{port}"
    async with grpc.aio.insecure_channel(address) as channel:
        transport = httpx.ASGITransport(create_app(channel, config), client=("192.0.2.1", 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield core, http, address
    await server.stop(None)
