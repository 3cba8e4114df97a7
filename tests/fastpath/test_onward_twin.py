"""Proxy mode, compiled and plain, the whole way: the same goes on, comes back and is counted."""

import random
import re
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.fastpath import peers_reference
from callscreen.fastpath.forwarding import Forwarding, NameTable, OnwardTable
from callscreen.fastpath.onward_reference import Onward
from callscreen.fastpath.peers import PeerTable
from callscreen.fastpath.peers_types import Peer
from callscreen.fastpath.respond_types import Told

from ..edge.messages import request
from . import provisioning
from .responding import NOW, SECOND, Bench, Given
from .test_respond_twin import TOLDS, message

SEEDS = st.integers(0, 2**32)
NAMES = {"egress.example": "192.0.2.50:5070", "gone.example": ""}
ROUTES = (
    *("192.0.2.40", "192.0.2.40:5090", "sip:[2001:db8::7]:5080", "2001:db8::7", "192.0.2.1:5062"),
    *("egress.example", "gone.example", "new.example:5070", "203.0.113.5", ""),
)
VIA = "192.0.2.1:5062"
PEERS = (Peer("all", ("192.0.2.0/24", "10.0.0.0/8", "2001:db8::/32")),)
OWN = f"Via: SIP/2.0/UDP {VIA};branch=z9hG4bK-own\r\n"
LINES = (
    *("Proxy-Require: x\r\n", f"Route: <sip:{VIA};lr>\r\n", f"Route: <sip:{VIA}>, <sip:a@b>\r\n"),
    *("Record-Route: <sip:a;lr>\r\n", "Attestation-Info: A\r\n", OWN, OWN * 3),
    "P-Preferred-Identity: <sip:+1;verstat=x@a>, <tel:+1;%76erstat>\r\n",
    'P-Asserted-Identity: "a;verstat" <tel:+1;verstat = b>;VERSTAT\r\n',
    f"P-Asserted-Identity: <tel:+1{';verstat' * 16}>\r\n",
)
STATUSES = (b"100 Trying", b"180 Ringing", b"200 OK", b"486 Busy Here", b"603 Decline")


def pair(world: random.Random) -> tuple[Bench, Bench]:
    """Both responders over the same world, each with a forwarding of its kind."""
    options = {"product": world.choice((0, 0, 0, 1, 2)), "edge": "edge-1"}
    compiled = Bench(
        "compiled", [], forwarding=Forwarding(VIA, b"secret", OnwardTable(1 << 12)), **options
    )
    plain = Bench("plain", [], forwarding=Onward(VIA, b"secret"), **options)
    operations = [provisioning.operation(world) for _ in range(world.randint(20, 120))]
    for product in (1, 2):
        for provider in ("", *provisioning.PROVIDERS):
            engine = provisioning.settings(world)._replace(
                egress_route=world.choice(ROUTES),
                default_treatment=world.choice(("continue", "terminate")),
                nomatch_treatment=world.choice(("continue", "screen")),
            )
            operations.append(("put_settings", (product, provider, engine)))
    for bench in (compiled, plain):
        bench.index.commit(operations, 7)
    compiled.responder.names = NameTable(NAMES)
    plain.responder.forwarding.names = NAMES
    if world.random() < 0.5:
        compiled.responder.peers = PeerTable(PEERS)
        plain.responder.forwarding.peers = peers_reference.PeerTable(PEERS)
    return compiled, plain


def asked(world: random.Random) -> bytes:
    """A request of any kind, with what matters to a proxy."""
    head, end, rest = message(world).partition(b"\r\nFrom:")
    lines = "".join(world.choices(LINES, k=world.choice((0, 0, 0, 1, 2))))
    head = head + b"\r\n" + lines.encode().removesuffix(b"\r\n") if lines else head
    if world.random() < 0.2:
        head = head.replace(b"\r\nMax-Forwards: 70", b"", 1)
    return head + end + rest + b"body" * world.randint(0, 1)


def as_method(data: bytes, method: bytes) -> bytes:
    data = data.replace(b"INVITE ", method + b" ", 1)
    return data.replace(b" INVITE\r\n", b" " + method + b"\r\n", 1)


