"""Calls sent on to where they go, over real sockets: a caller, the proxy, and who is called."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from callscreen.edge import onward as onward_module
from callscreen.edge.identifying import Identifying
from callscreen.edge.onward import Onward, check_mode
from callscreen.edge.peers import PeerList
from callscreen.edge.sockets import parse_address
from callscreen.edge.workers import WorkerConfig, Workers
from callscreen.fastpath.forwarding import Forwarding, NameTable, OnwardTable
from callscreen.fastpath.peers import PeerTable
from callscreen.fastpath.recent import RecentTable
from callscreen.v1 import records_pb2

from ..fastpath.looping import Peer, close_peers, index_of, recorded, udp, working
from .identity_double import TOKEN, Double, provisioned
from .objects import FRIEND, platform, settings
from .running import edge

EGRESS = "egress.example"  # of the platform


class Called:
    """Who is called: takes what is sent on, and answers it."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(5)
        Peer.opened.append(self.socket)
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def take(self) -> list[bytes]:
        data, self.source = self.socket.recvfrom(70_000)
        self.data = data
        return data.split(b"\r\n")

    def answer(self, status: bytes, data: bytes = b"", to: Any = None) -> bytes:
        """Answers what came last: its Via, From, To, Call-ID and CSeq."""
        names = (b"Via:", b"From:", b"To:", b"Call-ID:", b"CSeq:")
        lines = [line for line in (data or self.data).split(b"\r\n") if line.startswith(names)]
        octets = b"\r\n".join([b"SIP/2.0 " + status, *lines, b"Content-Length: 0", b"", b""])
        self.socket.sendto(octets, to or self.source)
        return octets

    def silent(self) -> bool:
        self.socket.settimeout(0.2)
        try:
            self.socket.recv(70_000)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(5)
        return False


class Proxy:
    """A worker that sends calls on, a caller and who is called."""

    def __init__(self, worker: Any, address: Any, called: Called) -> None:
        self.worker, self.address, self.called = worker, address, called
        self.caller = Peer(address)

    @property
    def via(self) -> bytes:
        return b"%s:%d" % (self.address[0].encode(), self.address[1])

    def branch(self) -> bytes:
        (line,) = [each for each in self.called.data.split(b"\r\n") if self.via in each]
        return line.partition(b";branch=")[2]

    def send(self, data: bytes) -> bytes:
        """Sends a request and takes what is sent on: its octets."""
        self.caller.socket.send(data)
        self.called.take()
        return self.called.data

    def relayed(self) -> bytes:
        return self.caller.socket.recv(70_000)


def objects_to(egress: str) -> list[Any]:
    """The platform with a place to send calls to."""
    engine = {"default_treatment": "terminate", "use_contact": True, "egress_route": egress}
    web = {"default_cc": "1"}
    return [settings("pcs", screening_engine=engine, web_settings=web), *platform()[1:]]


@contextmanager
def proxying(names: dict[str, str] | None = None, **more: Any) -> Iterator[Proxy]:
    sock, called = udp(), Called()
    address = sock.getsockname()
    forwarding = Forwarding(f"127.0.0.1:{address[1]}", os.urandom(32), OnwardTable(1000))
    with working(sock, index_of(objects_to(EGRESS)), forwarding=forwarding, **more) as worker:
        worker.resolve(NameTable({EGRESS: called.address} if names is None else names))
        yield Proxy(worker, address, called)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    close_peers()


def also(data: bytes, method: bytes) -> bytes:
    """The ACK or CANCEL of an INVITE."""
    data = data.replace(b"INVITE ", method + b" ", 1)
    return data.replace(b" INVITE\r\n", b" " + method + b"\r\n", 1)


