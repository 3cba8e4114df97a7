"""sipp calls sipp through an edge that sends calls on: neither finds anything amiss."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..edge.objects import CALLED, FRIEND
from .peers import SCENARIOS, edge, free_port, needed, place, running

CALLS = 20
SECONDS = 10.0


@pytest.mark.parametrize("scenario", ["busy", "cancelled"])
async def test_a_call_goes_through_and_what_belongs_to_it_follows(
    scenario: str,
    core: Any,
    provision: Callable[[str], None],
    eventually: Callable[..., Any],
    tmp_path: Path,
) -> None:
    program, port = needed("sipp", "sip-tester"), free_port()
    provision(f"127.0.0.1:{port}")
    command = [program, "-sf", str(SCENARIOS / f"is_{scenario}.xml"), "-i", "127.0.0.1"]
    command += ["-p", str(port), "-m", str(CALLS), "-nostdin", "-timeout", "20s", "-timeout_error"]
    async with (
        edge(core, tmp_path, "e1", 0, "--mode", "proxy") as one,
        running(*command, log=tmp_path / "called.log", cwd=tmp_path) as called,
    ):
        calls = ("-m", str(CALLS), "-r", "20")
        await place(one.port, tmp_path, scenario, CALLED, FRIEND, *calls)
        assert await asyncio.wait_for(called.wait(), SECONDS) == 0
        await eventually(lambda: len(core.records) == CALLS)