def answered(world: random.Random, sent: bytes) -> bytes:
    """What the next hop answers to what it got; sometimes spoilt."""
    names = re.compile(rb"(?:via|v|from|to|call-id|cseq):(?:[^\r]|\r\n[ \t])*\r\n", re.IGNORECASE)
    lines = b"".join(names.findall(sent.partition(b"\r\n\r\n")[0] + b"\r\n"))
    data = bytearray(b"SIP/2.0 %s\r\n%s\r\n" % (world.choice(STATUSES), lines))
    for _ in range(world.choice((0, 0, 0, 1, 2))):
        place = world.randrange(len(data))
        data[place : place + 1] = world.choice((b"", b"0", b";", b":", b",", b" ", b"\r\n"))
    return bytes(data)


class Way:
    """Messages given to both, one after another; what both make of each is the same."""

    def __init__(self, seed: int) -> None:
        self.world = random.Random(seed)
        self.benches = pair(self.world)
        self.now = NOW
        self.seen = Counter[str]()

    def give(self, data: bytes, source: tuple[str, int], **more: Any) -> Given:
        self.now += self.world.choice((1, SECOND // 3, 20 * SECOND))
        compiled, plain = (bench.give(data, self.now, source, **more) for bench in self.benches)
        assert compiled == plain, (data, source, more)
        return compiled

    def call(self) -> None:
        """A request, and where it goes on what follows it."""
        world = self.world
        data = asked(world)
        source = world.choice(["10.0.0.1", "192.0.2.7", "2001:db8::1"]), world.randint(1, 65535)
        more = {"via_trusted": world.random() < 0.3, "over_rate": world.random() < 0.1}
        found = self.give(data, source, **more)
        self.seen[f"{found.awaits} {found.status}".strip()] += 1
        if found.awaits:
            found = self.give(data, source, told=world.choice(TOLDS), **more)
        if found.onward is None:
            return
        self.seen["sent on"] += 1
        assert found.send_to is not None
        for _ in range(world.randint(1, 4)):
            match world.randrange(4):
                case 0:
                    self.give(answered(world, found.onward), found.send_to)
                    self.seen["response"] += 1
                case 1 | 2 as which:
                    follows = as_method(data, b"CANCEL" if which == 1 else b"ACK")
                    went = self.give(follows, source, **more)
                    self.seen["followed"] += went.onward is not None
                case _:
                    again = self.give(data, source, **more)
                    if again.awaits:
                        again = self.give(data, source, told=world.choice(TOLDS), **more)
                    self.seen["again"] += again.onward is not None

    def same_counts(self) -> None:
        compiled, plain = self.benches
        assert compiled.counts == plain.counts
        one, other = compiled.responder.forwarding, plain.responder.forwarding
        assert one.refused == dict(other.refused)
        assert (one.sent, one.relayed, one.wanted) == (other.sent, other.relayed, other.wanted)
        assert compiled.counts.forwarded == one.sent + one.relayed


def test_a_call_that_ends_here_is_told_what_was_amiss_with_its_identity() -> None:
    """RFC 9410: also where it is not its identity that it is refused for."""
    told = Told(4, 436, "Bad Identity Info", always=b"Reason: STIR;cause=436\r\n")
    looping = f"{OWN * 3}Max-Forwards: 70".encode()
    for bench in (
        Bench("compiled", forwarding=Forwarding(VIA, b"secret", OnwardTable(8))),
        Bench("plain", forwarding=Onward(VIA, b"secret")),
    ):
        for hops, status in ((b"Max-Forwards: 0", 483), (looping, 482)):
            data = request().replace(b"Max-Forwards: 70", hops)
            found = bench.give(data, told=told)
            assert (found.status, found.read.one("Reason")) == (status, "STIR;cause=436")


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_both_do_the_same_all_the_way(seed: int) -> None:
    way = Way(seed)
    for _ in range(25):
        way.call()
    way.same_counts()


def test_the_ways_meet_all_that_can_happen() -> None:
    """Else the comparison above would compare little."""
    seen, refused = Counter[str](), Counter[str]()
    for seed in range(120):
        way = Way(seed)
        for _ in range(25):
            way.call()
        way.same_counts()
        seen += way.seen
        refused += way.benches[1].responder.forwarding.refused
    assert all(
        seen[each] > 5
        for each in ("sent on", "response", "followed", "again", "302", "482", "483", "verify 0")
    ), seen
    assert set(refused) >= {
        *("no_route", "unresolved", "not_a_peer", "own_address", "too_long", "extension", "loop"),
        *("response_malformed", "response_not_ours"),
    }, refused
