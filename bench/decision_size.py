"""The decision at full size, what changes cost beside it, and how many instructions it takes.

The world is made in C and told again by place (fastpath/measure_world.pyx): each number has four
entries, and a subscriber of its own who has one more; a hundred providers share a list each.
"""

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from callscreen.fastpath.index import Index, Operation, PlanStep, SourceNumbers
from callscreen.fastpath.measure_world import calls, entries, fill, memory_access

__all__ = ["change_figures", "count_figures", "size_figures", "source_figures"]

PROVIDERS = 100
EVERYONE = 10_000  # entries of a provider's own list
LONG = 1_000_000  # entries of the list that is replaced
RUNS = 5
CALLS = 200_000
FIRST_LONG = 1 << 40  # place from which on entries are on no other list
COUNTS = Path(__file__).with_name("decision_counts.json")  # instructions a call, as they were kept
COUNTED = 20_000  # numbers and calls
MORE = 1.05  # of the kept count: from there on it is said
TOGETHER = 64  # changes in a transaction


def plan() -> list[PlanStep]:
    lists = {"personal": True, "global_list": True}
    return [
        PlanStep("whitelist", 1, match="continue", **lists),
        PlanStep("blacklist", 2, match="terminate", **lists),
    ]


def world(numbers: int, everyone: int) -> Index:
    index = Index()
    for place in range(PROVIDERS):
        name = f"provider{place}"
        index.put_provider(1, name, [], entries(place * everyone, everyone))
        index.put_plan(name, plan(), None)
    fill(index, numbers, PROVIDERS)
    return index


def size_figures(numbers: int, everyone: int = EVERYONE, count: int = CALLS) -> Index:
    start = time.perf_counter()
    index = world(numbers, everyone)
    spent = time.perf_counter() - start
    counts = index.counts()
    held = counts["entries"]
    print(f"  {counts['numbers']:,} numbers, {held:,} entries, provisioned in {spent:.1f} s")
    print(f"  octets an entry          {counts['list_octets'] / held:9.1f} in lists,", end="")
    print(f" {counts['octets'] / held:.1f} with numbers, subscribers and names")
    made = [calls(index, numbers, count, salt) for salt in range(RUNS)]
    timed = [each.timed() for each in made]
    octets = max(counts["octets"], 1 << 20)
    print(f"  one access to memory     {memory_access(octets, count):9.0f} ns, at random")
    print(f"  decision, at {numbers:<11,} {median(run[0] for run in timed):9.0f} ns median")
    print(f"                           {median(run[1] for run in timed):9.0f} ns p99")
    print(f"  a loop of decisions      {median(each.one_by_one() for each in made):9.0f} ns each")
    print(f"  in batches of 64         {median(each.batched() for each in made):9.0f} ns each")
    if not any(each.treatments() for each in made):
        raise ValueError("every decision was next: the calls measure nothing")
    return index


def change_figures(index: Index, changes: int = 20_000, long: int = LONG) -> None:
    """One long list replaced, and changes of numbers' lists in groups."""
    texts = entries(FIRST_LONG, long)
    before = index.memory()["long_lists"]
    spent = []
    for _ in range(RUNS):
        start = time.perf_counter()
        index.put_provider(1, "everyone", [], texts)
        spent.append(time.perf_counter() - start)
    held = (index.memory()["long_lists"] - before) / 2**20
    print(
        f"  a list of {long:<14,} {median(spent) * 1e3:9.0f} ms to build and to switch to,", end=""
    )
    print(f" {held:.1f} MiB at rest")
    index.drop_provider(1, "everyone")
    operations: list[Operation] = [
        ("put_number", (1, "provider1", f"c{i % 1000}", f"+1999{i:07}", [], [text, text]))
        for i, text in enumerate(texts[:changes])
    ]
    spent = []
    for _ in range(RUNS):
        start = time.thread_time()
        for first in range(0, len(operations), TOGETHER):
            index.commit(operations[first : first + TOGETHER], 1)
        spent.append((time.thread_time() - start) / len(operations))
    print(f"  a change of its lists    {median(spent) * 1e9:9.0f} ns, {TOGETHER} in a transaction")


def source_figures(count: int = 10_000, tried: int = 5_000) -> None:
    """Origination sources: a look-up among them, and what a change of one costs."""

    def source(place: int, mask: str) -> Operation:
        groups = [
            SourceNumbers([f"+1{200 + i}{place:04}*", mask], "o", "B", "c", i) for i in (0, 1)
        ]
        address = f"10.{place // 256}.{place % 256}"
        prefixes = [f"{address}.0/24", f"2001:db8:{place:x}::/48"]
        return "put_source", (f"p{place % 100}", f"s{place}", prefixes, "id", "A", "c", groups)

    index, chance = Index(), random.Random(1)
    index.commit([source(place, "+44*") for place in range(count)], 1)
    asked = [
        f"10.{place // 256}.{place % 256}.7" for place in chance.choices(range(count), k=tried)
    ]
    start = time.perf_counter()
    found = [index.origination(each, "+12015550000") for each in asked]
    spent = (time.perf_counter() - start) / tried
    print(f"  a source among {count:<9,} {spent * 1e9:9.0f} ns from Python, masks and all")
    if None in found:
        raise ValueError("a source was not found: the look-ups measure nothing")
    changed = []
    for turn in range(RUNS):
        start = time.perf_counter()
        index.commit([source(turn, "+49*")], 1)
        changed.append(time.perf_counter() - start)
    print(f"  a source changed         {median(changed) * 1e3:9.2f} ms, all prefixes laid out anew")


def counted(way: str) -> None:
    """What callgrind looks at: one pass over calls to a small world."""
    index = world(COUNTED, 100)
    getattr(calls(index, COUNTED, COUNTED, 1), way)()


def instructions(way: str) -> int:
    """A call's, as callgrind counts them within that method of Calls."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                *("valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out"),
                f"--toggle-collect=*measure_5Calls_*{way}*",
                *(sys.executable, "-m", "bench.decision_size", way),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    line = next(each for each in done.stderr.splitlines() if "Collected :" in each)
    return round(int(line.rsplit(":", 1)[1]) / COUNTED)


def count_figures(keep: bool = False) -> None:
    if shutil.which("valgrind") is None:
        print("  instructions             not counted: valgrind is not installed")
        return
    kept = json.loads(COUNTS.read_text())
    now = {way: instructions(way) for way in kept}
    for way, count in now.items():
        more = "" if count <= kept[way] * MORE else "  MORE than was kept"
        print(f"  instructions, {way:<10} {count:9,} a call; kept: {kept[way]:,}{more}")
    if keep:
        COUNTS.write_text(json.dumps(now, indent=2) + "\n")


if __name__ == "__main__":
    counted(sys.argv[1])
