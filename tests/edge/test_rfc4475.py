"""A running edge lives through the torture messages of RFC 4475 and answers each as it should."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from .messages import read
from .objects import FRIEND
from .running import Phone, edge, phone, provision

# An answer goes to the host of the packet and the port of the Via: 5060, and once 5050. This is a
# loopback address where nobody else has these.
HOST = "127.44.75.1"

# Of class refuse, for what this server never reads: a body. The call is answered instead.
BODY_UNREAD = {"invut"}
# Of class accept, but responses: a server has no use for them and drops them.
RESPONSES = {"noreason", "unreason"}


@pytest.fixture
def expected(torture: Path) -> dict[str, Any]:
    """What the messages' makers expect of each, by name."""
    found: dict[str, Any] = json.loads((torture / "expected.json").read_text())
    assert set(found) == {path.stem for path in torture.glob("*.dat")}
    return found


async def outcome(sbc: Phone, other: Phone, data: bytes) -> int:
    """The status that a datagram is answered with, 0 for none; then a call must be answered."""
    port = sbc.transport.get_extra_info("sockname")[1]
    sbc.transport.sendto(data)
    answers = [await sbc.call(FRIEND)]
    own = f"{port}-{sbc.calls}"
    while answers[-1].headers.get("Call-ID") != [own]:
        answers.append(read(await asyncio.wait_for(sbc.got.get(), 20)))
    assert answers.pop().status == 302
    while not other.got.empty():
        answers.append(read(other.got.get_nowait()))
    assert len(answers) <= 1
    return answers[0].status if answers else 0


def is_right(name: str, want: dict[str, Any], status: int) -> bool:
    if name in RESPONSES or want["class"] == "drop":
        return status == 0
    if name in BODY_UNREAD:
        return status in (302, 404, 603)
    if want["answer"] is None:
        return status != 0
    return status in want["answer"]


async def test_each_message_is_answered_and_the_next_call_too(
    core: Any, torture: Path, expected: dict[str, Any]
) -> None:
    provision(core)
    async with (
        edge(core) as address,
        phone(address, (HOST, 5060)) as sbc,
        phone(address, (HOST, 5050)) as other,
    ):
        got = {
            name: await outcome(sbc, other, (torture / f"{name}.dat").read_bytes())
            for name in expected
        }
    assert not {name: got[name] for name in got if not is_right(name, expected[name], got[name])}


async def test_a_required_extension_is_named_and_a_refused_method_too(
    core: Any, torture: Path
) -> None:
    provision(core)
    async with edge(core) as address, phone(address, (HOST, 5060)) as sbc:
        answer = await sbc.ask((torture / "bext01.dat").read_bytes())
        assert answer.one("Unsupported") == "nothingSupportsThis, nothingSupportsThisEither"
        answer = await sbc.ask((torture / "regaut01.dat").read_bytes())
        assert answer.one("Allow") == "INVITE, ACK, CANCEL, OPTIONS"
