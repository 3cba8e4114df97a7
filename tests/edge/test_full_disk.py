"""A disk without room under a running edge: no call, change or record is lost, and it passes."""

import asyncio
import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from callscreen.edge import keeping
from callscreen.edge import local as local_module
from callscreen.ops import Instruments

from .objects import FRIEND, NUISANCE, number
from .running import edge, phone, provision
from .test_shown import values

CALLS = 40  # whose records are far beyond ROOM
ROOM = 1_024  # octets that a file may have while the disk is full


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "KEEP_SECONDS", 0.01)
    monkeypatch.setattr(local_module, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(local_module, "JOURNAL_OCTETS", 2 * ROOM)
    monkeypatch.setattr(local_module, "SHARE", 0)


@contextmanager
def full_disk() -> Iterator[None]:
    """The system refuses what would make a file longer than ROOM."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_costs_nothing_and_passes(
    core: Any,
    tmp_path: Path,
    eventually: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "callscreen.edge")
    provision(core)
    instruments = Instruments("edge", "1")
    more = {"state": str(tmp_path), "instruments": instruments}

    def gauge(name: str) -> float:
        return values(instruments)[f"callscreen_edge_{name}"][()]

    async def change(each: str) -> None:
        await core.commit(number(whitelist=[each]).name, body=number(whitelist=[each]))

    async with edge(core, **more) as address, phone(address) as sbc:
        await eventually((tmp_path / "replica" / "image-0000000001").exists)
        with full_disk():
            for turn in range(30):
                await change(f"+1555000{turn:04}")
            await change(NUISANCE)
            await eventually(lambda: gauge("state_behind") == 1)
            async with asyncio.timeout(20):
                while (await sbc.call(NUISANCE)).status != 302:
                    pass
            await core.stop()
            for _ in range(CALLS):
                assert (await sbc.call(FRIEND)).status == 603
            await eventually(lambda: gauge("records_disk_failing") == 1)
        await eventually(lambda: gauge("state_behind") == gauge("records_disk_failing") == 0)
        assert gauge("records_spooled_bytes") > 0
        await sbc.call(FRIEND)
    made = sbc.calls
    async with edge(core, **more) as address, phone(address) as sbc:  # the core is still gone
        assert (await sbc.call(FRIEND)).status == 603
        await core.start()
        await eventually(lambda: len(core.records) == made + 1)
        assert values(instruments)["callscreen_edge_records_dropped_total"]["lost",] == 0
    for said in ("stays behind from now on", "cannot be kept on disk", "on disk again"):
        assert len([line for line in caplog.messages if said in line]) == 1, said
    assert any("on disk is whole again" in line for line in caplog.messages)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The system refuses whatever would change something below the folder."""
    within = os.fspath(folder)
    sound = os.open, os.unlink, os.rename

    def refuse(path: Any, *_: Any, **__: Any) -> Any:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fspath(path))

    def opened(path: Any, flags: int, *more: Any, **named: Any) -> int:
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and os.fspath(path).startswith(within):
            refuse(path)
        return sound[0](path, flags, *more, **named)

    os.open, os.unlink, os.rename = opened, refuse, refuse  # type: ignore[assignment]
    try:
        yield
    finally:
        os.open, os.unlink, os.rename = sound  # type: ignore[assignment]


async def test_a_disk_that_takes_nothing_any_more_keeps_no_edge_from_starting(
    core: Any, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    provision(core)
    instruments = Instruments("edge", "1")
    more = {"state": str(tmp_path), "instruments": instruments}

    def gauge(name: str) -> float:
        return values(instruments)[f"callscreen_edge_{name}"][()]

    async with edge(core, **more) as address, phone(address) as sbc:
        await eventually((tmp_path / "replica" / "image-0000000001").exists)
        await core.stop()
        await sbc.call(FRIEND)
    before = len(core.records)
    instruments = more["instruments"] = Instruments("edge", "1")
    with read_only(tmp_path):
        async with edge(core, **more) as address, phone(address) as sbc:
            assert (await sbc.call(FRIEND)).status == 302
            await core.start()
            await core.commit(number(whitelist=[NUISANCE]).name, body=number(whitelist=[NUISANCE]))
            async with asyncio.timeout(20):
                while (await sbc.call(NUISANCE)).status != 302:
                    pass
            await eventually(lambda: gauge("state_behind") == 1)
            made = sbc.calls
            await eventually(lambda: len(core.records) == before + 1 + made)
