"""Who may send SIP to this edge: a list that may change while it runs.

    [[peer]]
    name = "sbc-1"
    addresses = ["192.0.2.10", "198.51.100.0/24"]
    rate = 500      # calls a second; left out: any number
    burst = 1000    # calls at once beyond that; left out: a second's
    proxy = false   # what it writes in its Via fields is believed

Invariants
1. Nobody but loopback is answered who is not listed.
2. A file that changed is taken whole or not at all (see `renewed`), and read beside the event loop.
   A peer that stays keeps its bucket and its counters.
3. Datagrams of strangers write at most a line every `STRANGER_SECONDS`.
"""

import asyncio
import ipaddress
import logging
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..fastpath.peers import PeerTable
from ..fastpath.peers_types import LOOPBACK, PEERS_MOST, Peer
from ..fastpath.plain import parse_prefix
from ..ops import Add, Family
from ..ops.renewed import Renewed

__all__ = ["PEER_FAMILIES", "PeerList", "read_peers", "trusted"]

log = logging.getLogger("callscreen.edge")

LOOK_SECONDS = 2.0  # between two looks at the file
STRANGER_SECONDS = 10.0
FILE_OCTETS = 4 * 1024 * 1024
NAME_OCTETS = 64
KINDS: dict[str, type] = {"name": str, "addresses": list, "rate": int, "burst": int, "proxy": bool}

PEER_FAMILIES = (
    Family("callscreen_edge_peers", "gauge", "Peers that may send SIP, loopback included."),
    Family(
        "callscreen_edge_peer_calls_total",
        "counter",
        "Calls of a peer: admitted, limited (answered 503 for its rate), or ignored far above it.",
        ("peer", "toll"),
    ),
    Family(
        "callscreen_edge_peer_reloads_failed_total",
        "counter",
        "New lists of peers that could not be taken.",
    ),
)


class PeerList:
    """The table of the moment, from an option, a file, or both."""

    def __init__(self, trust: str = "", file: str = "", ceiling: int = 0) -> None:
        """`trust` lists addresses and CIDR blocks, with commas. ValueError, OSError: a bad list."""
        self._trusted = trusted(trust)
        self._file = Path(file) if file else None
        self._ceiling = ceiling
        self._files = Renewed([self._file] if self._file else [], self._read, log)
        self.table = PeerTable(self._files.made, ceiling)

    @property
    def failures(self) -> int:
        """Of reloads."""
        return self._files.failures

    async def run(self, stranger: Callable[[], tuple[int, str]]) -> None:
        """Looks for a changed file, and tells of strangers, until cancelled; returns only so.

        `stranger` gives how many datagrams of strangers came so far, and an address of the last.
        """
        told = 0
        looks = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            before = self._files.made
            self._take(before, await asyncio.to_thread(self._files.look))
            looks += 1
            count, address = stranger()
            if count > told and looks * LOOK_SECONDS >= STRANGER_SECONDS:
                log.warning(
                    "%d datagrams came from no peer, from %s at last: it is in no list",
                    count - told,
                    address,
                )
                told, looks = count, 0

    def reload(self) -> bool:
        """Takes the file where it changed; whether it was taken."""
        return self._take(self._files.made, self._files.look())

    def _take(self, before: list[Peer], peers: list[Peer]) -> bool:
        """Not in another thread: the buckets and counters of who stays are in use."""
        if peers is before:
            return False
        self.table = PeerTable(peers, self._ceiling, self.table)
        log.info("%d peers may send SIP", len(self.table.given))
        return True

    def admits(self, host: str) -> bool:
        """Whether somebody there may send SIP."""
        return self.table.find(host) is not None

    def show(self, add: Add) -> None:
        """Gives the metrics of the moment."""
        add("callscreen_edge_peers", len(self.table.given))
        add("callscreen_edge_peer_reloads_failed_total", self.failures)
        for name, counts in self.table.counts().items():
            for toll, count in zip(("admitted", "limited", "ignored"), counts, strict=True):
                add("callscreen_edge_peer_calls_total", count, name, toll)

    def _read(self) -> list[Peer]:
        listed = [] if self._file is None else read_peers(self._file)
        every = [*listed, *self._trusted]
        if not any(peer.name == LOOPBACK.name for peer in every):
            every.append(LOOPBACK)
        PeerTable(every, self._ceiling)  # it can be made
        return every


def trusted(text: str) -> list[Peer]:
    """Peers of a list of addresses and CIDR blocks, with commas. Raises ValueError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return [Peer(part, (address(part),)) for part in parts]


def read_peers(path: Path) -> list[Peer]:
    """The peers of a file. Raises OSError, ValueError with what is amiss and where."""
    if path.stat().st_size > FILE_OCTETS:
        raise ValueError(f"{path} has more than {FILE_OCTETS} octets")
    try:
        content = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is no TOML: {error}") from error
    unknown = set(content) - {"peer"}
    if unknown or not isinstance(content.get("peer", []), list):
        raise ValueError(f"{path} holds [[peer]] and nothing else: {', '.join(sorted(unknown))}")
    entries = content.get("peer", [])
    if len(entries) > PEERS_MOST:
        raise ValueError(f"{path}: there are at most {PEERS_MOST} peers")
    peers = [peer(entry, place) for place, entry in enumerate(entries, 1)]
    for name, count in Counter(each.name for each in peers).items():
        if count > 1:
            raise ValueError(f"{path}: two peers are named {name!r}")
    return peers


def peer(entry: Any, place: int) -> Peer:
    """A peer of a file's entry. Raises ValueError."""
    where = f"peer {place}"
    if not isinstance(entry, dict):
        raise ValueError(f"{where} is no table")
    for field, value in entry.items():
        kind = KINDS.get(field)
        if kind is None:
            raise ValueError(f"{where}: no field {field!r}; there are {', '.join(KINDS)}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ValueError(f"{where}: {field} is no {kind.__name__}: {value!r}")
    name = entry.get("name", "")
    if not (name.isascii() and name.isprintable() and 1 <= len(name) <= NAME_OCTETS):
        raise ValueError(f"{where}: a name has 1 to {NAME_OCTETS} printable characters: {name!r}")
    if not entry.get("addresses"):
        raise ValueError(f"{where}: addresses are missing")
    try:
        addresses = tuple(address(each) for each in entry["addresses"])
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    return Peer(
        name, addresses, entry.get("rate", 0), entry.get("burst", 0), entry.get("proxy", False)
    )


def address(text: Any) -> str:
    """An address or a block that was checked. Raises ValueError."""
    if not isinstance(text, str) or parse_prefix(text) is None:
        raise ValueError(f"not an address or a CIDR block: {text!r}")
    network = ipaddress.ip_network(text, strict=False) if "/" in text else None
    if network is not None and "/" in text and str(network) != text:
        raise ValueError(f"host bits are set in {text!r}: is it {network}?")
    return text
