"""sipp, a peer that knows nothing of us, places calls and gets what is provisioned."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from callscreen.edge.sockets import parse_address

from .objects import CALLED, FRIEND, NUISANCE
from .running import edge, provision

SCENARIOS = Path(__file__).parent / "sipp"
SECONDS = 10


async def place(
    sipp: str, address: str, folder: Path, scenario: str, calling: str, *more: str
) -> None:
    """Runs a scenario; fails with what sipp says where a call went otherwise."""
    host, port = parse_address(address)
    process = await asyncio.create_subprocess_exec(
        sipp,
        f"{host}:{port}",
        *("-sf", str(SCENARIOS / f"{scenario}.xml"), "-s", CALLED, "-key", "calling", calling),
        *("-i", "127.0.0.1", "-timeout", f"{SECONDS}s", "-timeout_error", "-nostdin"),
        *("-recv_timeout", "3000", *(more or ("-m", "1"))),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), SECONDS + 5)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode(errors="replace")[-4000:]


@pytest.mark.parametrize(
    ("scenario", "calling"),
    [
        ("redirected", FRIEND),
        ("declined", "+15550000000"),
        ("voicemail", NUISANCE),
        ("options", FRIEND),
        ("cancelled", FRIEND),
        ("refused", FRIEND),
    ],
)
async def test_a_call_ends_as_provisioned(
    core: Any, sipp: str, tmp_path: Path, scenario: str, calling: str
) -> None:
    provision(core)
    async with edge(core) as address:
        await place(sipp, address, tmp_path, scenario, calling)


async def test_a_load_of_calls_is_answered_and_recorded(
    core: Any, sipp: str, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    provision(core)
    async with edge(core) as address:
        await place(sipp, address, tmp_path, "redirected", FRIEND, "-m", "500", "-r", "500")
        await eventually(lambda: len(core.records) == 500)


async def test_sipp_notices_a_wrong_answer(core: Any, sipp: str, tmp_path: Path) -> None:
    provision(core)
    async with edge(core) as address:
        with pytest.raises(AssertionError):
            await place(sipp, address, tmp_path, "declined", FRIEND)
