from collections.abc import Iterable, Iterator, Sequence

from .extract_types import (
    Extracted,
    NumberPolicy,
    NumberSource,
    PostStep,
    Tried,
    number_source,
)
from .sip_types import Request

__all__ = [
    "Extracted",
    "NumberPolicy",
    "NumberSource",
    "NumberSources",
    "PostStep",
    "Tried",
    "contact_place",
    "extract",
    "is_anonymous",
    "number_source",
    "request_place",
    "request_user",
]

class NumberSources:
    """Sources made ready once for many calls; compares and iterates as the tuple of them."""

    sources: tuple[NumberSource, ...]
    def __init__(self, sources: Iterable[NumberSource] = ()) -> None: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[NumberSource]: ...
    def __getitem__(self, place: int) -> NumberSource: ...

def extract(
    message: Request, sources: Sequence[NumberSource] | NumberSources, default_cc: str
) -> Extracted:
    """The number of the first source that yields one; default_cc goes before a national number."""

def is_anonymous(message: Request) -> bool:
    """The caller is withheld: From user `anonymous`, anonymous.invalid, or Privacy but `none`."""

def request_user(message: Request) -> str:
    """The user part of the Request-URI without escapes; empty where it is too long or none."""

def request_place(message: Request) -> str:
    """host[:port] of the Request-URI; empty for a tel URI."""

def contact_place(message: Request) -> str:
    """host[:port] of the first Contact; empty where that is no place to send a call to."""
