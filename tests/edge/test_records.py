"""A call record that was accepted reaches the core once, whatever happens on the way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest

from callscreen.edge import records as records_module
from callscreen.edge.metrics import Metrics
from callscreen.edge.records import BATCH_LIMIT, RecordsOut

Eventually = Callable[..., Any]


def fields(number: int) -> dict[str, Any]:
    """Of a record, which is but a number here; a negative one makes no message."""
    if number < 0:
        return {"cdr_id": number}
    return {"cdr_id": f"id{number}", "call_id": f"call{number}"}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def out(channel: grpc.aio.Channel, metrics: Metrics) -> AsyncIterator[RecordsOut[int]]:
    out = RecordsOut(
        channel,
        metrics,
        fields=fields,
        jitter=lambda: 1.0,
        metadata=(("authorization", "Bearer secret"),),
        limit=2_000,
    )
    task = asyncio.create_task(out.run())
    yield out
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_records_go_out_in_batches(
    core: Any, out: RecordsOut[int], metrics: Metrics, eventually: Eventually
) -> None:
    for number in range(1200):
        out.put(number)
    await eventually(lambda: metrics.records_sent == 1200)
    assert list(core.records) == [f"id{number}" for number in range(1200)]
    assert [len(batch) for batch in core.appends] == [BATCH_LIMIT, BATCH_LIMIT, 200]
    assert core.metadata[0]["authorization"] == "Bearer secret"
    assert out.connected
    assert len(out) == 0


async def test_a_lonely_record_does_not_wait_for_company(
    core: Any, out: RecordsOut[int], metrics: Metrics, eventually: Eventually
) -> None:
    out.put(1)
    await eventually(lambda: metrics.records_sent == 1, 1.0)
    out.put(2)
    await eventually(lambda: metrics.records_sent == 2, 1.0)
    assert core.records == {"id1": "call1", "id2": "call2"}


async def test_a_lost_acknowledgement_makes_no_second_record(
    core: Any, out: RecordsOut[int], metrics: Metrics, eventually: Eventually
) -> None:
    core.swallow_acknowledgements = 2
    out.put(1)
    out.put(2)
    await eventually(lambda: metrics.records_sent == 2)
    assert core.appends == [["id1", "id2"]] * 3
    assert core.records == {"id1": "call1", "id2": "call2"}


async def test_records_wait_for_a_core_that_is_gone(
    core: Any, out: RecordsOut[int], metrics: Metrics, eventually: Eventually
) -> None:
    out.put(0)
    await eventually(lambda: metrics.records_sent == 1)
    await core.stop()
    for number in range(1, 700):
        out.put(number)
    await eventually(lambda: not out.connected)
    assert len(out) == 699
    await core.start()
    await eventually(lambda: metrics.records_sent == 700)
    assert list(core.records) == [f"id{number}" for number in range(700)]
    assert metrics.records_lost == 0


async def test_the_queue_is_bounded_and_says_what_it_lost(
    core: Any, out: RecordsOut[int], metrics: Metrics, eventually: Eventually
) -> None:
    await core.stop()
    for number in range(2_100):
        out.put(number)
    assert (metrics.records_made, metrics.records_lost, len(out)) == (2_100, 100, 2_000)
    await core.start()
    await eventually(lambda: metrics.records_sent == 2_000)
    assert list(core.records) == [f"id{number}" for number in range(2_000)], "the oldest stay"


async def test_a_record_that_the_core_refuses_holds_back_no_other(
    core: Any, out: RecordsOut[int], metrics: Metrics, eventually: Eventually
) -> None:
    core.refuse = {"id3"}
    for number in range(6):
        out.put(number)
    await eventually(lambda: metrics.records_sent == 5)
    assert sorted(core.records) == ["id0", "id1", "id2", "id4", "id5"]
    assert metrics.records_refused == 1


async def test_a_core_that_never_answers_is_given_up(
    core: Any,
    out: RecordsOut[int],
    metrics: Metrics,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records_module, "ACKNOWLEDGE_WAIT", 0.1)
    append = core.Append
    silent = asyncio.Event()

    async def mute(request_iterator: Any, context: Any) -> AsyncIterator[Any]:
        async for _ in request_iterator:
            silent.set()
            await asyncio.sleep(60)
            yield

    await core.stop()
    core.Append = mute
    await core.start()
    out.put(1)
    await eventually(silent.is_set)
    await core.stop()
    core.Append = append
    await core.start()
    await eventually(lambda: metrics.records_sent == 1)


async def test_all_is_flushed_at_stop(core: Any, out: RecordsOut[int], metrics: Metrics) -> None:
    for number in range(900):
        out.put(number)
    await out.close(2.0)
    assert metrics.records_sent == 900
    assert len(core.records) == 900


async def test_a_stop_does_not_sleep_through_the_core_s_return(
    core: Any, out: RecordsOut[int], metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_module, "BACK_OFF_FIRST", 0.05)
    monkeypatch.setattr(records_module, "BACK_OFF_LAST", 60.0)
    await core.stop()
    out.put(1)
    await asyncio.sleep(1.0)  # the pause is long by now
    await core.start()
    await out.close(1.5)
    assert metrics.records_sent == 1


async def test_a_stop_without_a_core_ends_in_time_and_counts(
    core: Any, out: RecordsOut[int], metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    await core.stop()
    out.put(1)
    await asyncio.wait_for(out.close(0.2), 1.0)
    assert metrics.records_lost == 1
    assert "1 call records that the core has not taken" in caplog.text


async def test_a_record_that_makes_no_message_is_counted_and_stops_nothing(
    core: Any,
    out: RecordsOut[int],
    metrics: Metrics,
    eventually: Eventually,
    caplog: pytest.LogCaptureFixture,
) -> None:
    core.swallow_acknowledgements = 1  # the batch is made twice, the fault is counted once
    for number in (0, -1, 1, -2):
        out.put(number)
    await eventually(lambda: metrics.records_sent == 2)
    out.put(-3)  # nothing else is in this batch
    await eventually(lambda: metrics.records_refused == 3)
    out.put(2)
    await eventually(lambda: metrics.records_sent == 3)
    assert list(core.records) == ["id0", "id1", "id2"]
    assert core.appends == [["id0", "id1"], ["id0", "id1"], ["id2"]]
    assert len(out) == 0
    assert caplog.messages.count("2 call records make no message") == 1


async def test_records_that_go_one_by_one_do_not_wait_for_company(
    core: Any,
    out: RecordsOut[int],
    metrics: Metrics,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records_module, "BATCH_WAIT", 0.2)
    core.refuse = {"id99"}
    for number in range(100):
        out.put(number)
    await eventually(lambda: metrics.records_refused == 1, 3.0)
    assert metrics.records_sent == 99
