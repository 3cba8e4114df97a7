"""Kamailio asks about every call and follows the answer; baresip is the phone at the end."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..edge.objects import CALLED, FRIEND, NUISANCE
from .peers import edge, phone, place, proxy

STRANGER = "+15550000000"
NOBODY = "127.0.0.1:9"  # where no call of a test gets
CALLS, RATE = 300, 100  # of a load, and a second


async def test_a_friend_is_put_through_to_the_phone(
    core: Any, provision: Callable[[str], None], eventually: Callable[..., Any], tmp_path: Path
) -> None:
    async with phone(tmp_path, CALLED, "mailbox") as rings:
        provision(f"127.0.0.1:{rings.port}")
        async with edge(core, tmp_path, "e1") as one, proxy(tmp_path, [one.port]) as asks:
            await place(asks.port, tmp_path, "through", CALLED, FRIEND)
            assert f"INVITE sip:{CALLED}@127.0.0.1:{rings.port}" in rings.said()
            await eventually(lambda: len(core.records) == 1)


async def test_a_nuisance_ends_in_the_mailbox_which_learns_whose_it_is(
    core: Any, provision: Callable[[str], None], tmp_path: Path
) -> None:
    async with phone(tmp_path, CALLED, "mailbox") as rings:
        provision(f"127.0.0.1:{rings.port}")
        async with edge(core, tmp_path, "e1") as one, proxy(tmp_path, [one.port]) as asks:
            await place(asks.port, tmp_path, "through", CALLED, NUISANCE)
    said = rings.said()
    assert f"INVITE sip:mailbox@127.0.0.1:{rings.port};target=sip:" in said
    diversion = next(line for line in said.splitlines() if line.startswith("Diversion: "))
    assert f"<sip:{CALLED}@" in diversion
    assert "reason=unconditional" in diversion


async def test_a_stranger_is_turned_away(
    core: Any, provision: Callable[[str], None], tmp_path: Path
) -> None:
    provision(NOBODY)
    async with edge(core, tmp_path, "e1") as one, proxy(tmp_path, [one.port]) as asks:
        await place(asks.port, tmp_path, "declined", CALLED, STRANGER)


async def test_keep_alives_tell_which_edge_is_there(
    core: Any, provision: Callable[[str], None], tmp_path: Path
) -> None:
    provision(NOBODY)
    async with (
        edge(core, tmp_path, "e1") as one,
        edge(core, tmp_path, "e2") as two,
        proxy(tmp_path, [one.port, two.port]) as asks,
    ):
        await two.kill()
        await asks.until({one.port: "AP", two.port: "IP"})
        async with edge(core, tmp_path, "e3", two.port):
            await asks.until({one.port: "AP", two.port: "AP"})


async def test_no_call_is_lost_when_an_edge_is_killed_under_load(
    core: Any, provision: Callable[[str], None], eventually: Callable[..., Any], tmp_path: Path
) -> None:
    provision(NOBODY)
    async with (
        edge(core, tmp_path, "e1") as one,
        edge(core, tmp_path, "e2") as two,
        proxy(tmp_path, [one.port, two.port], EDGE_MILLISECONDS="200") as asks,
    ):
        load = asyncio.create_task(
            place(
                *(asks.port, tmp_path, "declined", CALLED, STRANGER),
                *("-m", str(CALLS), "-r", str(RATE)),
            )
        )
        await eventually(lambda: len(core.records) >= CALLS // 4)
        assert not load.done()
        await two.kill()
        before = len(core.records)
        await load  # every call got its 603
        assert two.process.returncode == -signal.SIGKILL
        await asks.until({one.port: "AP", two.port: "IP"})
        await eventually(lambda: len(core.records) >= before + CALLS // 4)


async def test_without_any_edge_calls_are_refused_or_go_on_unscreened(
    core: Any, provision: Callable[[str], None], tmp_path: Path
) -> None:
    async with phone(tmp_path, CALLED) as rings:
        provision(NOBODY)
        async with edge(core, tmp_path, "e1") as one:
            onward = f'"sip:127.0.0.1:{rings.port}"'
            async with proxy(tmp_path, [one.port], UNSCREENED=onward) as asks:
                await one.kill()
                await place(asks.port, tmp_path, "through", CALLED, STRANGER)
                await asks.until({one.port: "IP"})
                await place(asks.port, tmp_path, "through", CALLED, STRANGER)
