"""A worker whose data changes while it answers: every call by one whole state of it."""

import threading
import time
from collections.abc import Iterator

import pytest

from callscreen.fastpath.index import Index
from callscreen.fastpath.loader import Loader
from callscreen.v1 import object_pb2

from ..edge.objects import FRIEND, number, platform, settings
from .looping import Peer, close_peers, index_of, recorded, udp, working

BURST = 40  # datagrams, below what the kernel carries as one


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    close_peers()


def test_a_view_swapped_under_load_answers_every_call_rightly() -> None:
    """Each index knows one status only, and its records say which it was."""
    statuses = {1: 302, 2: 603}
    indexes = [
        index_of([*platform()[:-2], number(whitelist=[FRIEND])], 1),
        index_of([*platform()[:-2], number(whitelist=[])], 2),
    ]
    sock = udp()
    with working(sock, indexes[0], ring=1 << 24) as worker:
        peer = Peer(sock.getsockname())
        got = []

        def load() -> None:
            for _ in range(50):
                peer.burst([peer.invite() for _ in range(BURST)])
                got.extend(peer.answer() for _ in range(BURST))

        sender = threading.Thread(target=load)
        sender.start()
        swaps = 0
        while sender.is_alive():
            swaps += worker.answer_from(indexes[(swaps + 1) % 2])
            time.sleep(0)
        sender.join()
        records = {record.call_id: record for record in recorded(worker)}
        assert len(got) == len(records) == peer.sent
        for answer in got:
            record = records[answer.one("Call-ID")]
            assert answer.status == record.status == statuses[record.verdict.revision]
        assert swaps > 2
        assert {record.verdict.revision for record in records.values()} == {1, 2}


def test_transactions_under_load_are_seen_whole() -> None:
    """A change turns the list and the default treatment at once: half of it is a third answer."""
    index = Index()
    loader = Loader(index)
    loader.load([*platform()[:-2], number(whitelist=[FRIEND])])
    engine = {"default_treatment": "terminate", "use_contact": True}
    states = [
        [number(whitelist=[FRIEND]), settings("pcs", screening_engine=engine)],
        [
            number(whitelist=[], blacklist=[]),
            settings("pcs", screening_engine=engine | {"default_treatment": "voicemail"}),
        ],
    ]
    sock = udp()
    with working(sock, index, ring=1 << 24) as worker:
        peer = Peer(sock.getsockname())
        done = threading.Event()

        def load() -> None:
            for _ in range(40):
                peer.burst([peer.invite() for _ in range(BURST)])
                for _ in range(BURST):
                    peer.answer()
            done.set()

        sender = threading.Thread(target=load)
        sender.start()
        revision = 10
        while not done.is_set():
            revision += 1
            mutations = [
                object_pb2.Mutation(name=each.name, put=each) for each in states[revision % 2]
            ]
            loader.apply(object_pb2.Change(revision=revision, mutations=mutations))
        sender.join()
        records = recorded(worker)
    assert len(records) == peer.sent
    assert revision > 20
    seen = {(record.verdict.reason, record.verdict.treatment) for record in records}
    assert seen <= {("whitelist", "continue"), ("default_treatment", "voicemail")}, seen
