"""Matcher and list decision: the compiled ones against their plain twins, and at size.

python -m bench.decision --full     10 million numbers and 50 million entries: 2 GiB, a minute
python -m bench.decision --keep     the counts of instructions become those to compare with
"""

import random
import sys
import time
from collections.abc import Callable
from statistics import median

from callscreen.fastpath import plain
from callscreen.fastpath.index import Index
from callscreen.fastpath.lists import ListPair
from callscreen.fastpath.masks import MaskSet
from callscreen.fastpath.measure import decisions, mask_lookups
from callscreen.fastpath.reference import Index as ReferenceIndex

from .decision_size import change_figures, count_figures, plan, size_figures, source_figures

NUMBERS, FULL = 1_000_000, 10_000_000
PERSONAL = 4  # entries a number: 3 its own, 1 its subscriber's
PROVIDERS = 100
GLOBAL = 1_000_000  # entries of all providers together
CALLS = 200_000
MASKS = 10_000

Call = tuple[int, str, str, bool]


def number(world: random.Random) -> str:
    return f"+1{world.randrange(2_000_000_000, 9_999_999_999)}"


def provision(
    index: Index | ReferenceIndex, numbers: int, everyone: int, world: random.Random
) -> tuple[list[str], list[list[str]], float]:
    """Fills an index. Gives its numbers, some entries of each, and the seconds of the puts."""
    called = list({number(world) for _ in range(numbers)})
    lists = [[number(world) for _ in range(PERSONAL)] for _ in called]
    shared = [[number(world) for _ in range(everyone // PROVIDERS)] for _ in range(PROVIDERS)]
    start = time.perf_counter()
    for i, entries in enumerate(shared):
        index.put_provider(1, f"provider{i}", [], entries)
        index.put_plan(f"provider{i}", plan(), None)
    for i, (each, own) in enumerate(zip(called, lists, strict=True)):
        owner = f"provider{i % PROVIDERS}", f"subscriber{i}"
        index.put_number(1, *owner, each, own[:2], own[2:3])
        index.put_subscriber(1, *owner, True, frozenset(), [], own[3:], None)
    return called, lists, time.perf_counter() - start


def calls_to(
    called: list[str], lists: list[list[str]], count: int, world: random.Random
) -> list[Call]:
    """Calls to numbers at random, half of them from someone on one of the callee's lists."""
    calls = []
    for place in (world.randrange(len(called)) for _ in range(count)):
        known = world.random() < 0.5
        caller = world.choice(lists[place]) if known else number(world)
        calls.append((1, called[place], caller, False))
    return calls


def nanoseconds(work: Callable[[], object], calls: int) -> float:
    """Of one of the calls that the work makes: the median of five runs."""
    spent = []
    for _ in range(5):
        start = time.perf_counter_ns()
        work()
        spent.append((time.perf_counter_ns() - start) / calls)
    return median(spent)


def mask_figures(count: int = MASKS, tried: int = 100) -> None:
    """Masks of an origination source, against the plain loop."""
    world = random.Random(1)
    masks = [f"+1{world.randrange(200_000, 999_999)}xxxx" for _ in range(count)]
    plainly = [plain.Source(mask, place) for place, mask in enumerate(masks)]
    numbers = [mask.replace("x", "5") for mask in world.choices(masks, k=5000)]
    compiled = MaskSet(masks)
    within = mask_lookups(compiled, numbers, 20)
    some = numbers[:tried]
    ours = nanoseconds(lambda: [compiled.find(each) for each in some], tried)
    theirs = nanoseconds(lambda: [plain.first_match(plainly, each) for each in some], tried)
    print(f"  mask among {count:,}       {within:9.0f} ns in C, {ours:9.0f} ns from Python")
    print(f"  the same, plain Python   {theirs:9.0f} ns   ratio {theirs / ours:,.0f} x")


def list_figures(tried: int = 200) -> None:
    """One list of 1,000 entries, every tenth a mask, against the plain search."""
    world = random.Random(2)
    entries = [number(world) for _ in range(900)]
    entries += [f"+1{world.randrange(200_000, 999_999)}xxxx" for _ in range(100)]
    held, compiled = list(entries), ListPair(entries, [])
    some = [number(world) for _ in range(tried)]
    ours = nanoseconds(lambda: [compiled.find(0, each) for each in some], tried)
    theirs = nanoseconds(lambda: [plain.find(held, each) for each in some], tried)
    print(f"  entry among 1,000        {ours:9.0f} ns from Python")
    print(f"  the same, plain Python   {theirs:9.0f} ns   ratio {theirs / ours:,.0f} x")


def decision_figures(numbers: int = NUMBERS, everyone: int = GLOBAL, count: int = CALLS) -> None:
    """The whole list decision at full size; every access is to a place at random."""
    world = random.Random(3)
    index = Index()
    called, lists, load = provision(index, numbers, everyone, world)
    counts = index.counts()
    entries = counts["entries"]
    print(f"  {counts['numbers']:,} numbers, {entries:,} entries, loaded in {load:.1f} s")
    print(f"  octets an entry          {counts['list_octets'] / entries:9.1f} in lists,", end="")
    print(f" {counts['octets'] / entries:.1f} with numbers, subscribers and names")
    calls = calls_to(called, lists, count, world)
    runs = [decisions(index, calls) for _ in range(5)]
    print(f"  list decision            {median(run.median for run in runs):9.0f} ns median")
    print(f"  list decision            {median(run.p99 for run in runs):9.0f} ns p99")
    print(f"  a loop of decisions      {median(run.one_by_one for run in runs):9.0f} ns each")
    print(f"  in batches of 64         {median(run.batched for run in runs):9.0f} ns each")
    some = calls[:20_000]
    ours = nanoseconds(lambda: [index.screen(*each) for each in some], len(some))
    print(f"  with verdict and trace   {ours:9.0f} ns from Python")


def twin_figures(numbers: int = 2_000, everyone: int = 100_000, count: int = 200) -> None:
    """The whole decision against the plain twin's, on the same provisioning."""
    ours, theirs = Index(), ReferenceIndex()
    called, lists, _ = provision(ours, numbers, everyone, random.Random(4))
    provision(theirs, numbers, everyone, random.Random(4))
    calls = calls_to(called, lists, count, random.Random(5))
    fast = decisions(ours, calls).median
    python = nanoseconds(lambda: [ours.screen(*each) for each in calls], count)
    slow = nanoseconds(lambda: [theirs.screen(*each) for each in calls], count)
    print(f"  decision, plain Python   {slow:9.0f} ns   ratio {slow / fast:,.0f} x in C, ", end="")
    print(f"{slow / python:,.0f} x from Python")


def main() -> None:
    mask_figures()
    list_figures()
    twin_figures()
    decision_figures(NUMBERS // 10, GLOBAL // 10)
    index = size_figures(FULL if "--full" in sys.argv else NUMBERS)
    change_figures(index)
    source_figures()
    count_figures("--keep" in sys.argv)


if __name__ == "__main__":
    main()
