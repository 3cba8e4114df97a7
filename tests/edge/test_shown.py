"""What an edge shows: each number against the calls placed, and readiness."""

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from callscreen import metrics_page
from callscreen.edge.capturing import CaptureConfig
from callscreen.edge.memory import Budget, FullError
from callscreen.edge.metrics import Metrics
from callscreen.edge.shown import FAMILIES, Shown
from callscreen.edge.streaming import StreamConfig
from callscreen.ops import Instruments

from .running import edge, phone, provision


def values(instruments: Instruments) -> dict[str, dict[tuple[str, ...], float]]:
    """Values by sample and by labels, in the order of the labels' names."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(instruments.text().decode()):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


async def test_calls_answers_and_drops_are_counted(core):
    provision(core)
    instruments = Instruments("edge", "1")
    async with edge(core, instruments=instruments) as address, phone(address) as caller:
        await caller.call("+15550001111")
        await caller.call("+15550001111", "OPTIONS")
        caller.transport.sendto(b"no SIP at all")
        await caller.call("+15550001111")
        found = values(instruments)
        assert sum(found["callscreen_edge_calls_total"].values()) == 2
        assert found["callscreen_edge_call_duration_seconds_count"][()] == 2
        assert found["callscreen_edge_datagrams_received_total"][()] == 4
        assert sum(found["callscreen_edge_answers_total"].values()) == 3
        assert found["callscreen_edge_answers_total"]["200",] == 1
        assert sum(found["callscreen_edge_datagrams_dropped_total"].values()) == 1
        assert found["callscreen_edge_index_revision"][()] == core.revision
        assert found["callscreen_edge_index_behind_revisions"][()] == 0
        assert found["callscreen_edge_records_made_total"][()] == 2
        for family in FAMILIES:
            name = family.name + ("_count" if family.kind == "histogram" else "")
            assert name in found, name
        assert await instruments.health.why_not() == ""
    assert await instruments.health.why_not() == "stopping"


class Following:
    """What readiness asks of a replica."""

    view: object = None
    quiet = 0.0

    def __init__(self) -> None:
        self.budget = Budget(1, lambda: 0.0)

    def silence(self) -> float:
        return self.quiet


@pytest.mark.parametrize(
    ("view", "quiet", "why"),
    [
        (None, 0.0, "the index is not loaded"),
        (object(), 0.0, ""),
        (object(), 60.0, ""),
        (object(), 61.0, "the core has not been followed for 61 seconds"),
    ],
)
async def test_readiness(view, quiet, why):
    replica = Following()
    replica.view, replica.quiet = view, quiet
    shown = Shown(Metrics(), replica, (), (), (), 60.0)  # type: ignore[arg-type]
    assert await shown.ready() == why


async def test_an_edge_at_its_limit_of_memory_is_not_ready():
    replica = Following()
    replica.view = object()
    shown = Shown(Metrics(), replica, (), (), (), 60.0)  # type: ignore[arg-type]
    replica.budget.refuse(FullError("too much"))
    assert await shown.ready() == "the index is at its limit of memory, and behind the core"
    replica.budget.relieve()
    assert await shown.ready() == ""


async def test_silence_begins_when_the_core_is_lost(core):
    provision(core)
    instruments = Instruments("edge", "1")
    async with edge(core, instruments=instruments) as address, phone(address) as caller:
        await caller.call("+15550001111")
        await core.stop()
        for _ in range(300):
            if values(instruments)["callscreen_edge_core_silence_seconds"][()] > 0:
                return
            await asyncio.sleep(0.01)
    raise AssertionError("the silence was not noticed")


async def test_all_that_an_edge_shows_is_on_the_page(core):
    provision(core)
    instruments = Instruments("edge", "1")
    with_all = {"streams": StreamConfig(), "capture": CaptureConfig("127.0.0.1:9")}
    async with edge(core, instruments=instruments, **with_all):
        found = {family.name for table in instruments.tables for family in table.families}
    known = {family.name for families in metrics_page.PARTS.values() for family in families}
    assert len(found) > 50
    assert found <= known
