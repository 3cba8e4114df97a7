"""The gateway's way to the core: one channel, each call with a deadline and its caller's token.

1. A stream has no deadline as a whole, but each of its steps has.
2. A stream that its caller leaves is cancelled: the core keeps nothing of it.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Any, TypeVar

import grpc

from ..ops import tracing, transport
from ..ops.grpc_tls import ClientTls
from ..v1.audio_files_pb2_grpc import AudioFilesStub
from ..v1.authentication_pb2_grpc import AuthenticationStub
from ..v1.identity_pb2_grpc import CallerIdentityStub
from ..v1.jobs_pb2_grpc import JobsStub
from ..v1.provisioning_pb2_grpc import ProvisioningStub
from ..v1.records_pb2_grpc import RecordsStub
from .config import Limits
from .errors import ApiError, rest_error
from .observed import Requests

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["Client", "Metadata", "open_channel"]

IN_CLEAR = ClientTls()  # on loopback
Metadata = tuple[tuple[str, str], ...]
Answer = TypeVar("Answer", bound="Message")
log = logging.getLogger("callscreen.gateway")


def open_channel(address: str, limits: Limits, tls: ClientTls = IN_CLEAR) -> grpc.aio.Channel:
    """A channel to the core; it connects by itself, and again when the core comes back.

    Raises ValueError, OSError (see transport.credentials).
    """
    return transport.open_channel(
        address,
        tls,
        [
            ("grpc.max_send_message_length", limits.message_bytes),
            ("grpc.max_receive_message_length", limits.message_bytes),
            ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.min_reconnect_backoff_ms", 5000),  # it is the time to connect, too
            ("grpc.max_reconnect_backoff_ms", 2000),
        ],
    )


class Client:
    """The core's services, for whoever holds a token."""

    def __init__(
        self, channel: grpc.aio.Channel, limits: Limits, requests: Requests | None = None
    ) -> None:
        """`requests` counts what the core refuses."""
        self.requests = requests or Requests()
        self.provisioning = ProvisioningStub(channel)
        self.records = RecordsStub(channel)
        self.authentication = AuthenticationStub(channel)
        self.jobs = JobsStub(channel)
        self.identity = CallerIdentityStub(channel)
        self.audio_files = AudioFilesStub(channel)
        self._seconds = limits.call_seconds
        self._stall = limits.stall_seconds
        self._away = False  # the core, at the last call; the log has a line for each change

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Any, Answer],
        request: "Message",
        metadata: Metadata,
    ) -> Answer:
        """One call, with who sent the request and whence.

        Raises:
            ApiError: what the core refused, or why it could not be asked.
        """
        try:
            with tracing.span(f"core {type(request).__name__}", "CLIENT"):
                traced = metadata + tracing.inject()
                answer = await method(request, metadata=traced, timeout=self._seconds)
        except grpc.aio.AioRpcError as error:
            raise self._told(error) from None
        self._heard()
        return answer

    async def send(
        self,
        method: Any,  # grpc.aio.StreamUnaryMultiCallable; its stubs know no stream to be written
        requests: AsyncIterator["Message"],
        metadata: Metadata,
    ) -> Any:
        """A stream of messages to the core, each sent once there is room for it.

        Raises:
            ApiError: what the core refused, or why it could not be asked; the rest is not sent.
            Exception: whatever the messages' source raises; the core then keeps nothing.
        """
        stream = method(metadata=metadata)
        try:
            async for request in requests:
                async with asyncio.timeout(self._stall):
                    await stream.write(request)
            async with asyncio.timeout(self._stall):
                await stream.done_writing()
                return await stream
        except TimeoutError:
            raise ApiError(504) from None
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):  # the latter: it has ended
            raise await self._refusal(stream) from None
        finally:
            stream.cancel()

    async def receive(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[Any, Answer],
        request: "Message",
        metadata: Metadata,
    ) -> AsyncGenerator[Answer, None]:
        """A stream of messages from the core, each taken when it is asked for.

        Raises:
            ApiError: what the core refused, or why it could not be asked.
        """
        stream: Any = method(request, metadata=metadata)
        end: Any = object()
        messages = aiter(stream)
        try:
            while True:
                async with asyncio.timeout(self._stall):
                    message = await anext(messages, end)
                if message is end:
                    break
                yield message
        except TimeoutError:
            raise ApiError(504) from None
        except grpc.aio.AioRpcError as error:
            raise self._told(error) from None
        finally:
            stream.cancel()

    async def _refusal(self, stream: Any) -> ApiError:
        """Why a stream has ended before its sender had."""
        try:
            await stream
        except grpc.aio.AioRpcError as error:
            return self._told(error)
        return ApiError(500)  # the core answered before it had all

    def _told(self, error: grpc.aio.AioRpcError) -> ApiError:
        """The core's refusal as an answer; a fault is told to the log."""
        self.requests.core_errors[error.code().name] += 1
        found = rest_error(error)
        away = error.code() == grpc.StatusCode.UNAVAILABLE
        if int(found.code) >= 500:
            level = logging.DEBUG if away and self._away else logging.ERROR
            why = transport.advised(error.details() or "")
            log.log(level, "core: %s: %s", error.code().name, why)
        if away:
            self._away = True
        elif error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:  # that may be the core's silence
            self._heard()
        return found

    def _heard(self) -> None:
        """The core answered, be it with a refusal."""
        if self._away:
            self._away = False
            log.info("the core answers again")
