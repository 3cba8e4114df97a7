"""One request on its way through a handler: what was asked, by whom, and the way to the core."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..schema.names import MAX_NAME, format_name
from .client import Client
from .envelope import Rows
from .errors import ApiError
from .request import Headers, Query

__all__ = ["Call", "Handler"]


@dataclass(slots=True)
class Call:
    """A request that was read but for its JSON."""

    product: str
    type: str  # the object type of the route
    key: tuple[str, ...]  # the decoded path parts after the object
    headers: Headers
    query: Query
    token: str  # empty where the route needs none
    body: bytes
    client: Client

    @property
    def name(self) -> str:
        """The resource name that the path stands for.

        Raises:
            ApiError: it is longer than any can be.
        """
        name = format_name(self.product, self.type, self.key)
        if len(name) > MAX_NAME:
            raise ApiError(400, "The path is too long.")
        return name


Handler = Callable[[Call], Awaitable[Rows]]
