"""One request on its way through a handler: what was asked, by whom, and the way to the core."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .client import Client
from .envelope import Rows
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


Handler = Callable[[Call], Awaitable[Rows]]