def test_a_call_is_sent_on_and_what_answers_it_is_brought_back() -> None:
    with proxying() as proxy:
        invite = proxy.caller.invite(body=b"v=0\r\n")
        sent = proxy.send(invite)
        lines, asked = sent.split(b"\r\n"), invite.split(b"\r\n")
        assert lines[0] == b"INVITE sip:+15551230001@egress.example SIP/2.0"
        assert lines[1].startswith(b"Via: SIP/2.0/UDP " + proxy.via + b";branch=z9hG4bK")
        port = proxy.caller.port
        assert lines[2].endswith(b";received=127.0.0.1;rport=%d" % port)
        assert lines[3] == b"Max-Forwards: 69"
        assert lines[4:] == asked[3:]
        for status in (b"100 Trying", b"180 Ringing", b"200 OK"):
            answer = proxy.called.answer(status).split(b"\r\n")
            assert proxy.relayed().split(b"\r\n") == [answer[0], *answer[2:]]
        (record,) = recorded(proxy.worker)
        assert record.status == 0
        assert record.events.endswith(";0:forward:egress.example")
        counts = proxy.worker.counts()
        assert (counts.forwarded, counts.answered) == (4, {})
        assert proxy.worker.forwarding.relayed == 3


def test_what_belongs_to_a_call_goes_where_it_went() -> None:
    with proxying() as proxy:
        invite = proxy.caller.invite()
        first = proxy.send(invite)
        branch = proxy.branch()
        assert proxy.send(invite) == first
        proxy.worker.resolve(NameTable({EGRESS: "127.0.0.1:9"}))
        for data in (invite, also(invite, b"CANCEL"), also(invite, b"ACK")):
            sent = proxy.send(data)
            assert proxy.branch() == branch
            assert sent.split(b" ")[1] == b"sip:+15551230001@egress.example"
        assert len(recorded(proxy.worker)) == 1
        proxy.caller.socket.send(also(proxy.caller.invite(), b"ACK"))
        cancel = proxy.caller.ask(also(proxy.caller.invite(), b"CANCEL"))
        assert cancel.status == 481
        assert proxy.called.silent()
        assert proxy.worker.counts().acknowledged == 1


def test_only_a_response_with_a_branch_of_ours_is_brought_back() -> None:
    with proxying() as proxy:
        proxy.send(proxy.caller.invite())
        data, via = proxy.called.data, proxy.branch()
        wrong = via[:-1] + (b"0" if via[-1:] != b"0" else b"1")
        for forged in (
            data.replace(via, wrong),  # a branch that nobody here made
            data.replace(b"received=127.0.0.1", b"received=127.0.0.2"),  # to somebody else
            data.replace(proxy.via, b"192.0.2.1:5060"),  # of another proxy
        ):
            proxy.called.answer(b"200 OK", forged)
        proxy.called.socket.sendto(b"SIP/2.0 200 OK\r\nVia: \r\n\r\n", proxy.called.source)
        proxy.called.answer(b"486 Busy Here")
        assert proxy.relayed().startswith(b"SIP/2.0 486 ")
        refused = proxy.worker.forwarding.refused
        assert refused == {"response_not_ours": 3, "response_malformed": 1}
        assert proxy.worker.counts().dropped == {"response": 4}


def test_a_call_that_came_through_too_often_ends() -> None:
    with proxying() as proxy:
        via = f"Via: SIP/2.0/UDP 127.0.0.1:{proxy.address[1]};branch=z9hG4bK-x"
        proxy.send(proxy.caller.invite().replace(b"Max-", via.encode() + b"\r\nMax-", 1))
        data = proxy.caller.invite().replace(b"Max-", (via + "\r\n").encode() * 3 + b"Max-", 1)
        assert proxy.caller.ask(data).status == 482
        none = proxy.caller.invite().replace(b"Max-Forwards: 70", b"Max-Forwards: 0")
        assert proxy.caller.ask(none).status == 483
        sent = proxy.send(proxy.caller.invite().replace(b"Max-Forwards: 70\r\n", b""))
        assert b"\r\nMax-Forwards: 70\r\n" in sent
        assert proxy.worker.forwarding.refused == {"loop": 1}


