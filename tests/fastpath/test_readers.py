"""Threads that decide without lock and GIL while the index changes: none torn, nothing leaked."""

import random
import threading
from collections.abc import Callable, Iterator

import pytest

from callscreen.fastpath.index import EngineSettings, Index, Operation, PlanStep
from callscreen.fastpath.watching import Watch

TURNS = 300
ONE, TWO, CALLER, SOURCE = "+15850000001", "+15850000002", "+17165550001", "192.0.2.1"
PAIR = tuple((1, called, CALLER, False, SOURCE) for called in (ONE, TWO))
ANYBODY = [f"+1312555{i:04}" for i in range(3000)]
PLAN = [
    PlanStep("blacklist", 1, personal=True, global_list=True, match="terminate"),
    PlanStep("whitelist", 2, personal=True, match="continue"),
]
Story = Callable[[int, random.Random], list[Operation]]


def number(number: str, name: str, entries: list[str]) -> Operation:
    return "put_number", (1, f"p-{name}", name, number, [], entries)


def subscriber(name: str, entries: list[str], mail: str | None = None) -> Operation:
    return "put_subscriber", (1, f"p-{name}", name, True, frozenset(), [], entries, mail)


def base() -> list[Operation]:
    operations: list[Operation] = []
    for held, name in ((ONE, "alice"), (TWO, "bob")):
        operations.append(("put_plan", (f"p-{name}", PLAN, None)))
        operations.append(number(held, name, []))
    return operations


def in_numbers_lists(turn: int, _: random.Random) -> list[Operation]:
    entries = [CALLER, "+1999*"] if turn % 2 else ["+1999*"]
    return [number(ONE, "alice", entries), number(TWO, "bob", entries)]


def in_subscribers_lists(turn: int, _: random.Random) -> list[Operation]:
    entries = [CALLER] if turn % 2 else []
    mail = f"{'m' * (turn % 90)}@vm.example"
    return [subscriber("alice", entries, mail), subscriber("bob", entries, mail)]


def in_long_lists(turn: int, world: random.Random) -> list[Operation]:
    """Long enough to lie beside the arena, and for a table of their own in the kernel."""
    entries = ANYBODY[: world.randint(100, 3000)] + ([CALLER] if turn % 2 else [])
    return [("put_provider", (1, f"p-{name}", [], entries)) for name in ("alice", "bob")]


def in_being_there(turn: int, _: random.Random) -> list[Operation]:
    if turn % 2:
        return [("drop_number", (1, ONE)), ("drop_number", (1, TWO))]
    return [number(ONE, "alice", [CALLER]), number(TWO, "bob", [CALLER])]


def in_settings(turn: int, _: random.Random) -> list[Operation]:
    told = EngineSettings(default_treatment="terminate", egress_route=f"gw{turn}.example")
    if turn % 3 == 0:
        return [("drop_settings", (1, f"p-{name}")) for name in ("alice", "bob")]
    return [("put_settings", (1, f"p-{name}", told)) for name in ("alice", "bob")]


def in_criteria(turn: int, world: random.Random) -> list[Operation]:
    """A record that is more or less close selects one of two providers, or none is there."""
    if turn % 3 == 0:
        return [("drop_criteria", (f"p-{name}", "g")) for name in ("alice", "bob")]
    some = [f"10.{world.randrange(256)}.0.0/16" for _ in range(world.randint(0, 20))]
    entries = [CALLER] if turn % 3 == 1 else []
    return [
        ("put_criteria", ("p-alice", "g", ["192.0.2.0/24", *some], [], [])),
        ("put_criteria", ("p-bob", "g", ["192.0.2.0/28"], [], [])),
        ("put_provider", (1, "p-bob", [], entries)),
    ]


