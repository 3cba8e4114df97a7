"""Where the work at hand comes from: set at the rim, read where a log line or audit row is made.

Invariants:
1. Each call, job and chore has an origin of its own; tasks that it begins inherit it.
2. What a stranger wrote is held within its limits and in plain printable ASCII.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

REQUEST_ID: Final = re.compile(r"[!-~]{1,128}")
METHOD: Final = re.compile(r"[A-Za-z][A-Za-z0-9./]{0,63}")
ADDRESS: Final = re.compile(r"[0-9A-Fa-f:.]{2,45}")

# What the gateway says of the request that it passes on, in gRPC metadata.
REQUEST_ID_KEY: Final = "x-request-id"
ADDRESS_KEY: Final = "x-client-address"
METHOD_KEY: Final = "x-method"


@dataclass(frozen=True, slots=True)
class Origin:
    """`method` is the HTTP verb or the gRPC method; `started` is in Unix seconds, 0.0: unknown."""

    request_id: str = ""
    source_ip: str = ""
    method: str = ""
    job_id: str = ""
    started: float = 0.0


class Later:
    """An origin that is read only where somebody asks for it: few calls need theirs."""

    __slots__ = ("_made", "_read")

    def __init__(self, read: Callable[[], Origin]) -> None:
        self._read = read
        self._made: Origin | None = None

    def get(self) -> Origin:
        if self._made is None:
            self._made = self._read()
        return self._made


_current: ContextVar[Origin | Later] = ContextVar("origin", default=Origin())  # noqa: B039


def current() -> Origin:
    """The origin of the work at hand; an empty one where nobody set any."""
    of = _current.get()
    return of.get() if isinstance(of, Later) else of


def told() -> dict[str, str]:
    """What a log line says of the origin of the work at hand."""
    of = current()
    return {"request_id": of.request_id, "job_id": of.job_id}


def begin(of: Origin | Later) -> None:
    """Sets the origin for the rest of the task: for generators, which end in another context."""
    _current.set(of)


@contextmanager
def origin(of: Origin) -> Iterator[None]:
    """Sets the origin for a block."""
    before = _current.set(of)
    try:
        yield
    finally:
        _current.reset(before)


def read_origin(
    metadata: Mapping[str, str], peer: str, believed: bool, method: str, started: float
) -> Origin:
    """The origin of a gRPC call; what metadata claims counts only of a peer that is believed."""
    request_id = metadata.get(REQUEST_ID_KEY, "")
    address = metadata.get(ADDRESS_KEY, "") if believed else ""
    verb = metadata.get(METHOD_KEY, "") if believed else ""
    return Origin(
        request_id=request_id if REQUEST_ID.fullmatch(request_id) else "",
        source_ip=address if ADDRESS.fullmatch(address) else peer,
        method=verb if METHOD.fullmatch(verb) else method,
        started=started,
    )


def peer_address(peer: str) -> str:
    """The address in gRPC's name of a peer: "ipv4:127.0.0.1:5" or "ipv6:[::1]:5"; else ""."""
    kind, _, rest = peer.partition(":")
    if kind not in ("ipv4", "ipv6"):
        return ""
    host = rest.rpartition(":")[0].replace("%5B", "[").replace("%5D", "]")
    return host.strip("[]").partition("%")[0]


__all__ = [
    "ADDRESS_KEY",
    "METHOD_KEY",
    "REQUEST_ID_KEY",
    "Later",
    "Origin",
    "begin",
    "current",
    "origin",
    "peer_address",
    "read_origin",
    "told",
]
