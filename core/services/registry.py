"""Turns plain classes into gRPC services: decode, who calls, call, encode, or refuse.

Invariants:
1. Every method but those in OPEN needs a token; on a stream each message needs it still.
2. A message is decoded only once its caller is known: a stranger's octets cost their receipt. One
   that cannot be decoded, or is longer than its method needs, is INVALID_ARGUMENT, not a fault of
   the server.
3. Every error leaves by status.refuse; nothing else ends a call. A call that has ended itself (the
   client left, the server stopped) is told nothing: that is no fault.
4. A method named in RAW yields encoded messages, which are sent as they are.
5. An administrator has at most STREAMS_EACH streams open: the room for calls is nobody's own.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from ..access import SERVICE, Principal
from ..errors import InvalidInput, TooMuch, Unauthenticated
from ..limits import SMALL_BYTES, STREAMS_EACH
from .status import refuse

OPEN: Final = frozenset({"Authenticate"})
RAW: Final = frozenset({"Snapshot", "Watch"})
LARGE: Final = frozenset({"Create", "Update", "Write", "ScreenBatches", "Append"})
MALFORMED: Final = "The message cannot be decoded."
TOO_LONG: Final = f"The message is longer than {SMALL_BYTES} bytes."
BEARER: Final = "bearer"
ENDED: Final = grpc.aio.BaseError  # gRPC's own, to whoever reads or writes a call that is over

Handler: TypeAlias = Any  # grpc.GenericRpcHandler; generic to its stubs alone
Context: TypeAlias = Any  # grpc.aio.ServicerContext; its stubs know no metadata of a request
Check = Callable[[str], Principal]
NOBODY: Final = Principal(username="", role="")


class Streams:
    """Counts the open streams of each caller."""

    def __init__(self) -> None:
        self._open: Counter[tuple[str, str]] = Counter()  # by product and user name

    @contextmanager
    def counted(self, caller: Principal) -> Iterator[None]:
        """Counts one while it is open; internal services have no limit. Raises TooMuch."""
        name = caller.product, caller.username
        if caller.role != SERVICE and self._open[name] >= STREAMS_EACH:
            raise TooMuch
        self._open[name] += 1
        try:
            yield
        finally:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]


def handler(
    descriptor: ServiceDescriptor, service: object, check: Check, streams: Streams
) -> Handler:
    """The handler of a service whose methods are those of `service`, in snake_case."""
    methods = {
        method.name: _method(method, getattr(service, snake_case(method.name)), check, streams)
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


def _method(method: MethodDescriptor, work: Any, check: Check, streams: Streams) -> Any:
    def who(context: Context) -> Principal:
        return NOBODY if method.name in OPEN else caller_of(context, check)

    decode = _decoder(method)
    encode = bytes if method.name in RAW else _encode
    if method.client_streaming:
        talk = _stream_stream(work, who, decode, streams)
        return grpc.stream_stream_rpc_method_handler(talk, None, encode)
    if method.server_streaming:
        call = _unary_stream(work, who, decode, streams)
        return grpc.unary_stream_rpc_method_handler(call, None, encode)
    return grpc.unary_unary_rpc_method_handler(_unary_unary(work, who, decode), None, encode)


Decode = Callable[[bytes], Any]
Who = Callable[[Context], Principal]


def _decoder(method: MethodDescriptor) -> Decode:
    message = GetMessageClass(method.input_type)
    small = method.name not in LARGE

    def decode(data: bytes) -> Message:
        if small and len(data) > SMALL_BYTES:
            raise InvalidInput(TOO_LONG)
        try:
            return message.FromString(data)
        except DecodeError:
            raise InvalidInput(MALFORMED) from None

    return decode


def _encode(message: Message) -> bytes:
    return message.SerializeToString()


def _unary_unary(
    work: Any, who: Who, decode: Decode
) -> Callable[[bytes, Context], Awaitable[Message]]:
    async def call(data: bytes, context: Context) -> Message:
        try:
            caller = who(context)
            answer: Message = await work(decode(data), caller)
        except ENDED:
            raise
        except Exception as error:
            await refuse(context, error)
        return answer

    return call


def _unary_stream(
    work: Any, who: Who, decode: Decode, streams: Streams
) -> Callable[[bytes, Context], AsyncIterator[Any]]:
    async def call(data: bytes, context: Context) -> AsyncIterator[Any]:
        try:
            caller = who(context)
            with streams.counted(caller):
                async for answer in work(decode(data), caller):
                    yield answer
        except ENDED:
            raise
        except Exception as error:
            await refuse(context, error)

    return call


def _stream_stream(
    work: Any, who: Who, decode: Decode, streams: Streams
) -> Callable[[AsyncIterator[bytes], Context], AsyncIterator[Any]]:
    async def call(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[Any]:
        async def each() -> AsyncIterator[Any]:
            async for data in requests:
                caller = who(context)
                yield decode(data), caller

        try:
            with streams.counted(who(context)):
                async for answer in work(each()):
                    yield answer
        except ENDED:
            raise
        except Exception as error:
            await refuse(context, error)

    return call


__all__ = ["OPEN", "RAW", "Streams", "caller_of", "handler", "snake_case"]
