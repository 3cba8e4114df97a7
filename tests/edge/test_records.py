"""A call record that was accepted reaches the core once, whatever happens on the way."""

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from callscreen.edge import records as records_module
from callscreen.edge.metrics import Metrics
from callscreen.edge.records import BATCH_LIMIT, RecordsOut
from callscreen.edge.spool import Spool
from callscreen.v1 import records_pb2

Eventually = Callable[..., Any]

MEMORY = 100_000  # octets


def entry(number: int) -> bytes:
    """A record as it stands in an AppendRequest; all are of one size."""
    batch = records_pb2.AppendRequest()
    batch.records.add(cdr_id=f"id{number:05d}", call_id=f"call{number:05d}")
    return batch.SerializeToString()


def ids(first: int, end: int) -> list[str]:
    return [f"id{number:05d}" for number in range(first, end)]


SIZE = len(entry(0))
ROOM = MEMORY // SIZE  # records that wait in memory


def put(out: RecordsOut, first: int, end: int, block: int = 1) -> None:
    """Hands over records in blocks of that many."""
    for start in range(first, end, block):
        numbers = range(start, min(start + block, end))
        out.put(b"".join(map(entry, numbers)), len(numbers))


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def cut_off(path: Path, octets: int) -> None:
    path.write_bytes(path.read_bytes()[:-octets])


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@asynccontextmanager
async def sending(
    channel: grpc.aio.Channel, metrics: Metrics, folder: Path | None = None, **more: Any
) -> AsyncIterator[RecordsOut]:
    """As an edge does it from its start to its stop."""
    spool = Spool(folder, **more) if folder else None
    metadata = (("authorization", "Bearer secret"),)
    out = RecordsOut(
        channel, metrics, jitter=lambda: 1.0, metadata=metadata, memory=MEMORY, spool=spool
    )
    task = asyncio.create_task(out.run())
    yield out
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    out.leave()


@pytest.fixture
async def out(channel: grpc.aio.Channel, metrics: Metrics) -> AsyncIterator[RecordsOut]:
    async with sending(channel, metrics) as out:
        yield out


async def test_records_go_out_in_batches(
    core: Any, out: RecordsOut, metrics: Metrics, eventually: Eventually
) -> None:
    put(out, 0, 2_400, 100)
    await eventually(lambda: metrics.records_sent == 2_400)
    assert list(core.records) == ids(0, 2_400)
    assert [len(batch) for batch in core.appends] == [BATCH_LIMIT, BATCH_LIMIT, 400]
    assert core.metadata[0]["authorization"] == "Bearer secret"
    assert out.connected
    assert len(out) == 0


async def test_a_lonely_record_does_not_wait_for_company(
    core: Any, out: RecordsOut, metrics: Metrics, eventually: Eventually
) -> None:
    put(out, 1, 2)
    await eventually(lambda: metrics.records_sent == 1, 1.0)
    put(out, 2, 3)
    await eventually(lambda: metrics.records_sent == 2, 1.0)
    assert core.records == {"id00001": "call00001", "id00002": "call00002"}


async def test_a_lost_acknowledgement_makes_no_second_record(
    core: Any, out: RecordsOut, metrics: Metrics, eventually: Eventually
) -> None:
    core.swallow_acknowledgements = 2
    put(out, 1, 3)
    await eventually(lambda: metrics.records_sent == 2)
    assert core.appends == [ids(1, 3)] * 3
    assert list(core.records) == ids(1, 3)


async def test_records_wait_for_a_core_that_is_gone(
    core: Any, out: RecordsOut, metrics: Metrics, eventually: Eventually
) -> None:
    put(out, 0, 1)
    await eventually(lambda: metrics.records_sent == 1)
    await core.stop()
    put(out, 1, 700)
    await eventually(lambda: not out.connected)
    assert len(out) == 699
    await core.start()
    await eventually(lambda: metrics.records_sent == 700)
    assert list(core.records) == ids(0, 700)
    assert metrics.records_lost == 0


async def test_memory_is_bounded_and_what_was_lost_is_said(
    core: Any, out: RecordsOut, metrics: Metrics, eventually: Eventually
) -> None:
    await core.stop()
    put(out, 0, ROOM + 100)
    assert (metrics.records_lost, len(out)) == (100, ROOM)
    await core.start()
    await eventually(lambda: metrics.records_sent == ROOM)
    assert list(core.records) == ids(0, ROOM), "the oldest stay"


@pytest.mark.parametrize("block", [1, 6])
async def test_a_record_that_the_core_refuses_holds_back_no_other(
    core: Any, out: RecordsOut, metrics: Metrics, eventually: Eventually, block: int
) -> None:
    core.refuse = {"id00003"}
    put(out, 0, 6, block)
    await eventually(lambda: metrics.records_sent == 5)
    put(out, 6, 8)
    await eventually(lambda: metrics.records_sent == 7)
    assert sorted(core.records) == [*ids(0, 3), *ids(4, 8)]
    assert metrics.records_refused == 1


