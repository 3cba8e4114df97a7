"""Our edge while it is disturbed: a list replaced, changes, a restart, and all of it for long.

python -m bench.edge.disturbed [replace] [changes] [restart] [soak] [--count N] [--seconds S] …

The worker has the serving core for itself; changes are made by the edge's other threads, which
share the generator's core: so latency is taken from the send itself to the arrival of the answer by
the kernel's clock. Every answer is compared with what the call has to get.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .measure import Seen, command, measured, seen
from .servers import Server, edge_of, end_on_sigterm, make_replica, ours
from .workload import COUNT

__all__ = ["main"]

CHANGES = 20_000  # list changes a second
SOAK_SHARE = 0.8  # of the ceiling
SOAK_SLICE = 10.0  # seconds of one look
SETTLED = 0.1  # of the slices: by then tables that fill as calls come have been touched
JUNK = 20  # a broken datagram after so many calls
GROWTH = 1.02  # of resident memory, that is no growth
Given = argparse.Namespace


@contextmanager
def calling(server: Server, **options: Any) -> Any:
    """The generator runs while the context does; the list holds what it saw, at the end."""
    found: list[Seen] = []
    before = server.cpu()
    with subprocess.Popen(
        command(server.port, **options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield found
        output, said = process.communicate()
    found.append(seen(json.loads(output), server.cpu() - before, said))


def ceiling(server: Server, given: Given) -> float:
    """Right answers a second, at most, where calls come one by one as they do at a rate: the median
    of three."""
    options = {**load(given), "plain": True, "seconds": given.look}
    some = [measured(server, **options).rate for _ in range(3)]
    return statistics.median(some)


def load(given: Given) -> dict[str, Any]:
    """Of the list only what is in both lists is called."""
    return {"subscribers": given.count, "listed": given.count // 2}


def told(name: str, each: Seen) -> None:
    print(
        f"  {name:28}{each.rate:12,.0f}/s  lost {each.lost:,}  wrong {each.wrong:,}  "
        f"p50 {each.p50:,.1f} us  p99 {each.p99:,.1f} us  longest {each.largest:,.0f} us",
        flush=True,
    )


def replace(given: Given) -> None:
    """The provider's list of a million numbers by another, at half load."""
    with ours(given.count, "--apart") as server:
        server.tell("prepare")
        rate = ceiling(server, given) / 2
        options = {**load(given), "rate": rate, "seconds": given.seconds, "stamped": True}
        alone, beside, commits = [], [], []
        for _ in range(given.rounds):
            alone.append(measured(server, **options))
            with calling(server, **options) as found:
                time.sleep(given.seconds / 4)
                for _ in range(2):
                    commits.append(server.tell("replace")["commit"])
            beside.append(found[0])
        middle = given.rounds // 2
        quiet, moved = (sorted(some, key=lambda s: s.p99)[middle] for some in (alone, beside))
        told("undisturbed, half load", quiet)
        told("a list replaced twice", moved)
        lost, wrong = sum(s.lost for s in beside), sum(s.wrong for s in beside)
        print(f"  replacing took {statistics.median(commits):.2f} s; of all rounds ", end="")
        print(f"lost {lost}, wrong {wrong}; p99 {moved.p99 / max(quiet.p99, 0.01):.2f} x (<= 2)")


