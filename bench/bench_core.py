"""The core's benchmarks, small enough to run with the suite."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from callscreen.core.access import service
from callscreen.core.commands import get, screen, write
from callscreen.core.commands.context import Core
from callscreen.core.server import first_start
from callscreen.core.wiring import CoreConfig, build

from .screen import call, number, obj

NUMBERS = 500


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    """A core on disk with NUMBERS numbers."""
    loop = asyncio.new_event_loop()
    stack = AsyncExitStack()

    async def start() -> Core:
        core = build(CoreConfig(tmp_path), stack)
        await first_start(core, "not printed")
        caller = service()
        owner = {"service_provider_name": "acme"}
        for kind, objects in (
            ("service_provider", [obj("service_provider", name="acme")]),
            ("subscriber", [obj("subscriber", name="alice", **owner)]),
            (
                "number",
                [
                    obj("number", number=number(place), subscriber_name="alice", **owner)
                    for place in range(NUMBERS)
                ],
            ),
        ):
            await write.write(core, caller, f"pcs/{kind}", objects)
        return core

    yield loop.run_until_complete(start())
    loop.run_until_complete(stack.aclose())
    loop.close()


def test_screen(benchmark: BenchmarkFixture, core: Core) -> None:
    caller, asked = service(), call(7)
    verdict = benchmark(screen.screen, core, caller, asked)
    assert verdict.subscriber_name == "alice"


def test_get(benchmark: BenchmarkFixture, core: Core) -> None:
    caller = service()
    found = benchmark(get.get, core, caller, f"pcs/number/acme/alice/{number(7)}")
    assert found.number.number == number(7)


def test_checking_a_token(benchmark: BenchmarkFixture, core: Core, tmp_path: Path) -> None:
    token = (tmp_path / "service.token").read_text().strip()
    check: Callable[[str], object] = core.sessions.check
    assert benchmark(check, token) == service()
