"""The decision, its matchers and their plain twins, at sizes that a test run can afford."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from callscreen.fastpath.index import Index
from callscreen.fastpath.lists import ListPair
from callscreen.fastpath.masks import MaskSet
from callscreen.fastpath.reference import Index as ReferenceIndex

from . import decision, decision_size

NUMBERS, EVERYONE, CALLS = 200, 1_000, 50


@pytest.mark.parametrize("make", [Index, ReferenceIndex], ids=["compiled", "plain"])
def test_a_decision_with_its_verdict(
    benchmark: Callable[..., Any], make: type[Index] | type[ReferenceIndex]
) -> None:
    index, world = make(), random.Random(1)
    called, lists, _ = decision.provision(index, NUMBERS, EVERYONE, world)
    calls = decision.calls_to(called, lists, CALLS, world)
    verdicts = benchmark(lambda: [index.screen(*each) for each in calls])
    assert {each.reason for each in verdicts} == {"whitelist", "blacklist", "default_treatment"}


def test_a_list_look_up(benchmark: Callable[..., Any]) -> None:
    world = random.Random(2)
    entries = [decision.number(world) for _ in range(1_000)]
    pair = ListPair(entries, [])
    assert benchmark(lambda: all(pair.find(0, each) == each for each in entries))


def test_a_mask_look_up(benchmark: Callable[..., Any]) -> None:
    masks = [f"+1{place}xxxx" for place in range(200_000, 201_000)]
    table = MaskSet(masks)
    numbers = [mask.replace("x", "5") for mask in masks]
    assert benchmark(lambda: all(table.find(each) for each in numbers))


def test_every_figure_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    decision.mask_figures(200, 5)
    decision.list_figures(5)
    decision.twin_figures(50, 1_000, 20)
    decision.decision_figures(500, 1_000, 200)
    index = decision_size.size_figures(500, 20, 200)
    decision_size.change_figures(index, 100, 2_000)
    decision_size.source_figures(100, 50)
    printed = capsys.readouterr().out
    for words in (
        "ratio",
        "octets an entry",
        "median",
        "p99",
        "from Python",
        "to switch to",
        "anew",
    ):
        assert words in printed
