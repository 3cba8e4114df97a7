"""Proxy mode of an edge: what it is configured by, resolves, and shares with other edges."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callscreen.edge import onward as onward_module
from callscreen.edge.onward import Onward, check_mode
from callscreen.edge.peers import PeerList
from callscreen.edge.secrets import Secrets
from callscreen.edge.sockets import parse_address
from callscreen.fastpath.forwarding import NameTable

from ..fastpath.looping import Peer, close_peers, udp
from .messages import request
from .proxying import Called, objects_to
from .running import edge


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    close_peers()


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
    names = await asyncio.wait_for(taken.get(), 20)
    assert forwarding.hop("localhost:5070", names) == ("127.0.0.1", 5070)
    shown: list[tuple[object, ...]] = []
    onward.show(lambda *values: shown.append(values))
    assert shown == [
        ("callscreen_edge_requests_forwarded_total", 0),
        ("callscreen_edge_responses_relayed_total", 0),
    ]
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


async def test_edges_with_one_secret_bring_back_what_another_sent_on(
    core: Any, tmp_path: Path
) -> None:
    secret, called, caller = tmp_path / "secret", Called(), udp()
    secret.write_bytes(b"0" * 32)
    secret.chmod(0o600)
    for each in objects_to(called.address):
        core.note(each.name, body=each)
    caller.settimeout(20)
    more = {"mode": "proxy", "via": "127.0.0.1:5999", "branch_secret": str(secret)}
    async with edge(core, **more) as one, edge(core, **more) as other, edge(core, mode="proxy"):
        data = request(via="SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK-1")
        sent = []
        for address in (one, other):
            caller.sendto(data, parse_address(address))
            await asyncio.to_thread(called.take)
            sent.append(called.data)
        assert sent[0] == sent[1]  # sent again to the other it has the same branch
        called.answer(b"200 OK", sent[0], parse_address(other))
        relayed, source = await asyncio.to_thread(caller.recvfrom, 70_000)
        assert (relayed[:14], source) == (b"SIP/2.0 200 OK", parse_address(other))
    caller.close()


def test_secrets_are_those_of_a_file_or_of_a_process(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"0" * 32 + b"\n")
    file.chmod(0o640)
    one = Secrets.read(str(file))
    assert one == Secrets.read(str(file))
    assert len({*one, *Secrets.read(""), *Secrets.read("")}) == 6
    file.chmod(0o644)
    with pytest.raises(ValueError, match="open to everybody"):
        Secrets.read(str(file))
    file.chmod(0o600)
    for text in (b" " * 40 + b"0" * 31, b"0" * 4097):
        file.write_bytes(text)
        with pytest.raises(ValueError, match="32 to 4096"):
            Secrets.read(str(file))
    with pytest.raises(OSError, match="none"):
        Secrets.read(str(tmp_path / "none"))
