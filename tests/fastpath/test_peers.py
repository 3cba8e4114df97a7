"""Whose datagrams are answered, and how many calls: the compiled table beside its plain twin."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.fastpath.peers import PeerTable
from callscreen.fastpath.peers_reference import PeerTable as Reference
from callscreen.fastpath.peers_types import LOOPBACK, RATE_MOST, Peer

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
ADDRESSES = ["192.0.2.1", "192.0.2.9", "192.0.3.1", "2001:db8::1", "::1", "127.0.0.1", "no address"]
BLOCKS = ["192.0.2.0/24", "192.0.2.1", "192.0.0.0/16", "2001:db8::/32", "0.0.0.0/0"]

peers = st.lists(
    st.builds(
        Peer,
        st.sampled_from("abcdef"),
        st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=3).map(tuple),
        st.integers(0, 4),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=4,
    unique_by=lambda peer: peer.name,
)
steps = st.lists(
    st.tuples(st.sampled_from(ADDRESSES), st.integers(-SECOND // 4, 2 * SECOND)), max_size=60
)


@given(peers, st.integers(0, 5), steps)
def test_the_table_and_its_twin_agree(
    peers: list[Peer], ceiling: int, steps: list[tuple[str, int]]
) -> None:
    table, twin = PeerTable(peers, ceiling), Reference(peers, ceiling)
    now = START
    for address, later in steps:
        now += later
        assert table.find(address) == twin.find(address)
        assert table.take(address, now) == twin.take(address, now)


def test_without_a_list_loopback_alone_is_a_peer() -> None:
    table = PeerTable()
    assert table.given == (LOOPBACK,)
    assert (
        table.find("127.9.9.9") == table.find("::1") == table.find("::ffff:127.0.0.1") == LOOPBACK
    )
    assert table.find("192.0.2.1") is None
    assert table.take("192.0.2.1", START) == "untrusted"


def test_the_longest_block_counts() -> None:
    wide, narrow = Peer("wide", ("192.0.0.0/16",)), Peer("narrow", ("192.0.2.0/24",), proxy=True)
    table = PeerTable((wide, narrow))
    assert table.find("192.0.2.7") == narrow
    assert table.find("192.0.3.7") == wide


def test_a_rate_admits_its_calls_refuses_as_many_and_ignores_the_rest() -> None:
    table = PeerTable((Peer("sbc", ("192.0.2.1",), rate=10),))
    tolls = [table.take("192.0.2.1", START) for _ in range(40)]
    assert tolls == ["admitted"] * 10 + ["limited"] * 10 + ["ignored"] * 20
    assert table.take("192.0.2.1", START + SECOND // 10) == "admitted"
    assert table.counts() == {"sbc": (11, 10, 20)}


def test_a_burst_is_of_its_own_size() -> None:
    table = PeerTable((Peer("sbc", ("192.0.2.1",), rate=10, burst=3),))
    tolls = [table.take("192.0.2.1", START) for _ in range(7)]
    assert tolls == ["admitted"] * 3 + ["limited"] * 3 + ["ignored"]


def test_a_ceiling_is_of_all_together() -> None:
    table = PeerTable((Peer("one", ("192.0.2.1",)), Peer("two", ("192.0.2.2",))), ceiling=4)
    tolls = [table.take(f"192.0.2.{1 + turn % 2}", START) for turn in range(10)]
    assert tolls == ["admitted"] * 4 + ["limited"] * 4 + ["ignored"] * 2


def test_a_peer_that_stays_goes_on_and_another_begins() -> None:
    before = PeerTable((Peer("sbc", ("192.0.2.1",), rate=2),))
    for _ in range(2):
        assert before.take("192.0.2.1", START) == "admitted"
    after = PeerTable(
        (Peer("sbc", ("192.0.2.1", "192.0.2.2"), rate=2), Peer("new", ("192.0.2.3",), rate=2)),
        before=before,
    )
    assert after.take("192.0.2.2", START) == "limited"
    assert after.take("192.0.2.3", START) == "admitted"
    assert after.counts() == {"sbc": (2, 1, 0), "new": (1, 0, 0)}


def test_a_list_that_is_read_again_does_not_fill_the_ceiling() -> None:
    given = (Peer("sbc", ("192.0.2.1",)),)
    before = PeerTable(given, ceiling=2)
    assert [before.take("192.0.2.1", START) for _ in range(2)] == ["admitted"] * 2
    after = PeerTable(given, ceiling=2, before=before)
    assert after.take("192.0.2.1", START) == "limited"
    assert after.take("192.0.2.1", START + SECOND // 2) == "admitted"


def test_a_clock_that_steps_back_stops_nobody_for_long() -> None:
    table = PeerTable((Peer("sbc", ("192.0.2.1",), rate=10),))
    assert table.take("192.0.2.1", START) == "admitted"
    assert table.take("192.0.2.1", START - 3_600 * SECOND) == "admitted"


def test_threads_share_a_bucket() -> None:
    table = PeerTable((Peer("sbc", ("192.0.2.1",), rate=1_000),))
    got: list[str] = []

    def take() -> None:
        got.extend(table.take("192.0.2.1", START) for _ in range(1_000))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (got.count("admitted"), got.count("limited"), got.count("ignored")) == (
        1_000,
        1_000,
        2_000,
    )


@pytest.mark.parametrize(
    ("peers", "ceiling"),
    [
        ((Peer("a", ("::1",), rate=-1),), 0),
        ((Peer("a", ("::1",), burst=RATE_MOST + 1),), 0),
        ((), -1),
        ((Peer("a", ("::1",)),) * 10_001, 0),
    ],
)
def test_what_is_no_list_is_refused(peers: tuple[Peer, ...], ceiling: int) -> None:
    for kind in (PeerTable, Reference):
        with pytest.raises(ValueError, match=r"peer|ceiling"):
            kind(peers, ceiling)
