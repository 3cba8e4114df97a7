"""What a part answers on its admin endpoint besides what every part does.

Invariants:
1. Only GET is answered. A page that streams ends with its generator, with the connection, or after
   STREAM_SECONDS.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import NamedTuple

__all__ = ["PLAIN", "Answer", "Asked", "Offer", "Pieces"]

PLAIN = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """A page: its status, its text and the type of that."""

    status: int
    body: bytes
    type: str = PLAIN


class Asked(NamedTuple):
    """A request: its query, the last of values of one name, and its Authorization header."""

    query: Mapping[str, str]
    authorization: str


class Pieces(NamedTuple):
    """A page whose text comes piece by piece."""

    pieces: AsyncGenerator[bytes]
    type: str = PLAIN


Offer = Callable[[Asked], Answer | Pieces]
