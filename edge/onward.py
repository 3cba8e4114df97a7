"""Proxy mode at the rim: which address our Via names, where egress routes lead, what is counted.

Invariants
1. No worker waits for a name: one that it does not know yet is resolved here, and calls are
   redirected until it is. A name that is not found any more keeps the address it had.
2. Proxy mode does not start where responses could come from nowhere: the Via names one address, and
   there are peers beyond loopback unless all of it is loopback.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable, Sequence

from ..fastpath.forwarding import Forwarding, NameTable, OnwardTable
from ..fastpath.forwarding_types import NAMES_MOST, parse_sent_by
from ..fastpath.peers_types import LOOPBACK, Peer
from ..ops import Add, Family
from .sockets import format_address, parse_address

__all__ = ["MODES", "ONWARD_FAMILIES", "Onward", "check_mode"]

log = logging.getLogger("callscreen.edge")

MODES = ("redirect", "proxy")
ONWARD_LIMIT = 131_072  # calls remembered, 256 octets each
LOOK_SECONDS = 0.5  # between two looks for names that workers want
REFRESH_SECONDS = 60.0  # that an address of a name holds
RESOLVE_SECONDS = 5.0  # given to a resolver
SIP_PORT = "5060"

ONWARD_FAMILIES = (
    Family(
        "callscreen_edge_requests_forwarded_total",
        "counter",
        "Calls and what belongs to them sent on to their egress route, in proxy mode.",
    ),
    Family(
        "callscreen_edge_responses_relayed_total",
        "counter",
        "Responses brought back to callers, in proxy mode.",
    ),
    Family(
        "callscreen_edge_not_forwarded_total",
        "counter",
        "Calls redirected or refused, and responses dropped, in proxy mode, by why.",
        ("reason",),
    ),
)


def check_mode(mode: str, via: str, sip: str, peers: Sequence[Peer]) -> None:
    """Raises ValueError where a mode is none, or proxy mode could not work."""
    if mode not in MODES:
        raise ValueError(f"mode is one of {', '.join(MODES)}: {mode!r}")
    if mode == "redirect":
        return
    host, port = parse_address(sip)
    try:
        parse_sent_by(via or format_address((host, port or int(SIP_PORT))))
    except ValueError as error:
        raise ValueError(f"proxy mode needs an address for its Via (--via): {error}") from error
    if not is_loopback(host) and all(peer.name == LOOPBACK.name for peer in peers):
        raise ValueError("proxy mode needs peers: responses of strangers are dropped (--trust)")


def is_loopback(host: str) -> bool:
    """Whether only this host itself can send there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Onward:
    """The forwarding of all threads of an edge; `address` is the one that was bound."""

    def __init__(self, via: str, secret: bytes, address: str) -> None:
        self._via, self._secret = via or address, secret
        self._table = OnwardTable(ONWARD_LIMIT)
        self._names: dict[str, str] = {}
        self._made: list[Forwarding] = []

    def make(self) -> Forwarding:
        """The forwarding of one more worker."""
        self._made.append(Forwarding(self._via, self._secret, self._table))
        return self._made[-1]

    async def run(self, *takers: Callable[[NameTable], None]) -> None:
        """Resolves what workers want and hands it to each of `takers`, until cancelled."""
        loop = asyncio.get_running_loop()
        refresh = loop.time() + REFRESH_SECONDS
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            wanted = {made.wanted for made in self._made} - {""} - self._names.keys()
            if loop.time() >= refresh:
                wanted |= self._names.keys()
                refresh = loop.time() + REFRESH_SECONDS
            if wanted and await self.resolve(wanted):
                names = NameTable(self._names)
                for take in takers:
                    take(names)

    async def resolve(self, wanted: set[str]) -> bool:
        """Looks names up; whether any leads elsewhere than before."""
        found = await asyncio.gather(*(look_up(name) for name in wanted))
        before = dict(self._names)
        for name, address in zip(wanted, found, strict=True):
            if not address and not before.get(name):
                log.warning("the egress route %s is not found: its calls are redirected", name)
            if name in before or len(self._names) < NAMES_MOST:
                self._names[name] = address or before.get(name, "")
        return self._names != before

    def show(self, add: Add) -> None:
        """Gives the metrics of the moment."""
        add("callscreen_edge_requests_forwarded_total", sum(made.sent for made in self._made))
        add("callscreen_edge_responses_relayed_total", sum(made.relayed for made in self._made))
        reasons: dict[str, int] = {}
        for made in self._made:
            for word, count in made.refused.items():
                reasons[word] = reasons.get(word, 0) + count
        for word, count in reasons.items():
            add("callscreen_edge_not_forwarded_total", count, word)


async def look_up(name: str) -> str:
    """ADDRESS:PORT of HOST[:PORT], "" where there is none."""
    host, _, port = name.partition(":")
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError, TimeoutError, UnicodeError, ValueError):
        found = await asyncio.wait_for(
            loop.getaddrinfo(host, int(port or SIP_PORT), type=socket.SOCK_DGRAM), RESOLVE_SECONDS
        )
        found.sort(key=lambda each: each[0] != socket.AF_INET)
        return format_address((str(found[0][4][0]), int(found[0][4][1])))
    return ""
