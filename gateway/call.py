"""One request on its way through a handler: what was asked, by whom, and the way to the core."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import grpc

from ..schema.names import MAX_NAME, format_name
from .client import Client, Metadata
from .config import GatewayConfig
from .download import Download
from .envelope import Rows
from .errors import ApiError
from .request import Headers, Query, Receive, json_object, read_body

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["Call", "Handler"]

Answer = TypeVar("Answer", bound="Message")


@dataclass(slots=True)
class Call:
    """A request whose body was not read yet."""

    product: str
    type: str  # the object type of the route
    key: tuple[str, ...]  # the decoded path parts that stand for fields
    headers: Headers
    query: Query
    metadata: Metadata  # what the core is told of who asks
    secure: bool  # the request came over TLS
    receive: Receive  # the body's next piece
    client: Client
    config: GatewayConfig

    @property
    def name(self) -> str:
        """The resource name that the path stands for.

        Raises:
            ApiError: it is longer than any can be.
        """
        return self.named(self.type, self.key)

    def named(self, type_: str, key: tuple[str, ...]) -> str:
        """A resource name of the call's product.

        Raises:
            ApiError: it is longer than any can be.
        """
        name = format_name(self.product, type_, key)
        if len(name) > MAX_NAME:
            raise ApiError(400, "The path is too long.")
        return name

    async def json(self, empty: bytes = b"") -> dict[str, Any]:
        """The JSON object in the body; `empty` is read where there is no body.

        Raises:
            ApiError: it is too long, or no JSON object.
            Disconnected: it ended before it was whole.
        """
        body = await read_body(self.headers, self.receive, self.config.limits)
        return json_object(self.headers, body or empty)

    async def ask(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Any, Answer], request: "Message"
    ) -> Answer:
        """One call of the core. Raises ApiError."""
        return await self.client.call(method, request, self.metadata)

    def stream(
        self, method: grpc.aio.UnaryStreamMultiCallable[Any, Answer], request: "Message"
    ) -> AsyncGenerator[Answer, None]:
        """A stream from the core. Raises ApiError."""
        return self.client.receive(method, request, self.metadata)


Handler = Callable[[Call], Awaitable[Rows | Download]]
