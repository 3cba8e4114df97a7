"""Turns plain classes into gRPC services: decode, who calls, call, encode, or refuse.

Invariants:
1. Every method but those in OPEN needs a token; on a stream each message needs it still.
2. A message that cannot be decoded is INVALID_ARGUMENT, not a fault of the server.
3. Every error leaves by status.refuse; nothing else ends a call.
4. A method named in RAW yields encoded messages, which are sent as they are.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from ..access import Principal
from ..errors import InvalidInput, Unauthenticated
from .status import refuse

OPEN: Final = frozenset({"Authenticate"})
RAW: Final = frozenset({"Snapshot", "Watch"})
MALFORMED: Final = "The message cannot be decoded."
BEARER: Final = "bearer"

Handler: TypeAlias = Any  # grpc.GenericRpcHandler; generic to its stubs alone
Context: TypeAlias = Any  # grpc.aio.ServicerContext; its stubs know no metadata of a request
Check = Callable[[str], Principal]
NOBODY: Final = Principal(username="", role="")


class Malformed:
    """Stands for a message that could not be decoded."""


def handler(descriptor: ServiceDescriptor, service: object, check: Check) -> Handler:
    """The handler of a service whose methods are those of `service`, in snake_case."""
    methods = {
        method.name: _method(method, getattr(service, snake_case(method.name)), check)
        for method in descriptor.methods
    }
    return grpc.method_handlers_generic_handler(descriptor.full_name, methods)


def snake_case(name: str) -> str:
    """ScreenBatches -> screen_batches."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def caller_of(context: Context, check: Check) -> Principal:
    """Who the call's metadata says is calling. Raises Unauthenticated."""
    for name, value in context.invocation_metadata() or ():
        if name == "authorization" and isinstance(value, str):
            scheme, _, token = value.partition(" ")
            if scheme.lower() == BEARER:
                return check(token.strip())
    raise Unauthenticated


def _method(method: MethodDescriptor, work: Any, check: Check) -> Any:
    def who(context: Context) -> Principal:
        return NOBODY if method.name in OPEN else caller_of(context, check)

    decode = _decoder(GetMessageClass(method.input_type))
    encode = bytes if method.name in RAW else _encode
    if method.client_streaming:
        return grpc.stream_stream_rpc_method_handler(_stream_stream(work, who), decode, encode)
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(_unary_stream(work, who), decode, encode)
    return grpc.unary_unary_rpc_method_handler(_unary_unary(work, who), decode, encode)


def _decoder(message: type[Message]) -> Callable[[bytes], Message | Malformed]:
    def decode(data: bytes) -> Message | Malformed:
        try:
            return message.FromString(data)
        except DecodeError:
            return Malformed()

    return decode


def _encode(message: Message) -> bytes:
    return message.SerializeToString()


def _checked(request: Message | Malformed) -> Any:
    if isinstance(request, Malformed):
        raise InvalidInput(MALFORMED)
    return request


Who = Callable[[Context], Principal]


def _unary_unary(work: Any, who: Who) -> Callable[[Any, Context], Awaitable[Message]]:
    async def call(request: Any, context: Context) -> Message:
        try:
            answer: Message = await work(_checked(request), who(context))
        except Exception as error:
            await refuse(context, error)
        return answer

    return call


def _unary_stream(work: Any, who: Who) -> Callable[[Any, Context], AsyncIterator[Any]]:
    async def call(request: Any, context: Context) -> AsyncIterator[Any]:
        try:
            async for answer in work(_checked(request), who(context)):
                yield answer
        except Exception as error:
            await refuse(context, error)

    return call


def _stream_stream(work: Any, who: Who) -> Callable[[Any, Context], AsyncIterator[Any]]:
    async def call(requests: AsyncIterator[Any], context: Context) -> AsyncIterator[Any]:
        async def each() -> AsyncIterator[Any]:
            async for request in requests:
                yield _checked(request), who(context)

        try:
            who(context)
            async for answer in work(each()):
                yield answer
        except Exception as error:
            await refuse(context, error)

    return call


__all__ = ["OPEN", "RAW", "caller_of", "handler", "snake_case"]
