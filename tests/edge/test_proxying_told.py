"""Calls that go on with what was found of their caller: verified, signed."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from callscreen.edge.identifying import Identifying
from callscreen.edge.onward import Onward
from callscreen.edge.peers import PeerList
from callscreen.edge.workers import WorkerConfig, Workers
from callscreen.fastpath.forwarding import NameTable
from callscreen.fastpath.recent import RecentTable
from callscreen.v1 import records_pb2

from ..fastpath.looping import close_peers, index_of, udp
from .identity_double import TOKEN, Double, provisioned
from .objects import FRIEND, settings
from .proxying import EGRESS, Called, Proxy, also
from .running import Phone, edge, phone
from .test_identifying import INSIDE, invite
from .test_identity_calls import Signing
from .test_identity_calls import signing as signing


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    close_peers()


@contextmanager
def told_and_sent_on(
    identity: Double, named: bool = True, **source: Any
) -> Iterator[tuple[Proxy, list[Any]]]:
    """A proxy whose calls await caller identity first; and the records it makes."""
    sock, called = udp(), Called()
    address = sock.getsockname()
    objects = provisioned(**source)
    engine = {"default_treatment": "continue", "use_contact": True, "egress_route": EGRESS}
    web = {"default_cc": "1"}
    objects.append(settings("pcs", screening_engine=engine, web_settings=web))
    index = index_of(objects)
    onward = Onward("", b"secret", f"127.0.0.1:{address[1]}")
    config = WorkerConfig(b"secret", RecentTable(1000), forwarding=onward.make)
    identifying = Identifying(identity, lambda: index, config, os.urandom)
    peers = PeerList().table
    identifying.forward(onward.make, lambda: peers)
    workers = Workers([sock], config, os.urandom, identifying)
    workers.answer_from(index)
    workers.admit(peers)
    if named:
        for each in (workers, identifying):
            each.resolve(NameTable({EGRESS: called.address}))
    records: list[Any] = []

    def put(octets: bytes, count: int) -> None:
        records.extend(records_pb2.AppendRequest.FromString(octets).records)
        assert count

    async def stop() -> None:
        await workers.stop(put)
        await identifying.stop(put)

    async def start() -> None:
        identifying.start()
        workers.start()

    asyncio.run(start())
    try:
        yield Proxy(workers, address, called), records
    finally:
        asyncio.run(stop())


def who(proxy: Proxy, *lines: bytes) -> bytes:
    """A call of a friend, with more header lines."""
    more = b"".join(line + b"\r\n" for line in lines)
    data = proxy.caller.invite().replace(b"Max-", more + b"Max-", 1)
    start, end = data.index(b"From:"), data.index(b"\r\n", data.index(b"From:"))
    own = f"From: <sip:{FRIEND}@carrier.example>;tag=abc".encode()
    return data[:start] + own + data[end:]


def test_a_verified_call_is_sent_on_with_its_verdict_and_followed() -> None:
    verdict = f"<sip:{FRIEND};verstat=TN-Validation-Passed@carrier.example;user=phone>"
    identity = Double()
    with told_and_sent_on(identity) as (proxy, records):
        invite = who(proxy, f"Identity: {TOKEN}".encode())
        sent = proxy.send(invite)
        lines = sent.split(b"\r\n")
        assert lines[1].startswith(b"Via: SIP/2.0/UDP " + proxy.via)
        assert lines[2] == b"P-Asserted-Identity: " + verdict.encode()
        assert f"Identity: {TOKEN}".encode() in lines
        assert proxy.send(invite) == sent  # with the same lines, told once
        assert len(identity.asked) == 1
        branch = proxy.branch()
        for method in (b"CANCEL", b"ACK"):
            data = proxy.send(also(invite, method))
            assert proxy.branch() == branch
            assert b"P-Asserted-Identity" not in data
        proxy.called.answer(b"486 Busy Here", sent)
        assert proxy.relayed().startswith(b"SIP/2.0 486 ")
    (record,) = records
    assert (record.status, record.identity.state) == (0, "valid")


def test_a_signed_call_is_sent_on_with_its_identity_and_date() -> None:
    identity = Double()
    with told_and_sent_on(identity, source_ip=["127.0.0.1/32"]) as (proxy, records):
        invite = who(proxy)
        sent = proxy.send(invite)
        lines = sent.split(b"\r\n")
        assert lines[2] == b"Identity: token-1;info=<https://c.example/a.pem>"
        assert lines[3].startswith(b"Date: ")
        assert proxy.send(invite) == sent
        assert len(identity.signed) == 1
    (record,) = records
    assert record.signature.attest == "A"


def test_a_told_call_that_cannot_be_sent_on_is_redirected() -> None:
    with told_and_sent_on(Double(), named=False) as (proxy, records):
        answer = proxy.caller.ask(who(proxy, f"Identity: {TOKEN}".encode()))
        assert answer.status == 302
        assert "verstat=TN-Validation-Passed" in answer.one("P-Asserted-Identity")
    assert records[0].status == 302


@asynccontextmanager
async def edge_of(core: Any, signing: Signing) -> AsyncIterator[tuple[str, Called]]:
    """An edge with keys and roots of its own, whose calls go on to `Called`."""
    called = Called()
    engine = {"default_treatment": "continue", "use_contact": True, "egress_route": called.address}
    more = settings("pcs", screening_engine=engine, web_settings={"default_cc": "1"})
    for each in (*provisioned(), more):
        core.note(each.name, body=each)
    async with edge(core, identity=signing.config, mode="proxy") as address:
        yield address, called


async def through(caller: Phone, data: bytes, called: Called) -> list[str]:
    """A call that is sent on, and refused there: the header lines that it went on with."""
    asked = asyncio.create_task(caller.ask(data))
    await asyncio.to_thread(called.take)
    called.answer(b"486 Busy Here")
    assert (await asked).status == 486
    return called.data.decode().partition("\r\n\r\n")[0].split("\r\n")


async def test_an_edge_signs_a_call_and_verifies_one_that_it_sends_on(
    core: Any, signing: Signing, eventually: Callable[..., Any]
) -> None:
    forged = f"P-Asserted-Identity: <tel:{FRIEND};%76erstat=No-TN-Validation>"
    async with (
        edge_of(core, signing) as (address, called),
        phone(address, INSIDE) as inside,
        phone(address) as outside,
    ):
        lines = await through(inside, invite(inside), called)
        (identity,) = [each for each in lines if each.startswith("Identity: ")]
        assert len([each for each in lines if each.startswith("Date: ")]) == 1
        lines = await through(outside, invite(outside, identity, forged), called)
        assert identity in lines
        lines = [each for each in lines if each.startswith("P-Asserted-Identity")]
        await eventually(lambda: len(core.kept) == 2)
    made, found = sorted(core.kept, key=lambda each: each.HasField("identity"))
    assert (made.status, made.signature.failure, made.signature.attest) == (0, "", "A")
    assert (found.status, found.identity.state) == (0, "valid")
    (line,) = lines
    assert f"{FRIEND};verstat=TN-Validation-Passed" in line
    assert "No-TN" not in line
