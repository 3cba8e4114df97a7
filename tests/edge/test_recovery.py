"""A replica that starts again: from its disk, then from the core, at its limit of memory too."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from callscreen.edge import keeping, memory
from callscreen.edge import local as local_module
from callscreen.edge import replica as replica_module
from callscreen.edge.local import Local
from callscreen.edge.metrics import Metrics
from callscreen.edge.replica import Replica

from .names import Names

Eventually = Callable[..., Any]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "KEEP_SECONDS", 0.01)


@asynccontextmanager
async def running(
    channel: grpc.aio.Channel, folder: Path | None, limit: int = 0
) -> AsyncIterator[Replica[Names]]:
    local = Local(folder, Names) if folder else None
    now = asyncio.get_running_loop().time
    replica = Replica(
        channel,
        Names,
        Metrics(),
        clock=now,
        jitter=lambda: 1.0,
        local=local,
        memory_limit=limit,
    )
    task = asyncio.create_task(replica.run())
    try:
        yield replica
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def names(replica: Replica[Names]) -> set[str]:
    return replica.view.names if replica.view is not None else set()


async def test_an_edge_that_starts_with_the_core_gone_answers(
    core: Any, channel: grpc.aio.Channel, tmp_path: Path, eventually: Eventually
) -> None:
    core.note("a")
    async with running(channel, tmp_path) as replica:
        await eventually((tmp_path / "image-0000000001").exists)
        await core.commit("b")
        await core.commit("a", put=False)
        await eventually(lambda: replica.revision == 3)
    await core.stop()
    async with running(channel, tmp_path) as replica:
        await asyncio.wait_for(replica.ready.wait(), 20)
        assert (names(replica), replica.revision) == ({"b"}, 3)
        assert not replica.connected
        core.note("c")
        await core.start()
        await eventually(lambda: replica.revision == 4)
        assert names(replica) == {"b", "c"}
    assert core.snapshots == 1
    async with running(channel, tmp_path) as replica:
        await eventually(lambda: replica.revision == 4)
        assert names(replica) == {"b", "c"}


@pytest.mark.parametrize("how", ["compacted", "another store", "another epoch", "gone back"])
async def test_where_the_log_does_not_reach_back_a_snapshot_is_taken_and_kept(
    core: Any, channel: grpc.aio.Channel, tmp_path: Path, eventually: Eventually, how: str
) -> None:
    core.note("a")
    core.note("b")
    async with running(channel, tmp_path):
        await eventually((tmp_path / "image-0000000001").exists)
    core.note("c")
    if how == "compacted":
        core.compact()
    elif how == "another store":
        core.store_id = "second"
    elif how == "another epoch":
        core.epoch = 2
    else:
        core.revision, core.objects, core.log, core.epoch = 0, {}, {}, 2
        core.note("c")
    async with running(channel, tmp_path) as replica:
        await eventually(lambda: replica.revision == core.revision)
        assert names(replica) == set(core.objects)
        assert core.snapshots == 2
        await eventually((tmp_path / "image-0000000002").exists)
    await core.stop()
    async with running(channel, tmp_path) as replica:
        await asyncio.wait_for(replica.ready.wait(), 20)
        assert names(replica) == set(core.objects)
        assert replica.revision == core.revision


async def test_images_are_made_while_changes_come(
    core: Any,
    channel: grpc.aio.Channel,
    tmp_path: Path,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local_module, "JOURNAL_CHANGES", 5)
    monkeypatch.setattr(local_module, "SHARE", 0)
    async with running(channel, tmp_path) as replica:
        await eventually(lambda: replica.local and replica.local.images == 1)
        assert replica.local is not None
        while replica.local.images < 3:  # each after JOURNAL_CHANGES more
            await core.commit(f"n{core.revision}")
            await asyncio.sleep(0.002)
        last = core.revision
        await eventually(lambda: replica.revision == last)
    await core.stop()
    async with running(channel, tmp_path) as replica:
        await eventually(replica.ready.is_set)
        assert names(replica) == {f"n{number}" for number in range(last)}


async def test_a_fault_while_keeping_is_told_once_and_stops_nothing(
    core: Any,
    channel: grpc.aio.Channel,
    tmp_path: Path,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(channel, tmp_path) as replica:
        await eventually((tmp_path / "image-0000000001").exists)
        assert replica.local is not None
        monkeypatch.setattr(replica.local, "sync", lambda: 1 / 0)
        await eventually(lambda: replica.local.failure)
        await core.commit("a")
        await eventually(lambda: names(replica) == {"a"})
        monkeypatch.undo()
    assert ["is not kept" in line for line in caplog.messages].count(True) == 1


async def test_a_want_of_memory_ends_no_keeping(
    core: Any,
    channel: grpc.aio.Channel,
    tmp_path: Path,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def short(self: Names, token: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(local_module, "RETRY_SECONDS", 0.01)
    with monkeypatch.context() as patch:
        patch.setattr(Names, "saver", short)
        async with running(channel, tmp_path) as replica:
            assert replica.local is not None
            await eventually(lambda: replica.local.failure == "MemoryError")
            patch.undo()
            await eventually(lambda: replica.local.images == 1)
            assert replica.local.failure == ""


async def test_no_view_is_left_while_its_changes_go_to_disk(
    core: Any,
    channel: grpc.aio.Channel,
    tmp_path: Path,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The file is not closed under the thread that syncs it: that would look like a bad disk."""
    core.note("a")
    syncing, go_on = threading.Event(), threading.Event()
    left: list[str] = []

    def slow(self: Local[Names]) -> None:
        syncing.set()
        go_on.wait(20)

    leave = Local.leave
    async with running(channel, tmp_path) as replica:
        await eventually((tmp_path / "image-0000000001").exists)
        with monkeypatch.context() as patch:
            patch.setattr(Local, "sync", slow)
            patch.setattr(Local, "leave", lambda self: (left.append("now"), leave(self)))
            await eventually(syncing.is_set)
            await core.stop()
            core.note("b")
            core.compact()
            await core.start()
            await eventually(lambda: core.snapshots == 2)
            for _ in range(100):  # whatever is ready to run has run
                await asyncio.sleep(0)
            await asyncio.sleep(0.1)
            before = list(left)
            go_on.set()
            await eventually(lambda: names(replica) == {"a", "b"})
        assert (before, left[:1]) == ([], ["now"])


