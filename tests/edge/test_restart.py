"""An edge that starts again from its disk: right answers with the core gone, and later ones."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from callscreen.edge import keeping
from callscreen.ops import Instruments

from .objects import FRIEND, NUISANCE, number
from .running import Phone, edge, phone, provision
from .test_shown import values

Eventually = Callable[..., Any]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "KEEP_SECONDS", 0.01)


async def answered(sbc: Phone, status: int, caller: str = FRIEND) -> None:
    """Returns once calls are answered so."""
    async with asyncio.timeout(20):
        while (await sbc.call(caller)).status != status:
            pass


async def test_an_edge_starts_with_the_core_gone(
    core: Any, tmp_path: Path, eventually: Eventually
) -> None:
    provision(core)
    async with edge(core, state=str(tmp_path)) as address, phone(address) as sbc:
        assert (await sbc.call(FRIEND)).status == 302
        await eventually((tmp_path / "replica" / "image-0000000001").exists)
        changed = number(whitelist=[NUISANCE])
        await core.commit(changed.name, body=changed)
        await answered(sbc, 603)
    await core.stop()
    async with edge(core, state=str(tmp_path)) as address, phone(address) as sbc:
        assert (await sbc.call(FRIEND)).status == 603
        assert (await sbc.call(NUISANCE)).status == 302
        core.note(number(whitelist=[FRIEND]).name, body=number(whitelist=[FRIEND]))
        await core.start()
        await answered(sbc, 302)
    assert core.snapshots == 1


async def test_a_folder_in_use_is_refused(core: Any, tmp_path: Path) -> None:
    provision(core)
    async with edge(core, state=str(tmp_path)):
        with pytest.raises(OSError, match="another edge uses"):
            async with edge(core, state=str(tmp_path)):
                pass


async def test_a_limit_of_memory_is_kept(core: Any, eventually: Eventually) -> None:
    """A list that is too long is not taken up; the call is answered from what was there."""
    provision(core)
    instruments = Instruments("edge", "1")
    running = edge(core, memory_limit=8, instruments=instruments)
    async with running as address, phone(address) as sbc:
        assert (await sbc.call(FRIEND)).status == 302
        long = number(whitelist=[f"+1585{i:09}" for i in range(600_000)])
        await core.commit(long.name, body=long)
        await eventually(lambda: values(instruments)["callscreen_edge_memory_full"][()] == 1)
        assert "limit of memory" in await instruments.health.why_not()
        assert (await sbc.call(FRIEND)).status == 302
