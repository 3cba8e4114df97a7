"""What the tests with other people's programs share: a core with a small platform."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from ..edge.double import Core
from ..edge.objects import CALLED, FRIEND, NUISANCE, obj
from ..edge.test_identity_calls import signing

__all__ = ["signing"]


def platform(place: str) -> list[Any]:
    """A friend comes through, a nuisance goes to the mailbox, the rest is turned away; both the
    phone and the mailbox are at `place`, HOST:PORT."""
    rule = {"personal": True, "global": True, "override": True, "stir_shaken": False}
    owner = {"service_provider_name": "acme"}
    engine = {
        "default_treatment": "terminate",
        "use_contact": False,  # behind a proxy the Contact is the caller's
        "egress_route": place,
        "voicemail_service_location": f"sip:mailbox@{place}",
    }
    plan = {
        "whitelist": {**rule, "match": "continue", "no_match": "next", "priority": 1},
        "blacklist": {**rule, "match": "voicemail", "no_match": "next", "priority": 2},
    }
    number = {"number": CALLED, "subscriber_name": "alice", "whitelist": [FRIEND]}
    return [
        obj("pcs/settings/", settings={"screening_engine": engine}),
        obj("pcs/service_provider/acme", service_provider={"name": "acme"}),
        obj("pcs/screening_rule/acme", screening_rule={**owner, **plan}),
        obj(
            "pcs/subscriber/acme/alice",
            subscriber={**owner, "name": "alice", "service_enabled": True},
        ),
        obj(
            "pcs/number/acme/alice/%2B15551230001",
            number={**owner, **number, "blacklist": [NUISANCE]},
        ),
    ]


@pytest.fixture
async def core() -> AsyncIterator[Core]:
    core = Core()
    await core.start()
    yield core
    await core.stop()


@pytest.fixture
def provision(core: Core) -> Callable[[str], None]:
    """Provisions the platform, with calls going on at HOST:PORT."""

    def put(place: str) -> None:
        for each in platform(place):
            core.note(each.name, body=each)

    return put


@pytest.fixture(name="eventually")
def eventually_fixture() -> Callable[..., Any]:
    async def eventually(condition: Callable[[], Any], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - it is any condition
                await asyncio.sleep(0.02)

    return eventually