def in_growth(turn: int, world: random.Random) -> list[Operation]:
    """Tables grow and shrink again around the two numbers, which have the caller or not."""
    rest = random.Random(turn // 2)
    others = [f"+44{rest.randrange(10**9):09}" for _ in range(300)]
    if turn % 2:
        operations: list[Operation] = [("drop_number", (1, other)) for other in others]
    else:
        operations = [
            ("put_number", (1, f"q{i % 40}", f"s{i}-{turn}", other, [], [CALLER]))
            for i, other in enumerate(others)
        ]
    return operations + in_numbers_lists(turn, world)


STORIES = [
    in_numbers_lists,
    in_subscribers_lists,
    in_long_lists,
    in_being_there,
    in_settings,
    in_criteria,
    in_growth,
]


def saw_both(watch: Watch) -> bool:
    """Both treatments, and enough of them."""
    return watch.rounds > TURNS and len(watch.treatments()) == 2


@pytest.mark.parametrize("story", STORIES, ids=lambda each: each.__name__)
def test_each_decision_is_that_of_a_whole_transaction(story: Story) -> None:
    index, world = Index(), random.Random(7)
    index.commit(base(), 1)
    watches = [Watch(index, [(PAIR[0], PAIR[1])] * 4) for _ in range(2)]
    threads = [threading.Thread(target=watch.run) for watch in watches]
    for thread in threads:
        thread.start()
    try:
        turn = 0
        while turn < TURNS or not all(saw_both(watch) for watch in watches):
            index.commit(story(turn, world), turn + 2)
            turn += 1
    finally:
        for watch in watches:
            watch.stop()
        for thread in threads:
            thread.join()
    assert [watch.differing for watch in watches] == [0, 0]
    assert index.tidy() == 0


def test_what_was_given_up_stays_while_somebody_reads() -> None:
    index = Index()
    index.commit(base(), 1)
    watch = Watch(index, [(PAIR[0], PAIR[1])])
    index.commit(in_long_lists(1, random.Random(1)), 2)
    watch.enter()
    for turn in range(10):
        index.commit(in_long_lists(turn, random.Random(turn)), 3)
    assert index.counts()["given_up"] == index.tidy() > 0
    assert index.memory()["long_lists"] > 3 * index.counts()["list_octets"]  # of what is in force
    watch.leave()
    assert index.tidy() == 0
    assert index.memory()["long_lists"] <= index.counts()["list_octets"]


def test_a_reader_that_began_later_holds_nothing_up() -> None:
    index = Index()
    index.commit(base(), 1)
    first, second = (Watch(index, [(PAIR[0], PAIR[1])]) for _ in range(2))
    first.enter()
    index.commit(in_numbers_lists(1, random.Random(1)), 2)
    index.commit(in_numbers_lists(2, random.Random(1)), 3)
    second.enter()
    left = index.counts()["given_up"]
    first.leave()
    assert (left, index.tidy()) == (2, 0)  # both numbers had no list before the first of the two
    index.commit(in_numbers_lists(3, random.Random(1)), 4)
    assert index.tidy() == 2
    del second  # a reader that is gone reads nothing
    assert index.tidy() == 0


@pytest.mark.parametrize("story", STORIES, ids=lambda each: each.__name__)
def test_nothing_leaks(story: Story) -> None:
    index = Index()
    watch = Watch(index, [(PAIR[0], PAIR[1])])
    used = []
    for again in range(3):
        world = random.Random(3)
        index.commit(base(), 1)
        for turn in range(30):
            watch.enter()
            index.commit(story(turn, world), 2)
            watch.leave()
        for held in (ONE, TWO):
            index.drop_number(1, held)
        for name in ("alice", "bob"):
            index.drop_subscriber(1, f"p-{name}", name)
            index.drop_provider(1, f"p-{name}")
            index.drop_settings(1, f"p-{name}")
            index.drop_plan(f"p-{name}")
            index.drop_criteria(f"p-{name}", "g")
        assert index.tidy() == 0
        counts = index.counts()
        assert (counts["numbers"], counts["subscribers"], counts["entries"]) == (0, 0, 0)
        used.append(counts["used_octets"] if again else 0)
    assert used[1] == used[2] == index.counts()["used_octets"]
    assert Index().counts()["used_octets"] == used[2]


class Ending(list[str]):
    """Entries of a list that drop a reader whenever they are read."""

    def __init__(self, readers: list[Watch]) -> None:
        super().__init__([CALLER])
        self._readers = readers

    def __iter__(self) -> Iterator[str]:
        if self._readers:
            self._readers.pop()
        return super().__iter__()


def test_a_reader_may_end_in_the_midst_of_a_commit() -> None:
    """As where memory is collected then: whoever ends waits for no lock that its thread holds."""
    index = Index()
    index.commit(base(), 1)
    readers = [Watch(index, [PAIR]) for _ in range(8)]
    entries = Ending(readers)
    thread = threading.Thread(target=index.commit, args=([number(ONE, "alice", entries)], 2))
    thread.daemon = True
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    assert index.revision == 2
    readers.clear()
    index.commit([number(ONE, "alice", [])], 3)
    assert index.counts()["given_up"] == 0