async def test_refused_records_are_found_by_halves(
    core: Any,
    out: RecordsOut,
    metrics: Metrics,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records_module, "BATCH_WAIT", 0.2)  # no part waits for company
    core.refuse = {"id00099", "id00700"}
    put(out, 0, 1_000, 1_000)
    await eventually(lambda: metrics.records_refused == 2, 3.0)
    await eventually(lambda: metrics.records_sent == 998, 1.0)
    assert len(core.appends) < 45
    assert len(out) == 0


async def test_what_is_no_record_is_left_out(
    core: Any, out: RecordsOut, metrics: Metrics, eventually: Eventually
) -> None:
    core.refuse = {"id00003"}  # so that the block is divided, which cannot be
    out.put(entry(3) + b"\x12\x7frest", 2)
    put(out, 4, 6)
    await eventually(lambda: metrics.records_sent == 2, 3.0)
    assert metrics.records_refused == 2


async def test_a_core_that_never_answers_is_given_up(
    core: Any,
    out: RecordsOut,
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
    put(out, 1, 2)
    await eventually(silent.is_set)
    await core.stop()
    core.Append = append
    await core.start()
    await eventually(lambda: metrics.records_sent == 1)


async def test_all_is_flushed_at_stop(core: Any, out: RecordsOut, metrics: Metrics) -> None:
    put(out, 0, 900)
    await out.close(2.0)
    assert metrics.records_sent == 900
    assert len(core.records) == 900


async def test_a_stop_does_not_sleep_through_the_core_s_return(
    core: Any, out: RecordsOut, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_module, "BACK_OFF_FIRST", 0.05)
    monkeypatch.setattr(records_module, "BACK_OFF_LAST", 60.0)
    await core.stop()
    put(out, 1, 2)
    await asyncio.sleep(1.0)  # the pause is long by now
    await core.start()
    await out.close(1.5)
    assert metrics.records_sent == 1


async def test_a_stop_without_a_core_ends_in_time_and_counts(
    core: Any,
    channel: grpc.aio.Channel,
    metrics: Metrics,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await core.stop()
    async with sending(channel, metrics) as out:
        put(out, 1, 2)
        await asyncio.wait_for(out.close(0.2), 20)
    assert metrics.records_lost == 1
    assert "1 call records that the core has not taken" in caplog.text


async def test_while_the_core_is_gone_records_go_to_disk_and_then_out_in_order(
    core: Any, channel: grpc.aio.Channel, metrics: Metrics, eventually: Eventually, tmp_path: Path
) -> None:
    async with sending(channel, metrics, tmp_path) as out:
        put(out, 0, 1)
        await eventually(lambda: metrics.records_sent == 1)
        assert out.spooled == 0, "memory is enough while the core takes them"
        await core.stop()
        put(out, 1, 3)
        await eventually(lambda: out.spooled > 0)
        put(out, 3, 3 * ROOM, 7)  # more than memory has room for
        assert len(out) == 3 * ROOM - 1
        await core.start()
        await eventually(lambda: metrics.records_sent == 3 * ROOM)
        assert list(core.records) == ids(0, 3 * ROOM)
        assert (metrics.records_lost, out.spooled, len(out)) == (0, 0, 0)
        put(out, 90_000, 90_001)
        assert out.spooled == 0
        await out.close(2.0)
    assert len(core.records) == 3 * ROOM + 1
    assert names(tmp_path) == []


async def test_a_slow_core_makes_records_go_to_disk_and_none_is_lost(
    core: Any, channel: grpc.aio.Channel, metrics: Metrics, eventually: Eventually, tmp_path: Path
) -> None:
    async with sending(channel, metrics, tmp_path) as out:
        put(out, 0, 5 * ROOM, 100)  # at once: nothing is sent in between
        assert out.spooled > 0
        await eventually(lambda: metrics.records_sent == 5 * ROOM)
    assert list(core.records) == ids(0, 5 * ROOM)


async def test_a_stop_without_a_core_keeps_what_the_next_start_sends(
    core: Any, channel: grpc.aio.Channel, metrics: Metrics, eventually: Eventually, tmp_path: Path
) -> None:
    await core.stop()
    async with sending(channel, metrics, tmp_path) as out:
        put(out, 0, 500, 50)
        await out.close(0.1)
    assert metrics.records_lost == 0
    await core.start()
    again = Metrics()
    async with sending(channel, again, tmp_path) as out:
        assert len(out) == 500
        put(out, 500, 510)
        await eventually(lambda: again.records_sent == 510)
    assert list(core.records) == ids(0, 510)


async def test_a_record_on_disk_that_the_core_refuses_holds_back_no_other(
    core: Any, channel: grpc.aio.Channel, metrics: Metrics, eventually: Eventually, tmp_path: Path
) -> None:
    core.refuse = {"id00123"}
    await core.stop()
    async with sending(channel, metrics, tmp_path) as out:
        put(out, 0, 300, 100)
        await out.close(0.1)
    await core.start()
    async with sending(channel, metrics, tmp_path) as out:
        await eventually(lambda: metrics.records_sent == 299)
        await eventually(lambda: len(out) == 0)
    assert metrics.records_refused == 1
    assert names(tmp_path) == []


async def test_a_full_spool_keeps_the_oldest_and_counts(
    core: Any, channel: grpc.aio.Channel, metrics: Metrics, eventually: Eventually, tmp_path: Path
) -> None:
    await core.stop()
    async with sending(channel, metrics, tmp_path, limit=200 * SIZE) as out:
        put(out, 0, 1)
        await eventually(lambda: out.spooled > 0)
        put(out, 1, 300, 10)
        kept = len(out)
        assert 100 < kept < 200
        assert metrics.records_lost == 300 - kept
        await core.start()
        await eventually(lambda: metrics.records_sent == kept)
    assert list(core.records) == ids(0, kept)


async def test_a_disk_that_fails_is_told_once_and_memory_holds_the_records(
    core: Any,
    channel: grpc.aio.Channel,
    metrics: Metrics,
    eventually: Eventually,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(self: Spool, block: Any) -> bool:
        raise OSError(errno.ENOSPC, "no space")

    await core.stop()
    async with sending(channel, metrics, tmp_path) as out:
        with monkeypatch.context() as patched:
            patched.setattr(Spool, "append", full)
            put(out, 0, 3)
            await eventually(lambda: "kept on disk" in caplog.text)
            put(out, 3, ROOM + 50)
        assert metrics.records_lost == 50
        assert [line for line in caplog.messages if "kept on disk" in line] == [
            "call records cannot be kept on disk: [Errno 28] no space"
        ]
        put(out, ROOM, ROOM + 10)  # the disk works again
        await core.start()
        await eventually(lambda: metrics.records_sent == ROOM + 10)
    assert sorted(core.records) == ids(0, ROOM + 10)


async def test_what_a_failing_disk_left_in_memory_goes_there_once_it_works(
    core: Any,
    channel: grpc.aio.Channel,
    metrics: Metrics,
    eventually: Eventually,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No new record is needed for it, though some are on disk already."""

    def full(self: Spool, block: Any) -> bool:
        raise OSError(errno.ENOSPC, "no space")

    await core.stop()
    async with sending(channel, metrics, tmp_path) as out:
        put(out, 0, 3)
        await eventually(lambda: out.spooled > 0)
        with monkeypatch.context() as patched:
            patched.setattr(Spool, "append", full)
            put(out, 3, 9)
            assert out.disk_failing
            before = out.spooled
        await eventually(lambda: not out.disk_failing)
        assert out.spooled >= before + 6 * SIZE
        await core.start()
        await eventually(lambda: metrics.records_sent == 9)
        assert len(out) == 0
    assert sorted(core.records) == ids(0, 9)


async def test_a_damaged_segment_costs_what_is_damaged(
    core: Any, channel: grpc.aio.Channel, metrics: Metrics, eventually: Eventually, tmp_path: Path
) -> None:
    await core.stop()
    async with sending(channel, metrics, tmp_path) as out:
        put(out, 0, 10)
        await out.close(0.1)
    (name,) = set(names(tmp_path))
    cut_off(tmp_path / name, 3)
    await core.start()
    async with sending(channel, metrics, tmp_path) as out:
        await eventually(lambda: metrics.records_sent == 9)
        await eventually(lambda: len(out) == 0)
    assert (metrics.records_lost, list(core.records)) == (1, ids(0, 9))


@pytest.mark.parametrize("what", ["fill", "sync", "take", "settle"])
async def test_a_fault_of_ours_is_told_and_ends_nothing(
    core: Any,
    channel: grpc.aio.Channel,
    metrics: Metrics,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    what: str,
) -> None:
    monkeypatch.setattr(records_module, "SYNC_SECONDS", 0.01)
    async with sending(channel, metrics, tmp_path) as out:
        sound = getattr(out._waiting, what)
        faults = 0

        def faulty(*given: Any) -> Any:
            nonlocal faults
            if faults < 3:
                faults += 1
                raise RuntimeError("a fault of ours")
            return sound(*given)

        monkeypatch.setattr(out._waiting, what, faulty)
        put(out, 0, 20)
        await eventually(lambda: faults == 3 and metrics.records_sent == 20)
    assert list(core.records) == ids(0, 20)
    told = [each for each in caplog.records if each.levelname == "ERROR"]
    assert told
    assert all(each.exc_info for each in told)