def changes(given: Given) -> None:
    """As many calls as it can, with and without list changes beside them."""
    with ours(given.count, "--apart") as server:
        ceiling(server, given)
        without, beside, made = [], [], []
        for _ in range(given.rounds):
            without.append(measured(server, **load(given), seconds=given.seconds))
            with calling(server, **load(given), seconds=given.seconds) as found:
                said = server.tell(f"changes {CHANGES} {given.seconds + 0.5}")
            beside.append(found[0])
            made.append(said["changes"] / said["seconds"])
        told("without changes", sorted(without)[len(without) // 2])
        told("with changes", sorted(beside)[len(beside) // 2])
        share = statistics.median(s.rate for s in beside) / statistics.median(
            s.rate for s in without
        )
        print(f"  {statistics.median(made):,.0f} changes/s applied, calls x {share:.2f} (>= 0.9)")


def restart(given: Given) -> None:
    """The edge's process started from its replica, until its first right answer."""
    with tempfile.TemporaryDirectory() as folder:
        path = make_replica(Path(folder), given.count)
        size = path.stat().st_size / given.count
        print(f"  {given.count:,} numbers, each with a list: {size:.0f} octets of file a number")
        for _ in range(given.rounds):
            begun = time.perf_counter()
            with edge_of(Path(folder)) as server:
                first = measured(server, **load(given), warm=0, seconds=0.01, window=1, burst=1)
                passed = time.perf_counter() - begun
                print(f"  first right answers within {passed:.2f} s (<= 5), wrong {first.wrong}")
                told("from then on", measured(server, **load(given), warm=0, seconds=given.look))


def slice_of(server: Server, given: Given, rate: float, seconds: float) -> Seen:
    """Calls at a rate, beside changes, a list replaced, and broken datagrams."""
    options = {**load(given), "rate": rate, "seconds": seconds, "warm": 0, "junk": JUNK}
    with calling(server, **options) as found:
        server.tell(f"changes {CHANGES // 4} {seconds / 2}")
        server.tell("replace")
    return found[0]


def sustained(server: Server, given: Given, rate: float) -> float:
    """The rate, less a tenth and again, at which a slice loses nothing.

    A server that has to take what comes at its time finds fewer calls at once than one that is
    always behind, and joins fewer answers.
    """
    while slice_of(server, given, rate, SOAK_SLICE).lost:
        rate *= 0.9
    return rate


def soak(given: Given) -> None:
    """For long, at most of what it can, with changes and broken datagrams.

    What it can is what it answers without a loss, disturbed alike.
    """
    with ours(given.count, "--apart") as server:
        server.tell("prepare")
        above = ceiling(server, given)
        looks = [slice_of(server, given, above, given.seconds) for _ in range(3)]
        rate = statistics.median(each.rate for each in looks)
        print(f"  {above:,.0f}/s undisturbed; {rate:,.0f}/s disturbed, where more comes")
        rate = sustained(server, given, rate)
        print(f"  {rate:,.0f}/s without a loss: the ceiling")
        rate *= SOAK_SHARE
        time.sleep(0.5)
        before = server.tell("memory")["records"]
        answered = lost = wrong = 0
        sizes = []
        end = time.monotonic() + given.soak
        while time.monotonic() < end:
            found = slice_of(server, given, rate, SOAK_SLICE)
            told(f"at {SOAK_SHARE:.0%}", found)
            answered += found.sent - found.lost
            lost, wrong = lost + found.lost, wrong + found.wrong
            sizes.append(server.memory())
        time.sleep(0.5)
        records = server.tell("memory")["records"] - before
        print(f"  {answered:,} calls answered, {records:,} records, ", end="")
        print(f"{max(answered - records, 0):,} of them missing; lost {lost:,}, wrong {wrong:,}")
        first, last = sizes[int(len(sizes) * SETTLED)], sizes[-1]
        print(f"  resident {first / 2**20:,.0f} MiB, then {last / 2**20:,.0f} MiB ", end="")
        print("(no growth)" if last <= GROWTH * first else "(GROWTH)")


ALL: dict[str, Callable[[Given], None]] = {
    "replace": replace,
    "changes": changes,
    "restart": restart,
    "soak": soak,
}


def main() -> None:
    reader = argparse.ArgumentParser(prog="python -m bench.edge.disturbed", description=__doc__)
    reader.add_argument("names", nargs="*", choices=[*ALL, []], help="all where none is named")
    reader.add_argument("--count", type=int, default=COUNT, help="of each kind of data")
    reader.add_argument("--seconds", type=float, default=4.0, help="of one measurement")
    reader.add_argument("--look", type=float, default=1.0, help="seconds, to find the ceiling")
    reader.add_argument("--rounds", type=int, default=3)
    reader.add_argument("--soak", type=float, default=600.0, help="seconds")
    given = reader.parse_args()
    end_on_sigterm()
    for name in given.names or ALL:
        print(f"{name}: {(ALL[name].__doc__ or '').strip().splitlines()[0]}", flush=True)
        ALL[name](given)


if __name__ == "__main__":
    main()