def test_silence_is_not_of_the_clock_on_the_wall(channel: grpc.aio.Channel) -> None:
    wall, steady = [1e9], [5.0]
    replica = Replica(
        channel,
        Names,
        Metrics(),
        clock=lambda: wall[0],
        steady=lambda: steady[0],
        jitter=lambda: 1.0,
    )
    wall[0], steady[0] = 0.0, 7.0
    assert replica.silence() == 2.0
    wall[0] = 2e9
    assert replica.silence() == 2.0


async def test_at_its_limit_an_edge_goes_on_with_what_it_has(
    core: Any,
    channel: grpc.aio.Channel,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A name counts 100 octets: three go beyond the limit, and are the last."""
    monkeypatch.setattr(replica_module, "FULL_SECONDS", 0.01)
    async with running(channel, None, limit=299) as replica:
        for name in "abc":
            await core.commit(name)
            await eventually(lambda name=name: name in names(replica))
        assert not replica.budget.full
        await core.commit("d")
        await eventually(lambda: replica.budget.refused > 2)
        assert (names(replica), replica.revision) == (set("abc"), 3)
        assert replica.budget.full
        assert core.snapshots == 1
        assert ["full" in line for line in caplog.messages].count(True) == 1
        monkeypatch.setattr(replica, "_afford", lambda view, size: None)
        await eventually(lambda: replica.revision == 4)
        assert not replica.budget.full


async def test_an_edge_at_its_limit_tries_a_snapshot_after_a_while(
    core: Any,
    channel: grpc.aio.Channel,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one before it counts too, for it answers meanwhile."""
    monkeypatch.setattr(replica_module, "FULL_SECONDS", 0.01)
    async with running(channel, None, limit=299) as replica:
        await eventually(replica.ready.is_set)
        for name in "abcd":
            await core.commit(name)
        await eventually(lambda: replica.budget.full)
        held = replica.view
        monkeypatch.setattr(memory, "FULL_SNAPSHOT", 0.01)
        await eventually(lambda: core.snapshots > 2)
        assert replica.view is held
        replica.budget.limit = 10_000
        await eventually(lambda: names(replica) == set("abcd"))
        assert replica.revision == 4
        assert not replica.budget.full


def test_a_long_change_is_weighed_beforehand() -> None:
    budget = memory.Budget(1_000_000, lambda: 0.0)
    budget.afford(1_000_000, memory.SMALL)
    budget.afford(1_000_000 - memory.SMALL - 1, memory.SMALL + 1)
    with pytest.raises(memory.FullError):
        budget.afford(1_000_000 - memory.SMALL, memory.SMALL + 1)
    with pytest.raises(memory.FullError):
        budget.afford(1_000_001, 0)
    memory.Budget(0, lambda: 0.0).afford(1 << 40, 1 << 40)


def test_what_is_resident_is_told() -> None:
    assert memory.resident() > 1_000_000
