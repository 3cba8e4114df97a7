"""One table: our edge, Kamailio and bare echoes, in one run, each figure the median of five.

python -m bench.edge [--quick] [--count N] [--seconds S] [--rounds N] [--plain] [--only NAME,…]

The servers are all up at once, on the second core, and are called in turns, so that a moment in
which the machine is slower falls on all of them. A server that is not called sleeps.
"""

import argparse
import statistics
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from .measure import Seen, measured
from .quiet import wait_until_quiet
from .servers import Server, echo, end_on_sigterm, find_kamailio, kamailio, whole
from .workload import COUNT

__all__ = ["main"]

LATENCY_RATE = 44_000  # calls a second, half of what Kamailio can do
WARM_SECONDS = 8.0  # before the first round, once: Kamailio meets the pages of its tables
WAYS: dict[str, dict[str, Any]] = {
    "INVITE": {},
    "INVITE + ACK": {"ack": True},
    "latency": {"rate": LATENCY_RATE, "stamped": True},
}
ECHOES = {
    "echo": "plain",
    "echo, UDP_SEGMENT": "segment",
    "echo, UDP_GRO and UDP_SEGMENT": "joined",
}
PEER = "Kamailio -x fm -X fm"
PLAIN, SEGMENT = "ours, plain sends", "ours, UDP_SEGMENT"


@dataclass
class Row:
    """What was seen of one server, by the way it was called."""

    server: Server
    options: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, list[Seen]] = field(default_factory=lambda: {way: [] for way in WAYS})

    def median(self, way: str, what: str) -> float:
        values = [getattr(each, what) for each in self.seen[way]]
        return statistics.median(values) if values else 0.0


def started(stack: ExitStack, count: int, only: list[str]) -> dict[str, Row]:
    def wanted(name: str) -> bool:
        return not only or any(word in name for word in only)

    rows = {
        name: Row(stack.enter_context(echo(mode)), {"echo": True})
        for name, mode in ECHOES.items()
        if wanted(name)
    }
    if find_kamailio() and wanted(PEER):
        rows[PEER] = Row(stack.enter_context(kamailio(count)))
    if wanted(PLAIN):
        rows[PLAIN] = Row(stack.enter_context(whole(count, "--no-segmentation")))
    if wanted(SEGMENT):
        rows[SEGMENT] = Row(stack.enter_context(whole(count)))
    return rows


def measure(rows: dict[str, Row], given: argparse.Namespace) -> None:
    common = {"subscribers": given.count, "listed": given.count, "plain": given.plain}
    for row in rows.values():
        if not row.options:
            measured(row.server, **common, warm=0, seconds=given.warm)
    for turn in range(given.rounds):
        for name, row in rows.items():
            for way, options in WAYS.items():
                if row.options and way == "INVITE + ACK":
                    continue  # an echo has no answer to acknowledge
                wait_until_quiet(given.patience)
                seen = measured(
                    row.server, **common, **row.options, **options, seconds=given.seconds
                )
                row.seen[way].append(seen)
                if given.verbose:
                    print(f"  {turn} {name}, {way}: {seen}", flush=True)


def show(rows: dict[str, Row]) -> None:
    print(f"{'':32}{'INVITE/s':>12}{'us each':>9}{'with ACK/s':>12}{'us each':>9}", end="")
    print(f"{'p50 us':>9}{'p99 us':>9}{'lost':>8}{'wrong':>7}")
    for name, row in rows.items():
        print(f"{name:32}", end="")
        for way in ("INVITE", "INVITE + ACK"):
            print(f"{row.median(way, 'rate'):12,.0f}{row.median(way, 'cost'):9.2f}", end="")
        print(f"{row.median('latency', 'p50'):9.1f}{row.median('latency', 'p99'):9.1f}", end="")
        every = [seen for all_seen in row.seen.values() for seen in all_seen]
        print(f"{sum(each.lost for each in every):8,}{sum(each.wrong for each in every):7,}")
    print(f"times are of {LATENCY_RATE:,} calls a second; `us each` is the server's processor time")


@dataclass(frozen=True)
class Target:
    """`reached` is compared with `bound`; a factor is of `peer`."""

    what: str
    reached: float
    bound: float
    at_most: bool = False

    def __str__(self) -> str:
        met = self.reached <= self.bound if self.at_most else self.reached >= self.bound
        bound = f"{'<=' if self.at_most else '>='} {self.bound:g}"
        return f"{'met   ' if met else 'MISSED'} {self.what}: {self.reached:.2f} ({bound})"


def ratio(rows: dict[str, Row], name: str, peer: str, way: str, what: str = "rate") -> float:
    own, other = rows[name].median(way, what), rows[peer].median(way, what)
    return own / other if other else 0.0


def targets(rows: dict[str, Row]) -> list[Target]:
    found = []
    for name, factor, bare, share in (
        (PLAIN, 2.3, "echo", 0.75),
        (SEGMENT, 4.0, "echo, UDP_SEGMENT", 0.40),
    ):
        if name not in rows:
            continue
        if PEER in rows:
            for way in ("INVITE", "INVITE + ACK"):
                found.append(
                    Target(f"{name}, {way}, x Kamailio", ratio(rows, name, PEER, way), factor)
                )
        elif bare in rows:
            part = ratio(rows, name, bare, "INVITE")
            found.append(Target(f"{name}, share of the {bare}", part, share))
        found.append(
            Target(f"{name}, p50 in us", rows[name].median("latency", "p50"), 25.0, at_most=True)
        )
        if PEER in rows:
            limit = rows[PEER].median("latency", "p99")
            own = rows[name].median("latency", "p99")
            found.append(Target(f"{name}, p99 in us beside Kamailio's", own, limit, at_most=True))
    return found


def main() -> None:
    reader = argparse.ArgumentParser(prog="python -m bench.edge", description=__doc__)
    reader.add_argument("--quick", action="store_true", help="a look: short rounds, three of each")
    reader.add_argument("--count", type=int, default=COUNT, help="of each kind of data")
    reader.add_argument("--seconds", type=float, default=2.0, help="of one measurement")
    reader.add_argument("--rounds", type=int, default=5)
    reader.add_argument("--warm", type=float, default=WARM_SECONDS, help="seconds, before all")
    reader.add_argument("--plain", action="store_true", help="the generator joins no datagrams")
    reader.add_argument("--only", default="", help="parts of servers' names, with commas")
    reader.add_argument("--patience", type=float, default=0, help="seconds, for an idle machine")
    reader.add_argument("--verbose", action="store_true", help="each measurement")
    given = reader.parse_args()
    end_on_sigterm()
    if given.quick:
        given.seconds, given.rounds, given.warm = 0.5, 3, min(given.warm, 3.0)
    with ExitStack() as stack:
        rows = started(stack, given.count, [word for word in given.only.split(",") if word])
        measure(rows, given)
    if not find_kamailio():
        print("kamailio is not installed: the echoes are the peers")
    show(rows)
    for target in targets(rows):
        print(target)


if __name__ == "__main__":
    main()