@pytest.mark.parametrize(
    ("names", "word"),
    [({}, "unresolved"), ({EGRESS: ""}, "unresolved"), ({EGRESS: "192.0.2.1:5060"}, "not_a_peer")],
)
def test_where_a_call_cannot_be_sent_on_it_is_redirected(names: dict[str, str], word: str) -> None:
    with proxying(names) as proxy:
        proxy.worker.admit(PeerTable())
        answer = proxy.caller.ask(proxy.caller.invite())
        assert (answer.status, answer.one("Contact")) == (
            302,
            "<sip:+15551230001@egress.example>",
        )
        assert proxy.worker.forwarding.refused == {word: 1}
        assert proxy.worker.forwarding.wanted == (EGRESS if not names else "")


def test_a_route_that_names_the_proxy_is_taken_off_and_a_require_is_not_its() -> None:
    with proxying() as proxy:
        own = f"Route: <sip:127.0.0.1:{proxy.address[1]};lr>"
        data = proxy.caller.invite().replace(
            b"Max-", f"{own},<sip:a.example;lr>\r\nRequire: 100rel\r\nMax-".encode(), 1
        )
        sent = proxy.send(data)
        assert b"\r\nRoute: <sip:a.example;lr>\r\nRequire: 100rel\r\n" in sent
        data = proxy.caller.invite().replace(b"Max-", f"{own}\r\nMax-".encode(), 1)
        assert b"Route" not in proxy.send(data)
        data = proxy.caller.invite().replace(b"Max-", b"Proxy-Require: x\r\nMax-", 1)
        assert proxy.caller.ask(data).status == 302


@pytest.mark.parametrize(
    ("mode", "via", "sip", "trust", "amiss"),
    [
        ("both", "", "127.0.0.1:0", "", "mode is one of"),
        ("proxy", "", "0.0.0.0:5060", "192.0.2.1", "--via"),
        ("proxy", "[::]:5060", "127.0.0.1:0", "", "--via"),
        ("proxy", "192.0.2.9:5060", "0.0.0.0:5060", "", "--trust"),
    ],
)
def test_a_mode_that_could_not_work_is_refused(
    mode: str, via: str, sip: str, trust: str, amiss: str
) -> None:
    with pytest.raises(ValueError, match=amiss):
        check_mode(mode, via, sip, PeerList(trust).table.given)


def test_a_mode_that_can_work_is_not() -> None:
    check_mode("redirect", "", "0.0.0.0:5060", [])
    check_mode("proxy", "", "127.0.0.1:0", PeerList().table.given)
    check_mode("proxy", "192.0.2.9", "0.0.0.0:5060", PeerList("192.0.2.1").table.given)


async def test_names_that_workers_want_are_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onward_module, "LOOK_SECONDS", 0.01)
    onward = Onward("", b"secret", "127.0.0.1:5060")
    forwarding = onward.make()
    taken: asyncio.Queue[NameTable] = asyncio.Queue()
    task = asyncio.create_task(onward.run(taken.put_nowait))
    assert forwarding.hop("localhost:5070") == "unresolved"
    names = await asyncio.wait_for(taken.get(), 5)
    assert forwarding.hop("localhost:5070", names) == ("127.0.0.1", 5070)
    shown: list[tuple[object, ...]] = []
    onward.show(lambda *values: shown.append(values))
    assert shown == [("callscreen_edge_responses_relayed_total", 0)]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_edge_sends_calls_on(core: Any) -> None:
    called = Called()
    for each in objects_to(called.address):
        core.note(each.name, body=each)
    async with edge(core, mode="proxy") as address:
        host, port = parse_address(address)
        caller = Peer((host, port))
        caller.socket.send(caller.invite())
        await asyncio.to_thread(called.take)
        called.answer(b"200 OK")
        relayed = await asyncio.to_thread(caller.socket.recv, 70_000)
        assert relayed.startswith(b"SIP/2.0 200 OK")
        assert called.data.startswith(b"INVITE sip:+15551230001@" + called.address.encode())


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
    config = WorkerConfig(b"secret", RecentTable(1000), proxy=True, forwarding=onward.make)
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
