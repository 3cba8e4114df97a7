"""The replica is a whole revision of the core at any time, and follows it through anything."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest

from callscreen.edge import replica as replica_module
from callscreen.edge.metrics import Metrics
from callscreen.edge.replica import Replica
from callscreen.v1.replication_pb2 import Changes

from .names import Names


@pytest.fixture
async def replica(channel: grpc.aio.Channel) -> AsyncIterator[Replica[Names]]:
    replica = Replica(
        channel,
        Names,
        Metrics(),
        clock=lambda: 0.0,
        jitter=lambda: 1.0,
        metadata=(("authorization", "Bearer secret"),),
    )
    task = asyncio.create_task(replica.run())
    yield replica
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


Eventually = Callable[..., Any]


def names(replica: Replica[Names]) -> set[str]:
    return replica.view.names if replica.view is not None else set()


async def test_a_snapshot_then_changes(
    core: Any, replica: Replica[Names], eventually: Eventually
) -> None:
    core.note("a")
    core.note("b")
    await eventually(lambda: replica.view is not None)
    assert names(replica) == {"a", "b"}
    assert replica.revision == 2
    await core.commit("c")
    await core.commit("a", put=False)
    await eventually(lambda: replica.revision == 4)
    assert names(replica) == {"b", "c"}
    assert replica.connected
    assert core.metadata[0]["authorization"] == "Bearer secret"


async def test_an_empty_core_is_a_whole_snapshot(
    core: Any, replica: Replica[Names], eventually: Eventually
) -> None:
    await eventually(replica.ready.is_set)
    assert names(replica) == set()
    await core.commit("a")
    await eventually(lambda: names(replica) == {"a"})


async def test_nothing_answers_before_the_snapshot_is_complete(
    core: Any, replica: Replica[Names], eventually: Eventually
) -> None:
    hold = asyncio.Event()

    async def changes_meanwhile() -> None:
        core.note("b")
        core.note("a", put=False)
        await hold.wait()

    core.note("a")
    core.during_snapshot = changes_meanwhile
    await eventually(lambda: core.snapshots == 1)
    await asyncio.sleep(0.05)
    assert replica.view is None
    hold.set()
    await eventually(lambda: replica.view is not None)
    # The chunks were of revision 1; what came while they were sent is in before anybody looks.
    assert names(replica) == {"b"}
    assert replica.revision == 3
    assert replica.view is not None
    assert replica.view.started == 1
    assert replica.view.applied == [2, 3]


async def test_the_last_view_answers_while_the_core_is_gone_and_catches_up(
    core: Any,
    replica: Replica[Names],
    eventually: Eventually,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "callscreen.edge")
    core.note("a")
    await eventually(lambda: replica.view is not None)
    await core.stop()
    await eventually(lambda: not replica.connected)
    core.note("b")
    await asyncio.sleep(0.5)
    assert names(replica) == {"a"}
    await core.start()
    await eventually(lambda: names(replica) == {"a", "b"})
    assert core.snapshots == 1, "the log reached back: no snapshot"
    assert [line.partition(":")[0] for line in caplog.messages] == [
        "index at revision 1",
        "the core is not followed",
        "the core is followed again from revision 1",
    ]


async def test_a_core_that_ends_every_stream_is_told_once(
    core: Any,
    replica: Replica[Names],
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "callscreen.edge")
    monkeypatch.setattr(replica_module, "BACK_OFF_LAST", 0.05)
    await eventually(replica.ready.is_set)
    attempts = 0

    async def ending(request: Any, context: Any) -> AsyncIterator[Any]:
        nonlocal attempts
        attempts += 1
        await context.send_initial_metadata(())
        return
        yield

    watch, core.Follow = core.Follow, ending
    await core.stop()
    await core.start()
    await eventually(lambda: attempts > 4)
    monkeypatch.setattr(replica_module, "CALM_SECONDS", 0.1)
    core.Follow = watch
    await core.stop()
    await core.start()
    await eventually(lambda: replica.connected)  # and no change comes
    assert [line.partition(":")[0] for line in caplog.messages] == [
        "index at revision 0",
        "the core is not followed",
        "the core is followed again from revision 0",
    ]


async def test_a_core_that_comes_late_is_waited_for(
    core: Any, replica: Replica[Names], eventually: Eventually
) -> None:
    await core.stop()
    await asyncio.sleep(0.2)
    assert replica.view is None
    assert not replica.connected
    core.note("a")
    await core.start()
    await eventually(lambda: names(replica) == {"a"})


async def test_a_compacted_log_ends_in_a_snapshot_aside(
    core: Any, replica: Replica[Names], eventually: Eventually
) -> None:
    core.note("a")
    await eventually(lambda: replica.view is not None)
    old = replica.view
    await core.stop()
    core.note("b")
    core.note("c")
    core.compact()
    hold = asyncio.Event()
    core.during_snapshot = hold.wait
    await core.start()
    await eventually(lambda: core.snapshots == 2)
    assert replica.view is old, "the old one answers until the new one is whole"
    assert replica.revision == 1
    hold.set()
    await eventually(lambda: names(replica) == {"a", "b", "c"})
    assert replica.view is not old
    assert old is not None
    assert old.names == {"a"}, "nothing of the new one got into the old one"


async def test_another_store_ends_in_a_snapshot(
    core: Any, replica: Replica[Names], eventually: Eventually
) -> None:
    core.note("a")
    await eventually(lambda: replica.view is not None)
    await core.stop()
    core.store_id, core.revision, core.objects, core.log = "second", 0, {}, {}
    core.note("z")
    await core.start()
    await eventually(lambda: names(replica) == {"z"})
    await core.commit("y")
    await eventually(lambda: names(replica) == {"y", "z"})


async def test_a_gap_in_the_log_is_never_stepped_over(
    core: Any, replica: Replica[Names], eventually: Eventually
) -> None:
    core.note("a")
    await eventually(lambda: replica.view is not None)
    core.note("b")
    del core.log[2]
    await core.commit("c")
    await eventually(lambda: names(replica) == {"a", "b", "c"})
    assert core.snapshots == 2
    assert replica.revision == 3


async def test_a_log_that_steps_back_is_another_history(
    core: Any, replica: Replica[Names], eventually: Eventually
) -> None:
    core.note("a")
    core.note("b")
    await eventually(lambda: replica.view is not None)
    core.note("c")
    core.log[3].revision = 2
    await core.commit("d")
    await eventually(lambda: names(replica) == {"a", "b", "c", "d"})
    assert core.snapshots == 2


async def test_the_lag_is_the_time_from_the_commit_to_the_index(
    core: Any, replica: Replica[Names], eventually: Eventually
) -> None:
    await eventually(replica.ready.is_set)
    core.note("a")
    await core.commit("b")
    await eventually(lambda: replica.revision == 2)
    assert replica.lag == 0.0, "a change without a time says nothing"
    core.note("c")
    core.log[3].time.FromNanoseconds(-250_000_000)  # the clock of the replica stands at 0
    async with core.changed:
        core.changed.notify_all()
    await eventually(lambda: replica.revision == 3)
    assert replica.lag == 0.25


async def test_a_change_that_cannot_be_applied_ends_in_a_snapshot(
    core: Any, replica: Replica[Names], eventually: Eventually
) -> None:
    core.note("a")
    await eventually(lambda: replica.view is not None)
    old = replica.view
    await core.commit("poison")
    await eventually(lambda: replica.revision == 2)
    assert core.snapshots == 2
    assert old is not None
    assert old.names == {"a"}


async def test_changes_during_a_snapshot_of_many_reconnections(
    core: Any, replica: Replica[Names], eventually: Eventually
) -> None:
    for number in range(30):
        await core.commit(f"n{number}")
        if number % 10 == 9:
            await core.stop()
            await core.start()
    await eventually(lambda: replica.revision == 30)
    assert names(replica) == {f"n{number}" for number in range(30)}


async def test_a_snapshot_that_breaks_off_answers_nothing(
    core: Any, replica: Replica[Names], eventually: Eventually
) -> None:
    """Even where the stream ends as if all had been said."""
    core.note("a")
    core.note("b")
    whole, attempts = core.Snapshot, 0

    async def broken(request: Any, context: Any) -> AsyncIterator[Any]:
        nonlocal attempts
        attempts += 1
        async for chunk in whole(request, context):
            if not chunk.complete and attempts < 3:
                yield chunk
                return
            if attempts == 3:
                return
            yield chunk

    await core.stop()
    core.Snapshot = broken
    await core.start()
    await eventually(lambda: attempts == 4)
    await eventually(lambda: replica.view is not None)
    assert names(replica) == {"a", "b"}
    assert replica.revision == 2


async def test_a_fault_of_ours_ends_in_a_snapshot_not_in_silence(
    core: Any,
    replica: Replica[Names],
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    core.note("a")
    await eventually(lambda: replica.view is not None)
    monkeypatch.setattr(replica, "_measure", lambda change: 1 / 0)
    await core.commit("b")
    await eventually(lambda: core.snapshots == 2)
    monkeypatch.undo()
    await core.commit("c")
    await eventually(lambda: names(replica) == {"a", "b", "c"})


async def test_a_core_that_knows_no_follow_is_watched(
    core: Any, replica: Replica[Names], eventually: Eventually
) -> None:
    core.single = True
    core.note("a")
    await eventually(lambda: replica.view is not None)
    await core.commit("b")
    await eventually(lambda: names(replica) == {"a", "b"})
    assert core.snapshots == 1
    core.single = False
    await core.stop()
    await core.start()
    await core.commit("c")
    await eventually(lambda: names(replica) == {"a", "b", "c"})
    assert core.snapshots == 1


async def test_many_changes_of_one_message_are_taken_in_order(
    core: Any, replica: Replica[Names], eventually: Eventually
) -> None:
    follow = core.Follow

    async def together(request: Any, context: Any) -> AsyncIterator[Any]:
        async for _ in follow(request, context):
            await asyncio.sleep(0.05)
            first = request.after.revision + 1
            yield Changes(changes=[core.log[each] for each in range(first, core.revision + 1)])
            await asyncio.sleep(30)

    core.note("a")
    await eventually(lambda: replica.view is not None)
    core.Follow = together
    await core.stop()
    await core.start()
    for number in range(300):
        core.note(f"n{number}")
    async with core.changed:
        core.changed.notify_all()
    await eventually(lambda: replica.revision == 301)
    assert replica.view is not None
    assert replica.view.applied == list(range(2, 302))
    assert core.snapshots == 1


class Pauses(float):
    """A share of none of a pause, which remembers the whole ones."""

    def __new__(cls) -> "Pauses":
        made = super().__new__(cls, 0.0)
        made.whole = []
        return made

    whole: list[float]

    def __rmul__(self, pause: float) -> float:
        self.whole.append(pause)
        return 0.0


@pytest.mark.parametrize("far", [True, False], ids=["out of range", "nonsense"])
async def test_a_core_whose_snapshots_lead_nowhere_is_asked_ever_less_for_them(
    core: Any,
    channel: grpc.aio.Channel,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    far: bool,
) -> None:
    async def follow(self: Any, request: Any, context: Any) -> AsyncIterator[Changes]:
        if far:
            await context.abort(grpc.StatusCode.OUT_OF_RANGE, "take a snapshot")
        yield Changes()

    core.note("a")
    monkeypatch.setattr(type(core), "Follow", follow)
    await core.stop()
    await core.start()
    pauses = Pauses()
    replica = Replica(channel, Names, Metrics(), clock=lambda: 0.0, jitter=lambda: pauses)
    task = asyncio.create_task(replica.run())
    await eventually(lambda: len(pauses.whole) > 12)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert names(replica) == {"a"}
    first = replica_module.BACK_OFF_FIRST
    wanted = [min(first * 2**n, replica_module.SNAPSHOT_LAST) for n in range(1, 12)]
    assert pauses.whole[-12:-1][-1] == replica_module.SNAPSHOT_LAST
    assert [pause for pause in pauses.whole if pause not in wanted] == []
    assert pauses.whole == sorted(pauses.whole)
    told = [each for each in caplog.records if each.levelname == "ERROR"]
    assert len(told) == (0 if far else 1)


async def test_a_core_that_is_followed_again_is_asked_at_once(
    core: Any, channel: grpc.aio.Channel, eventually: Eventually
) -> None:
    core.note("a")
    pauses = Pauses()
    replica = Replica(channel, Names, Metrics(), clock=lambda: 0.0, jitter=lambda: pauses)
    task = asyncio.create_task(replica.run())
    for turn in range(3):
        await eventually(lambda: replica.connected)
        await core.commit(f"b{turn}")
        await eventually(lambda turn=turn: f"b{turn}" in names(replica))
        before = len(pauses.whole)
        await core.stop()
        await eventually(lambda before=before: len(pauses.whole) > before)
        assert pauses.whole[before] == replica_module.BACK_OFF_FIRST
        await core.start()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
