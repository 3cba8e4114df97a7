"""Checks of readiness: asked together, remembered for a moment, bounded in time."""

import asyncio

import pytest

from callscreen.ops import health as module
from callscreen.ops.health import Health
from callscreen.ops.limits import CHECKED_SECONDS


async def test_many_who_ask_cost_one_check() -> None:
    now, asked = 100.0, 0

    async def check() -> str:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return "tired"

    health = Health(lambda: now)
    health.check(check)
    health.serving()
    assert set(await asyncio.gather(*(health.why_not() for _ in range(50)))) == {"tired"}
    assert asked == 1
    now += CHECKED_SECONDS / 2
    assert await health.why_not() == "tired"
    assert asked == 1
    now += CHECKED_SECONDS
    assert await health.why_not() == "tired"
    assert asked == 2


async def test_every_reason_is_told() -> None:
    async def first() -> str:
        return "no core"

    async def second() -> str:
        return ""

    async def third() -> str:
        return "no room"

    health = Health()
    for check in (first, second, third):
        health.check(check)
    health.serving()
    assert await health.why_not() == "no core; no room"


async def test_a_check_that_fails_or_hangs_is_a_reason(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.02)

    async def failing() -> str:
        raise OSError("secret")

    async def hanging() -> str:
        await asyncio.Event().wait()
        return ""

    health = Health()
    health.check(failing)
    health.check(hanging)
    health.serving()
    assert await health.why_not() == "a check failed; a check took longer than 0.02 seconds"
    assert "secret" in caplog.text


async def test_one_who_leaves_takes_the_answer_from_nobody() -> None:
    let_go = asyncio.Event()

    async def check() -> str:
        await let_go.wait()
        return "told"

    health = Health()
    health.check(check)
    health.serving()
    leaves = asyncio.create_task(health.why_not())
    stays = asyncio.create_task(health.why_not())
    await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.sleep(0)
    let_go.set()
    assert await stays == "told"
