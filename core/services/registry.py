"""Turns plain classes into gRPC services: decode, who calls, call, encode, or refuse.

Invariants:
1. Every method but those in OPEN needs a token; on a stream each message needs it still. One in
   OPTIONAL has NOBODY for a caller where none is shown; one that is shown must be good.
2. A message is decoded only once its caller is known: a stranger's octets cost their receipt. One
   that cannot be decoded, or is longer than its method needs, is INVALID_ARGUMENT, not a fault of
   the server.
3. Every error leaves by status.refuse; nothing else ends a call. A call that has ended itself (the
   client left, the server stopped) is told nothing: that is no fault.
4. A method named in RAW yields encoded messages, which are sent as they are; one in ENCODED is
   given its requests as they came.
5. An administrator has at most STREAMS_EACH streams open: the room for calls is nobody's own.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from keyword import iskeyword
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from ..access import SERVICE, Principal
from ..errors import InvalidInput, TooMuch, Unauthenticated
from ..limits import SMALL_BYTES, STREAMS_EACH
from ..origin import Later, Origin, begin, peer_address, read_origin
from .observed import Calls
from .status import refuse

OPEN: Final = frozenset({"Authenticate", "Redeem"})
OPTIONAL: Final = frozenset({"Reset"})
RAW: Final = frozenset({"Snapshot", "Watch", "Follow"})
ENCODED: Final = frozenset({"Append"})
LARGE: Final = frozenset(
    {"Create", "Update", "Write", "ScreenBatches", "Append", "Import", "Upload"}
)
CANCEL_SECONDS: Final = 0.01  # for gRPC to say that a stream was cancelled, after its last message
MALFORMED: Final = "The message cannot be decoded."
TOO_LONG: Final = f"The message is longer than {SMALL_BYTES} bytes."
BEARER: Final = "bearer"
ENDED: Final = grpc.aio.BaseError  # gRPC's own, to whoever reads or writes a call that is over

Handler: TypeAlias = Any  # grpc.GenericRpcHandler; generic to its stubs alone
Context: TypeAlias = Any  # grpc.aio.ServicerContext; its stubs know no metadata of a request
Check = Callable[[str], Principal]
Believed = Callable[[str], bool]  # whether a peer's word on its own callers counts
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
    descriptor: ServiceDescriptor,
    service: object,
    check: Check,
    streams: Streams,
    believed: Believed = lambda peer: False,
    calls: Calls | None = None,
) -> Handler:
    """The handler of a service whose methods are those of `service`, in snake_case."""
    seen = calls or Calls()
    methods = {
        method.name: seen.observed(
            f"{descriptor.name}/{method.name}",
            _method(method, getattr(service, snake_case(method.name)), check, streams, believed),
        )
        for method in descriptor.methods
    }
    return grpc.method_handlers_generic_handler(descriptor.full_name, methods)


def snake_case(name: str) -> str:
    """ScreenBatches -> screen_batches; a word of the language gets an underscore: import_."""
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
    return f"{snake}_" if iskeyword(snake) else snake


def caller_of(context: Context, check: Check) -> Principal:
    """Who the call's metadata says is calling. Raises Unauthenticated."""
    for name, value in context.invocation_metadata() or ():
        if name == "authorization" and isinstance(value, str):
            scheme, _, token = value.partition(" ")
            if scheme.lower() == BEARER:
                return check(token.strip())
    raise Unauthenticated


def shows_token(context: Context) -> bool:
    """Whether the call's metadata says anything of who is calling."""
    return any(name == "authorization" for name, _ in context.invocation_metadata() or ())


def origin_of(context: Context, method: str, believed: Believed, started: float) -> Origin:
    """Where a call comes from, as its metadata and its peer have it."""
    metadata = {
        name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)
    }
    peer = peer_address(context.peer())
    return read_origin(metadata, peer, believed(peer), method, started)


def _method(
    method: MethodDescriptor, work: Any, check: Check, streams: Streams, believed: Believed
) -> Any:
    def who(context: Context) -> Principal:
        if method.name in OPEN or (method.name in OPTIONAL and not shows_token(context)):
            return NOBODY
        return caller_of(context, check)

    def whence(context: Context) -> Later:
        started = time.time()
        return Later(lambda: origin_of(context, method.name, believed, started))

    decode = bytes if method.name in ENCODED else _decoder(method)
    encode = bytes if method.name in RAW else _encode
    if method.client_streaming and not method.server_streaming:
        take = _stream_unary(work, who, decode, streams, whence)
        return grpc.stream_unary_rpc_method_handler(take, None, encode)
    if method.client_streaming:
        talk = _stream_stream(work, who, decode, streams, whence)
        return grpc.stream_stream_rpc_method_handler(talk, None, encode)
    if method.server_streaming:
        call = _unary_stream(work, who, decode, streams, whence)
        return grpc.unary_stream_rpc_method_handler(call, None, encode)
    return grpc.unary_unary_rpc_method_handler(
        _unary_unary(work, who, decode, whence), None, encode
    )


Decode = Callable[[bytes], Any]
Who = Callable[[Context], Principal]
Whence = Callable[[Context], Later]


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
    work: Any, who: Who, decode: Decode, whence: Whence
) -> Callable[[bytes, Context], Awaitable[Message]]:
    async def call(data: bytes, context: Context) -> Message:
        try:
            begin(whence(context))
            caller = who(context)
            answer: Message = await work(decode(data), caller)
        except ENDED:
            raise
        except Exception as error:
            await refuse(context, error)
        return answer

    return call


def _unary_stream(
    work: Any, who: Who, decode: Decode, streams: Streams, whence: Whence
) -> Callable[[bytes, Context], AsyncIterator[Any]]:
    async def call(data: bytes, context: Context) -> AsyncIterator[Any]:
        try:
            begin(whence(context))
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
    work: Any, who: Who, decode: Decode, streams: Streams, whence: Whence
) -> Callable[[AsyncIterator[bytes], Context], AsyncIterator[Any]]:
    async def call(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[Any]:
        try:
            begin(whence(context))
            caller = who(context)
            with streams.counted(caller):
                async for answer in work(_each(requests, context, who, decode)):
                    yield answer
        except ENDED:
            raise
        except Exception as error:
            await refuse(context, error)

    return call


def _stream_unary(
    work: Any, who: Who, decode: Decode, streams: Streams, whence: Whence
) -> Callable[[AsyncIterator[bytes], Context], Awaitable[Message]]:
    async def call(requests: AsyncIterator[bytes], context: Context) -> Message:
        try:
            begin(whence(context))
            caller = who(context)
            with streams.counted(caller):
                answer: Message = await work(_each(requests, context, who, decode))
        except ENDED:
            raise
        except Exception as error:
            await refuse(context, error)
        return answer

    return call


async def _each(
    requests: AsyncIterator[bytes], context: Context, who: Who, decode: Decode
) -> AsyncIterator[tuple[Any, Principal]]:
    """The messages of a stream; each needs the token still."""
    async for data in requests:
        caller = who(context)
        yield decode(data), caller
    # The messages of a call that was cancelled end as those of a whole one do, and only then is
    # its task cancelled: here, before a part is taken for the whole.
    await asyncio.sleep(CANCEL_SECONDS)


__all__ = ["OPEN", "OPTIONAL", "RAW", "Streams", "caller_of", "handler", "snake_case"]
