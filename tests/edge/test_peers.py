"""Only peers are answered, each at its rate, and a list changes while calls go on."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from callscreen.edge.peers import PeerList, read_peers, trusted
from callscreen.fastpath.peers_types import LOOPBACK, PEERS_MOST, Peer

from .messages import request
from .objects import CALLED, FRIEND
from .running import edge, phone, provision

LISTED = """
[[peer]]
name = "sbc-1"
addresses = ["192.0.2.10", "198.51.100.0/24", "2001:db8::/32"]
rate = 500
burst = 1000

[[peer]]
name = "loopback"
addresses = ["127.0.0.1"]
proxy = true
"""
ONE = '[[peer]]\nname = "loopback"\naddresses = ["127.0.0.1"]\n'


def written(folder: Path, text: str) -> str:
    path = folder / "peers.toml"
    path.write_text(text)
    return str(path)


def test_a_file_names_addresses_rates_and_proxies(tmp_path: Path) -> None:
    assert read_peers(Path(written(tmp_path, LISTED))) == [
        Peer("sbc-1", ("192.0.2.10", "198.51.100.0/24", "2001:db8::/32"), 500, 1_000),
        Peer("loopback", ("127.0.0.1",), proxy=True),
    ]


def test_loopback_is_a_peer_unless_it_is_listed_otherwise(tmp_path: Path) -> None:
    assert PeerList().table.given == (LOOPBACK,)
    listed = PeerList("192.0.2.1, 198.51.100.0/24")
    assert [peer.name for peer in listed.table.given] == [
        "192.0.2.1",
        "198.51.100.0/24",
        "loopback",
    ]
    assert not PeerList(file=written(tmp_path, LISTED)).admits("127.0.0.2")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[peer]", "no TOML"),
        ("[peers]", "nothing else"),
        ("peer = 1", "nothing else"),
        ('[[peer]]\naddresses = ["::1"]', "a name has 1 to 64"),
        ('[[peer]]\nname = "a"', "addresses are missing"),
        ('[[peer]]\nname = "a"\naddresses = ["here"]', "peer 1: not an address"),
        ('[[peer]]\nname = "a"\naddresses = [1]', "not an address"),
        ('[[peer]]\nname = "a"\naddresses = ["192.0.2.1/24"]', "is it 192.0.2.0/24"),
        ('[[peer]]\nname = "a"\naddresses = ["::1"]\nrate = "5"', "rate is no int"),
        ('[[peer]]\nname = "a"\naddresses = ["::1"]\nrate = true', "rate is no int"),
        ('[[peer]]\nname = "a"\naddresses = ["::1"]\nspeed = 5', "no field 'speed'"),
        (ONE + ONE, "two peers are named"),
    ],
)
def test_a_bad_file_is_refused_and_says_where(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        PeerList(file=written(tmp_path, text))


def test_a_bad_option_is_refused() -> None:
    with pytest.raises(ValueError, match="not an address"):
        trusted("192.0.2.1,elsewhere")


def test_a_changed_file_is_taken_whole_or_not_at_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = Path(written(tmp_path, ONE))
    peers = PeerList(file=str(path))
    assert not peers.reload()
    path.write_text(LISTED)
    assert peers.reload()
    assert peers.admits("192.0.2.10")
    before = peers.table
    with caplog.at_level(logging.ERROR):
        path.write_text("[[peer]]\nname = 5\n")
        assert not peers.reload()
        assert not peers.reload()
        path.unlink()
        assert not peers.reload()
        assert not peers.reload()
    assert peers.table is before
    assert peers.failures == len(caplog.records) == 2
    path.write_text(ONE)
    assert peers.reload()
    assert not peers.admits("192.0.2.10")


def test_a_file_of_nothing_but_brackets_ends_no_edge(tmp_path: Path) -> None:
    path = Path(written(tmp_path, ONE))
    peers = PeerList(file=str(path))
    path.write_text("a = " + "[" * 100_000)
    assert not peers.reload()
    assert peers.failures == 1


def test_a_file_of_too_many_peers_is_refused_before_they_are_compared(tmp_path: Path) -> None:
    text = "".join(f'[[peer]]\nname="{n}"\naddresses=["::1"]\n' for n in range(PEERS_MOST + 1))
    with pytest.raises(ValueError, match="at most"):
        read_peers(Path(written(tmp_path, text)))


async def test_a_stranger_gets_no_answer_and_is_counted_and_named_once(
    core: Any,
    tmp_path: Path,
    eventually: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("callscreen.edge.peers.LOOK_SECONDS", 0.05)
    monkeypatch.setattr("callscreen.edge.peers.STRANGER_SECONDS", 0.05)
    provision(core)
    async with (
        edge(core, peers=written(tmp_path, ONE)) as address,
        phone(address, ("127.0.0.1", 0)) as sbc,
        phone(address, ("127.0.0.2", 0)) as stranger,
    ):
        for _ in range(3):
            stranger.transport.sendto(request())
        assert (await sbc.call(FRIEND)).status == 302
        assert stranger.got.empty()
        await eventually(lambda: "3 datagrams came from no peer, from 127.0.0.2" in caplog.text)
        written(tmp_path, ONE + '[[peer]]\nname = "new"\naddresses = ["127.0.0.2"]\n')
        answered = False
        for _ in range(40):
            stranger.transport.sendto(request("OPTIONS", via=via(stranger)))
            try:
                await eventually(lambda: not stranger.got.empty(), 0.1)
                answered = True
                break
            except TimeoutError:
                continue
        assert answered


async def test_a_peer_above_its_rate_gets_503_and_others_their_answers(
    core: Any, tmp_path: Path
) -> None:
    provision(core)
    text = ONE + '[[peer]]\nname = "busy"\naddresses = ["127.0.0.2"]\nrate = 2\n'
    async with (
        edge(core, peers=written(tmp_path, text)) as address,
        phone(address, ("127.0.0.1", 0)) as sbc,
        phone(address, ("127.0.0.2", 0)) as busy,
    ):
        answers = [await busy.call(FRIEND) for _ in range(4)]
        assert [answer.status for answer in answers] == [302, 302, 503, 503]
        assert answers[-1].one("Retry-After") == "2"
        assert (await busy.ask(request("OPTIONS", via=via(busy)))).status == 200
        assert (await sbc.call(FRIEND)).status == 302


async def test_the_ceiling_is_of_all_peers(core: Any) -> None:
    provision(core)
    async with edge(core, ceiling=2) as address, phone(address, ("127.0.0.3", 0)) as sbc:
        assert [(await sbc.call(FRIEND)).status for _ in range(4)] == [302, 302, 503, 503]


async def test_the_via_of_a_proxy_is_believed_and_no_other(
    core: Any, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    provision(core)
    text = (
        '[[peer]]\nname = "proxy"\naddresses = ["127.0.0.1"]\nproxy = true\n'
        '[[peer]]\nname = "plain"\naddresses = ["127.0.0.2"]\n'
    )
    async with (
        edge(core, peers=written(tmp_path, text)) as address,
        phone(address, ("127.0.0.1", 0)) as proxy,
        phone(address, ("127.0.0.2", 0)) as plain,
    ):
        for place, peer in enumerate((proxy, plain)):
            call = request(
                "INVITE",
                "Via: SIP/2.0/UDP sbc.example;branch=z9hG4bK-0;received=203.0.113.5",
                uri=f"sip:{CALLED}@edge.example",
                caller=f"<sip:{FRIEND}@carrier.example>;tag=1",
                via=via(peer),
                call_id=f"via-{place}",
            )
            assert (await peer.ask(call)).status == 302
        await eventually(lambda: len(core.records) == 2)
    sources = {record.call_id: record.source_ip for record in core.kept}
    assert sources == {"via-0": "203.0.113.5", "via-1": "127.0.0.2"}


def via(peer: Any) -> str:
    host, port = peer.transport.get_extra_info("sockname")[:2]
    return f"SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK-{port}"
