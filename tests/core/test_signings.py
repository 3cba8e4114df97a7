"""Signatures that are asked for: how many each may have, and that each comes to its end."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from callscreen.core.access import principal
from callscreen.core.commands import sign_call
from callscreen.core.commands.context import Core
from callscreen.core.errors import TooMuch
from callscreen.core.limits import SIGNATURES_EACH
from callscreen.core.server import first_start
from callscreen.core.signings import Signings
from callscreen.core.store.memory import MemoryStore
from callscreen.core.store.memory_records import MemoryRecords
from callscreen.core.wiring import CoreConfig, wire
from callscreen.identity.model import Signed, SignRequest
from callscreen.v1 import identity_pb2_grpc

from .conftest import CHEAP, PASSWORD, Clock, running
from .remote import create
from .test_caller_identity import ORIGID, Known, of, owner_of, request, rows, source


async def started(config: CoreConfig, stack: AsyncExitStack) -> Core:
    """A core with two providers that have a source each."""
    made = wire(config, MemoryStore(), MemoryRecords(config.clock), stack)
    await first_start(made, PASSWORD)
    owner = owner_of(made)
    for provider, block in (("acme", "192.0.2.0/24"), ("evil", "198.51.100.0/24")):
        await owner.create("pcs/service_provider", name=provider)
        await source(owner, provider, "main", source_ip=[block])
    return made


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def config(tmp_path: Path, clock: Clock, known: Known) -> CoreConfig:
    return CoreConfig(tmp_path, "x", clock=clock, hasher=CHEAP, identities=known)


@pytest.fixture
async def core(config: CoreConfig) -> AsyncIterator[Core]:
    async with AsyncExitStack() as stack:
        yield await started(config, stack)


async def test_who_asks_has_a_rate_of_its_own(config: CoreConfig, known: Known) -> None:
    """What is beyond it is neither signed nor audited."""
    ticks = Clock()
    async with AsyncExitStack() as stack:
        core = replace(await started(replace(config, sign_rate=3), stack), ticks=ticks)

        async def allowed(caller: Any, **more: Any) -> int:
            for count in range(10):
                try:
                    await sign_call.sign(core, caller, request(**more))
                except TooMuch:
                    return count
            return 10

        another = principal("pcs", "another", "service_provider:evil")
        platform = principal("pcs", "o", "platform_owner")
        assert await allowed(of("evil")) == 3
        assert await allowed(another) == 0, "another administrator has no more"
        assert await allowed(of("acme")) == 3
        assert await allowed(platform, service_provider_name="evil") == 3
        assert await allowed(platform, service_provider_name="acme") == 3
        namesake = principal("pcs", "acme", "platform_owner")
        assert await allowed(namesake, service_provider_name="acme") == 3
        ticks.now += 0.34
        assert await allowed(another) == 1
        assert len(rows(core)) == len(known.signed) == 16


async def test_a_rate_of_none_lets_all_in(core: Core) -> None:
    any_number = replace(core, signings=Signings(0))
    for _ in range(300):
        any_number.signings.let_in("acme", 0.0)
    for _ in range(SIGNATURES_EACH):
        core.signings.let_in("acme", 0.0)
    with pytest.raises(TooMuch, match=f"{SIGNATURES_EACH} a second"):
        core.signings.let_in("acme", 0.0)


async def test_a_signature_has_its_row_though_who_asked_is_gone(
    config: CoreConfig, known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop waits for it."""
    begun, go_on, sign = threading.Event(), threading.Event(), known.sign

    def slow(request: SignRequest) -> Signed:
        begun.set()
        assert go_on.wait(20)
        return sign(request)

    monkeypatch.setattr(known, "sign", slow)
    async with AsyncExitStack() as stack:
        core = await started(config, stack)
        asking = asyncio.create_task(sign_call.sign(core, of("acme"), request()))
        await asyncio.to_thread(begun.wait, 20)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert known.signed == []
        go_on.set()
    assert len(known.signed) == 1
    (row,) = rows(core)
    assert (row["code"], row["username"]) == ("200", "somebody")


async def test_what_nobody_waits_for_and_fails_is_told(
    core: Core, caplog: pytest.LogCaptureFixture
) -> None:
    failing = asyncio.Event()

    async def work() -> None:
        await failing.wait()
        raise OSError("no disk")

    asking = asyncio.create_task(core.signings.whole(work()))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    failing.set()
    await core.signings.close()
    assert "no row in the audit log" in caplog.text
    assert "no disk" in caplog.text
    caplog.clear()
    with pytest.raises(OSError, match="no disk"):
        await core.signings.whole(work())
    assert caplog.text == "", "who waits is told, and no one else"


def sign_rows(data: Path) -> list[str]:
    text = "".join(each.read_text() for each in sorted((data / "audit" / "pcs").iterdir()))
    return [line for line in text.splitlines() if ",sign," in line]


async def test_over_grpc(tmp_path: Path, known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is beyond the rate, and a client that hangs up."""
    begun, go_on, sign = threading.Event(), threading.Event(), known.sign
    go_on.set()

    def slow(request: SignRequest) -> Signed:
        begun.set()
        assert go_on.wait(20)
        return sign(request)

    monkeypatch.setattr(known, "sign", slow)
    async with running(tmp_path, identities=known, sign_rate=2) as server:
        fields = {"orig_id": ORIGID, "attest": "A", "cert_name": "acme"}
        await create(server, "pcs/service_provider", name="acme")
        source_ip = ["192.0.2.0/24"]
        await create(
            server, "pcs/origination_source/acme", name="main", source_ip=source_ip, **fields
        )
        stub = identity_pb2_grpc.CallerIdentityStub(server.channel)
        asked = request(service_provider_name="acme")
        begun.clear()
        go_on.clear()
        hung_up = stub.Sign(asked, metadata=server.service)
        await asyncio.to_thread(begun.wait, 20)
        hung_up.cancel()
        go_on.set()
        async with asyncio.timeout(20):
            while not sign_rows(tmp_path):  # noqa: ASYNC110 - nobody tells when it is there
                await asyncio.sleep(0.005)
        codes = Counter[grpc.StatusCode]()
        async with asyncio.timeout(20):
            while not codes[grpc.StatusCode.RESOURCE_EXHAUSTED]:
                calls = [stub.Sign(asked, metadata=server.service) for _ in range(10)]
                codes.update([await call.code() for call in calls])
        assert set(codes) <= {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
        assert len(sign_rows(tmp_path)) == len(known.signed) == 1 + codes[grpc.StatusCode.OK]
