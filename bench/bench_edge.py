"""The tools of `make bench-edge`, with a little data: every server answers every call right.

That is what makes their figures comparable: generator, Kamailio's configuration and our data say
the same numbers, notations and answers, each in its own language.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from .edge.measure import measured
from .edge.servers import Server, echo, find_kamailio, kamailio, ours, whole

COUNT = 1_000  # of each kind of data
SHORT = {"subscribers": COUNT, "seconds": 0.2, "warm": 0, "window": 64, "burst": 16, "grace": 5}


@pytest.fixture(scope="module")
def edge() -> Iterator[Server]:
    with ours(COUNT) as server:
        yield server


def all_right(server: Server, **options: Any) -> None:
    found = measured(server, **{**SHORT, "listed": COUNT, **options})
    assert found.sent > 0
    assert found.wrong == 0
    assert found.lost == 0


@pytest.mark.parametrize("options", [{}, {"ack": True}, {"plain": True}, {"rate": 500}])
def test_our_edge_answers_the_load(edge: Server, options: dict[str, Any]) -> None:
    all_right(edge, **options)


def test_our_edge_answers_beside_what_is_no_call(edge: Server) -> None:
    all_right(edge, junk=3)


def test_the_generator_notices_wrong_answers(edge: Server) -> None:
    """Numbers that are not provisioned, taken for those that are."""
    wrong = {**SHORT, "listed": COUNT, "subscribers": 50 * COUNT, "seed": 7}
    assert measured(edge, **wrong).wrong > 0


def test_lists_change_while_calls_are_answered(edge: Server) -> None:
    edge.tell("prepare")
    edge.tell("replace")
    all_right(edge, listed=COUNT // 2)
    assert measured(edge, **SHORT, listed=COUNT).wrong > 0  # the other half has been replaced
    edge.tell("replace")
    all_right(edge)
    assert edge.tell("changes 1000 0.2")["changes"] > 0
    all_right(edge)


@pytest.mark.parametrize("words", [(), ("--no-segmentation",)])
def test_the_edge_as_it_is_run_answers_the_load(words: tuple[str, ...]) -> None:
    with whole(COUNT, *words) as server:
        all_right(server)
        all_right(server, ack=True, junk=5)


@pytest.mark.parametrize("mode", ["plain", "segment", "joined"])
def test_the_echoes_give_back_what_came(mode: str) -> None:
    with echo(mode) as server:
        all_right(server, echo=True)


@pytest.mark.skipif(
    find_kamailio() is None and os.environ.get("CI") != "true",  # there its absence is a failure
    reason="kamailio is missing: install Debian's package to run this",
)
def test_kamailio_answers_the_load() -> None:
    with kamailio(COUNT) as server:
        all_right(server)
        all_right(server, ack=True)
