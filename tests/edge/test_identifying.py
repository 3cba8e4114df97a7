"""Calls that await caller identity go to threads, and are answered by the worker's socket."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from callscreen.edge import identifying as identifying_module
from callscreen.edge.identifying import Identifying
from callscreen.edge.identity_shown import IDENTITY_FAMILIES
from callscreen.edge.peers import PeerList
from callscreen.edge.sockets import format_address, open_udp, parse_address
from callscreen.edge.view import ScreeningView
from callscreen.edge.workers import WorkerConfig, Workers
from callscreen.fastpath.counts_types import Counted
from callscreen.fastpath.recent import RecentTable
from callscreen.v1 import records_pb2

from .identity_double import BAD, TOKEN, Double, provisioned
from .messages import read, request
from .objects import CALLED, FRIEND
from .running import Phone, phone

Eventually = Callable[..., Any]
INSIDE = ("127.0.0.2", 0)  # whose calls are signed


class Running:
    """Workers and threads of caller identity over real sockets, and what they gave."""

    def __init__(self, sockets: list[Any], identity: Double, **more: Any) -> None:
        view = ScreeningView()
        view.load(provisioned(**more))
        view.whole(1)
        config = WorkerConfig(b"secret", RecentTable(10_000), "e1", ring_octets=1 << 20)
        self.identity = identity
        self.address = format_address(sockets[0].getsockname())
        self.index = view.index
        self.identifying = Identifying(identity, lambda: self.index, config, os.urandom)
        self.workers = Workers(sockets, config, os.urandom, self.identifying)
        self.records: list[Any] = []

    def put(self, octets: bytes, count: int) -> None:
        found = records_pb2.AppendRequest.FromString(octets).records
        assert len(found) == count
        self.records += found

    def shown(self) -> dict[Any, Any]:
        found: dict[Any, Any] = {}

        def add(name: str, value: Any, *labels: str) -> None:
            found[(name.removeprefix("callscreen_edge_identity_"), *labels)] = value

        self.identifying.show(add, self.workers.counts())
        return found


@asynccontextmanager
async def running(
    identity: Double | None = None, host: str = "127.0.0.1", count: int = 1, **more: Any
) -> AsyncIterator[Running]:
    run = Running(await open_udp(host, 0, count), identity or Double(), **more)
    run.workers.answer_from(run.index)
    run.identifying.start()
    run.workers.start()
    loopback = PeerList().table
    tasks = [
        asyncio.create_task(run.workers.run(lambda: run.index, lambda: loopback, run.put)),
        asyncio.create_task(run.identifying.run(run.put)),
    ]
    try:
        yield run
    finally:
        await run.workers.stop(run.put)
        await run.identifying.stop(run.put)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def invite(sbc: Phone, *more: str, calls: int = 0, **parts: Any) -> bytes:
    """A call of its own each time, or the same again."""
    sbc.calls = calls or sbc.calls + 1
    host, port = sbc.transport.get_extra_info("sockname")[:2]
    place = format_address((host, port))
    return request(
        "INVITE",
        *more,
        **{
            "uri": f"sip:{CALLED}@edge.example",
            "caller": f"<sip:{FRIEND}@carrier.example>;tag=abc",
            "via": f"SIP/2.0/UDP {place};rport;branch=z9hG4bK-{port}-{sbc.calls}",
            "call_id": f"{port}-{sbc.calls}",
            "contact": f"<sip:{place}>",
        }
        | parts,
    )


def signed(sbc: Phone, *more: str, **parts: Any) -> bytes:
    """A call that says who makes it."""
    return invite(sbc, f"Identity: {TOKEN}", *more, **parts)


async def test_a_signed_call_is_verified_and_goes_on(eventually: Eventually) -> None:
    async with running() as run, phone(run.address) as sbc:
        answer = await sbc.ask(signed(sbc))
        assert answer.status == 302
        assert answer.one("P-Asserted-Identity") == (
            f"<sip:{FRIEND};verstat=TN-Validation-Passed@carrier.example;user=phone>"
        )
        ((question, trust, policy),) = run.identity.asked
        assert (question.orig, question.dest) == (FRIEND, CALLED)
        assert question.identities == [TOKEN.encode()]
        assert (trust, policy.freshness) == ("", 60)
        await eventually(lambda: run.records)
    (record,) = run.records
    assert (record.identity.state, record.identity.attest) == ("valid", "A")
    assert record.identity.x5u_host == "c.example"
    assert record.verdict.trace[0].outcome == "valid"
    assert not record.HasField("signature")


async def test_a_forged_call_is_turned_away_with_its_code(eventually: Eventually) -> None:
    double = Double()
    double.now = BAD
    async with running(double) as run, phone(run.address) as sbc:
        answer = await sbc.ask(signed(sbc))
        assert (answer.status, answer.reason) == (438, "Invalid Identity Header")
        assert answer.one("Reason").startswith("STIR;cause=438;")
        await eventually(lambda: run.records)
    (record,) = run.records
    assert (record.status, record.identity.state) == (438, "invalid")
    assert (record.verdict.treatment, record.verdict.reason) == ("terminate", "stir_shaken")


async def test_an_unsigned_call_waits_for_nothing() -> None:
    async with running() as run, phone(run.address) as sbc:
        answer = await sbc.call(FRIEND)
        assert answer.status == 302
        assert "P-Asserted-Identity" not in answer.headers
        assert run.identity.asked == []
        assert run.shown()[("calls_total",)] == 0


async def test_a_call_waits_for_a_certificate_and_others_do_not(eventually: Eventually) -> None:
    double = Double()
    double.now = None
    async with running(double) as run, phone(run.address) as sbc, phone(run.address) as other:
        sbc.transport.sendto(signed(sbc))
        await eventually(lambda: run.shown()[("waiting", "certificate")] == 1)
        assert (await other.call(FRIEND)).status == 302
        double.now = None
        double.later.set()
        answer = read(await asyncio.wait_for(sbc.got.get(), 20))
        assert answer.status == 302
        assert "verstat=TN-Validation-Passed" in answer.one("P-Asserted-Identity")
        assert 0 < double.budgets[0] <= 0.3
        assert run.shown()[("waiting", "certificate")] == 0


async def test_a_dead_host_costs_no_more_than_the_budget(eventually: Eventually) -> None:
    double = Double()
    double.now = None
    async with running(double) as run, phone(run.address) as sbc:
        answer = await sbc.ask(signed(sbc))
        assert answer.status == 302, "the rules go on"
        assert 0 < double.budgets[0] <= 0.3, "seconds from its receipt, not from its turn"
        await eventually(lambda: run.records)
    (record,) = run.records
    assert (record.identity.state, record.identity.code) == ("unknown", 436)
    assert record.verdict.trace[0].outcome == "unverified"


async def test_the_budget_is_counted_from_the_receipt() -> None:
    double = Double()
    double.now = None
    async with running(double) as run, phone(run.address) as sbc:
        # As if the event loop came to the call a fifth of a second after its receipt.
        run.identifying._wall = lambda: time.time_ns() + 200_000_000
        assert (await sbc.ask(signed(sbc))).status == 302
    assert 0 < double.budgets[0] <= 0.1


async def test_the_workers_come_before_the_threads() -> None:
    async with running() as run, phone(run.address) as sbc:
        assert (await sbc.ask(signed(sbc))).status == 302
        own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        found = {
            each.name: os.getpriority(os.PRIO_PROCESS, each.native_id or 0) - own
            for each in threading.enumerate()
            if each.name.startswith(("identity-", "sip-"))
        }
    assert found == {"identity-0": 5, "identity-1": 5, "sip-0": 0}


async def test_calls_taken_together_are_each_answered() -> None:
    async with running() as run, phone(run.address) as sbc, phone(run.address, INSIDE) as inside:
        expected = []
        for place in range(40):
            by = inside if place % 2 else sbc
            message = signed(by) if place % 3 else invite(by)
            expected.append((by, message, place))
            for _ in range(1 + place % 2):
                by.transport.sendto(message)
        got: dict[str, Any] = {}
        while len(got) < len(expected):
            for by in (sbc, inside):
                while not by.got.empty():
                    answer = read(by.got.get_nowait())
                    got[answer.one("Call-ID")] = answer
            await asyncio.sleep(0.001)
        for by, message, place in expected:
            answer = got[message.partition(b"Call-ID: ")[2].partition(b"\r\n")[0].decode()]
            assert answer.status == 302
            assert ("P-Asserted-Identity" in answer.headers) == bool(place % 3)
            assert ("Identity" in answer.headers) == (not place % 3 and by is inside)


async def test_a_call_sent_again_is_one_piece_of_work(eventually: Eventually) -> None:
    double = Double()
    double.now = None
    async with running(double) as run, phone(run.address) as sbc:
        message = signed(sbc)
        for _ in range(3):
            sbc.transport.sendto(message)
        await eventually(lambda: run.shown()[("repeated_total",)] == 2)
        double.later.set()
        first = await asyncio.wait_for(sbc.got.get(), 20)
        sbc.transport.sendto(message)
        assert await asyncio.wait_for(sbc.got.get(), 20) == first
        assert len(double.asked) == 1
        await eventually(lambda: run.records)
    assert len(run.records) == 1


async def test_a_call_of_a_source_is_signed(eventually: Eventually) -> None:
    async with running() as run, phone(run.address, INSIDE) as sbc:
        message = invite(sbc)
        answer = await sbc.ask(message)
        assert answer.status == 302
        assert answer.one("Identity") == "token-1;info=<https://c.example/a.pem>"
        assert answer.one("Date").endswith(" GMT")
        again = await sbc.ask(message)
        assert again.one("Identity") == answer.one("Identity"), "the same token"
        assert again.one("Date") == answer.one("Date")
        (asked,) = run.identity.signed
        assert (asked.cert_name, asked.attest) == ("acme-1", "A")
        assert (asked.orig, asked.dest) == (FRIEND[1:], CALLED[1:])
        await eventually(lambda: run.records)
    (record,) = run.records
    assert (record.signature.source_name, record.signature.certificate) == ("trunk", "ab")
    assert (record.signature.attest, record.signature.failure) == ("A", "")
    assert not record.HasField("identity")


async def test_an_identity_that_is_there_is_left_alone() -> None:
    double = Double()
    async with running(double) as run, phone(run.address, INSIDE) as sbc:
        answer = await sbc.ask(signed(sbc))
        assert answer.status == 302
        assert "Identity" not in answer.headers
        assert double.signed == []


async def test_a_date_that_is_there_stays() -> None:
    async with running() as run, phone(run.address, INSIDE) as sbc:
        now = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        answer = await sbc.ask(invite(sbc, f"Date: {now}"))
        assert "Identity" in answer.headers
        assert "Date" not in answer.headers


@pytest.mark.parametrize(
    ("lines", "caller", "refusal", "failure"),
    [
        ((), "<sip:bob@c.example>;tag=a", "", "the calling number is not one of E.164"),
        ((), "<sip:anonymous@anonymous.invalid>;tag=a", "", "the caller is anonymous"),
        (("Date: Thu, 01 Jan 1998 00:00:00 GMT",), None, "", "Date is "),
        ((), None, "the certificate has expired", "the certificate has expired"),
    ],
)
async def test_a_call_that_cannot_be_signed_goes_on(
    lines: tuple[str, ...],
    caller: str | None,
    refusal: str,
    failure: str,
    eventually: Eventually,
) -> None:
    double = Double()
    double.refusal = refusal
    async with running(double) as run, phone(run.address, INSIDE) as sbc:
        parts = {"caller": caller} if caller else {}
        answer = await sbc.ask(invite(sbc, *lines, **parts))
        assert answer.status == 302
        assert "Identity" not in answer.headers
        await eventually(lambda: run.records)
    assert run.records[0].signature.failure.startswith(failure)
    assert run.records[0].signature.certificate == ""


async def test_attestation_n_is_not_signed_but_told(eventually: Eventually) -> None:
    numbers = {
        "numbers_n": [FRIEND],
        "orig_id_n": "x",
        "attest_n": "N",
        "cert_name_n": "c",
        "priority": 1,
    }
    async with running(source_numbers=[numbers]) as run, phone(run.address, INSIDE) as sbc:
        answer = await sbc.ask(invite(sbc))
        assert answer.status == 302
        assert "Identity" not in answer.headers
        await eventually(lambda: run.records)
    signature = run.records[0].signature
    assert (signature.attest, signature.mask, signature.failure) == ("N", FRIEND, "")


async def test_what_finds_no_room_is_answered_at_once(
    monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(identifying_module, "CERTIFICATES_MOST", 2)
    double = Double()
    double.now = None
    async with running(double) as run, phone(run.address) as sbc:
        for _ in range(5):
            sbc.transport.sendto(signed(sbc))
        for _ in range(3):
            assert read(await asyncio.wait_for(sbc.got.get(), 20)).status == 302
        assert run.shown()[("overflow_total", "certificates")] == 3
        double.later.set()
        for _ in range(2):
            await asyncio.wait_for(sbc.got.get(), 20)
        await eventually(lambda: len(run.records) == 5)
    states = [record.identity.state for record in run.records]
    assert sorted(states) == ["unknown"] * 3 + ["valid"] * 2


def met(counts: Counted) -> int:
    return counts.handed + counts.identity_overflow


async def test_a_full_ring_is_answered_by_the_worker(
    monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(identifying_module, "HANDED_OCTETS", 4_096)
    going_on = threading.Event()

    class Slow(Double):
        def verify_now(self, *asked: Any) -> Any:
            going_on.wait(5)
            return super().verify_now(*asked)

    async with running(Slow()) as run, phone(run.address) as sbc:
        for _ in range(60):
            sbc.transport.sendto(signed(sbc))
        await eventually(lambda: met(run.workers.counts()) == 60)
        assert read(await asyncio.wait_for(sbc.got.get(), 20)).status == 302
        counts = run.workers.counts()
        going_on.set()
        for _ in range(59):
            assert read(await asyncio.wait_for(sbc.got.get(), 20)).status == 302
        await eventually(lambda: len(run.records) == 60)
        assert counts.identity_overflow > 5
        assert run.shown()[("overflow_total", "workers")] == counts.identity_overflow
    outcomes = [record.verdict.trace[0].outcome for record in run.records]
    assert outcomes.count("unverified") == counts.identity_overflow
    assert outcomes.count("valid") == 60 - counts.identity_overflow


async def test_a_stop_answers_what_waits(eventually: Eventually) -> None:
    double = Double()
    double.now = None
    async with phone_of_its_own() as sbc:
        async with running(double) as run:
            sbc.transport.sendto(signed(sbc), parse_address(run.address))
            await eventually(lambda: run.shown()[("waiting", "certificate")] == 1)
        assert read(await asyncio.wait_for(sbc.got.get(), 20)).status == 302
    assert [record.identity.state for record in run.records] == ["unknown"]
    assert not [each for each in threading.enumerate() if each.name.startswith("identity-")]


@asynccontextmanager
async def phone_of_its_own() -> AsyncIterator[Phone]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Phone, local_addr=("127.0.0.1", 0))
    try:
        yield protocol
    finally:
        transport.close()


async def test_an_answer_leaves_from_the_address_that_was_asked() -> None:
    for host in ("0.0.0.0", "::"):
        async with running(host=host, count=2) as run:
            _, port = parse_address(run.address)
            for asked in ("127.0.0.1", "127.0.0.2", "127.1.2.3"):
                async with phone(f"{asked}:{port}") as sbc:  # hears nobody else
                    assert (await sbc.ask(signed(sbc))).status == 302


async def test_a_fault_of_ours_lets_the_call_go_on(
    caplog: pytest.LogCaptureFixture, eventually: Eventually
) -> None:
    class Broken(Double):
        def verify_now(self, *_: Any) -> Any:
            raise RuntimeError("broken")

    async with running(Broken()) as run, phone(run.address) as sbc:
        for _ in range(3):
            assert (await sbc.ask(signed(sbc))).status == 302
        await eventually(lambda: len(run.records) == 3)
    assert {record.identity.state for record in run.records} == {"unknown"}
    assert "broken" in caplog.text


async def test_calls_are_counted_once(eventually: Eventually) -> None:
    async with running() as run, phone(run.address) as sbc:
        for _ in range(10):
            assert (await sbc.ask(signed(sbc))).status == 302
        await eventually(lambda: run.shown()[("calls_total",)] == 10)
        counts = run.identifying.counts()
        assert counts.received == 0
        assert counts.answered == {302: 10}
        assert counts.records_made == 10
        assert run.workers.counts().received == 10
        assert run.workers.counts().answered == {}
        shown = run.shown()
        assert shown[("handed_total", "workers")] == 10
        assert shown[("calls_total",)] == shown[("seconds",)].count == 10
        assert {name for name, *_ in shown} == {
            family.name.removeprefix("callscreen_edge_identity_") for family in IDENTITY_FAMILIES
        }
        await eventually(lambda: len(run.records) == 10)
