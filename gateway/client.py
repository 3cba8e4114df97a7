"""The gateway's way to the core: one channel, each call with a deadline and its caller's token."""

import logging
from typing import TYPE_CHECKING, Any, TypeVar

import grpc

from ..v1.authentication_pb2_grpc import AuthenticationStub
from ..v1.provisioning_pb2_grpc import ProvisioningStub
from ..v1.records_pb2_grpc import RecordsStub
from .config import Limits
from .errors import rest_error

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["Client", "open_channel"]

Answer = TypeVar("Answer", bound="Message")
log = logging.getLogger("callscreen.gateway")


def open_channel(address: str, limits: Limits) -> grpc.aio.Channel:
    """A channel to the core; it connects by itself, and again when the core comes back."""
    return grpc.aio.insecure_channel(
        address,
        options=[
            ("grpc.max_send_message_length", limits.message_bytes),
            ("grpc.max_receive_message_length", limits.message_bytes),
            ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.min_reconnect_backoff_ms", 5000),  # it is the time to connect, too
            ("grpc.max_reconnect_backoff_ms", 2000),
        ],
    )


class Client:
    """The core's services, for whoever holds a token."""

    def __init__(self, channel: grpc.aio.Channel, limits: Limits) -> None:
        self.provisioning = ProvisioningStub(channel)
        self.records = RecordsStub(channel)
        self.authentication = AuthenticationStub(channel)
        self._seconds = limits.call_seconds

    async def call(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Any, Answer], request: "Message", token: str
    ) -> Answer:
        """One call with its caller's token; none where the token is empty.

        Raises:
            ApiError: what the core refused, or why it could not be asked.
        """
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        try:
            return await method(request, metadata=metadata, timeout=self._seconds)
        except grpc.aio.AioRpcError as error:
            found = rest_error(error)
            if int(found.code) >= 500:
                log.error("core: %s: %s", error.code().name, error.details())
            raise found from None
