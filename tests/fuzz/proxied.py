"""What is sent on, and what comes back: the compiled one and its twin make the same of an input.

1. An input is a setting (1 octet), and a message: a request that is sent on, or a response. Bits of
   the setting are those of `Setting`.
2. Requests are sent on as octets, and go through a whole responder besides; what a call awaits is
   told to both. Our Via in an input, OWN, stands for one whose branch is ours.
"""

from typing import Any, NamedTuple

from callscreen.fastpath import forwarding, forwarding_reference
from callscreen.fastpath.forwarding import NameTable, OnwardTable
from callscreen.fastpath.forwarding_types import ONWARD_OCTETS
from callscreen.fastpath.index import Index
from callscreen.fastpath.peers import PeerTable
from callscreen.fastpath.peers_types import Peer
from callscreen.fastpath.recent import RecentTable
from callscreen.fastpath.respond import Responder
from callscreen.fastpath.respond_types import ANSWER_MORE, Told

from . import seeds as requests
from .world import ADDRESSES, EDGE, NOW_NS, PORT, SECRET, SEED, rich

__all__ = ["attempt", "seeds"]

VIA = "192.0.2.1:5062"
OWN = b"z9hG4bK0123456789abcdef"  # the key of a branch of ours; its check is put behind
URI = b"sip:+15551230001@198.51.100.7"
LINES = (b"", b"Identity: abc\r\n", b"P-Asserted-Identity: <tel:+1>\r\n")
TOLD = Told(
    2, 438, "Invalid Identity Header", b"Identity: a\r\nX: y\r\n", b"Reason: SIP;cause=438\r\n"
)


class Setting(NamedTuple):
    trusted: bool
    source: tuple[str, int]
    lines: bytes
    told: bool
    named: bool  # the egress route is known by a name


class Side(NamedTuple):
    compiled: Any
    plain: Any
    responder: Any
    index: Index


def split(octets: bytes) -> tuple[Setting, bytes] | None:
    if not octets:
        return None
    bits = octets[0]
    source = (ADDRESSES[bits >> 1 & 1], PORT)
    setting = Setting(
        bool(bits & 1), source, LINES[(bits >> 2 & 3) % 3], bool(bits & 16), bool(bits & 32)
    )
    return setting, octets[1:]


def made() -> Side:
    compiled = forwarding.Forwarding(VIA, SECRET, OnwardTable(64))
    plain = forwarding_reference.Forwarding(VIA, SECRET)
    index = Index()
    operations = [each for each in rich() if each[0] != "put_settings"]
    settings = [each[1] for each in rich() if each[0] == "put_settings"]
    for product, provider, each in settings:
        egress = ("proxy.example", "198.51.100.7:5080")[product - 1]
        operations.append(("put_settings", (product, provider, each._replace(egress_route=egress))))
    index.commit(operations, 7)
    responder = Responder(
        index, SECRET, seed=SEED, recent=RecentTable(64), edge=EDGE, forwarding=compiled
    )
    return Side(compiled, plain, responder, index)


SIDE = made()
NAMES = NameTable({"proxy.example": "198.51.100.8:5080"})
PEERS = PeerTable((Peer("all", ("0.0.0.0/0", "::/0")),))


def attempt(octets: bytes) -> str:
    """What became of it. Raises AssertionError where a promise is broken."""
    found = split(octets)
    if found is None:
        return ""
    setting, data = found
    data = data.replace(OWN + b"*", OWN + SIDE.plain._check(OWN[7:], ADDRESSES[0]))
    relayed = SIDE.compiled.relay(data)
    assert relayed == SIDE.plain.relay(data), "both relay alike"
    if not isinstance(relayed, str):
        assert len(relayed[0]) < len(data), "a response that is relayed has lost a Via"
        return "relayed"
    sent = SIDE.compiled.forward(data, setting.source, URI, setting.lines, trusted=setting.trusted)
    plain = SIDE.plain.forward(data, setting.source, URI, setting.lines, trusted=setting.trusted)
    assert sent == plain, "both send on alike"
    if isinstance(sent, bytes):
        come_back(sent, setting)
    return respond(setting, data)


def come_back(sent: bytes, setting: Setting) -> None:
    """The response to what was sent on goes to whom the request came from, and nowhere else."""
    head = sent.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    answer = b"SIP/2.0 180 Ringing\r\n" + b"\r\n".join([*head, b"", b""])
    relayed = SIDE.compiled.relay(answer)
    assert relayed == SIDE.plain.relay(answer), "both bring it back alike"
    assert isinstance(relayed, str) or relayed[1][0] == setting.source[0], "to whom it came from"


def respond(setting: Setting, data: bytes) -> str:
    """What a responder makes of it, and of its retransmission."""
    SIDE.responder.names = NAMES if setting.named else None
    SIDE.responder.peers = PEERS if setting.trusted else None
    told = TOLD if setting.told else None
    got = [SIDE.responder.receive(data, setting.source, "udp", NOW_NS, told=told) for _ in range(2)]
    first, again = got
    if first.awaits:
        return "awaits"
    assert again._replace(record=None) == first._replace(record=None) or again.awaits, "the same"
    if first.onward is None:
        return first.dropped or str(first.status)
    room = ONWARD_OCTETS + ANSWER_MORE + len(told.lines if told else b"")
    assert len(first.onward) <= len(data) + room, "what is sent on has a limit"
    line = first.onward.partition(b"\r\n")[0]
    if not line.startswith(b"SIP/2.0 "):
        assert line.endswith(b" SIP/2.0"), "a request is sent on as one"
        assert b"\r\nVia: SIP/2.0/UDP " + VIA.encode() in first.onward, "with our Via"
    return "onward"


def seeds() -> list[bytes]:
    """Requests of ours, and responses to them."""
    own = b"Via: SIP/2.0/UDP 192.0.2.1:5062;branch=" + OWN + b"*"
    theirs = b"SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK-1"
    more = (b"", b";rport=5999", b";received=192.0.2.9", b";rport;received=192.0.2.9")
    responses = [
        b"\r\n".join([b"SIP/2.0 200 OK", own, b"v : " + theirs + each, b"To: a", b"", b"body"])
        for each in more
    ]
    responses += [each.replace(b"*\r\nv :", b"* ,") for each in responses]
    asked = requests.requests()
    lines = (
        b"Route: <sip:192.0.2.1:5062;lr>, <sip:a.example;lr>",
        b"P-Asserted-Identity: <sip:+1;verstat=No@a>, <tel:+1;VERSTAT;x=1>;verstat=TN-Passed",
        b"Attestation-Info: A\r\norigination-id\t: 1\r\n 2",
        b"Proxy-Require: a",
        own,
    )
    asked += [asked[0].replace(b"\r\nMax", b"\r\n" + line + b"\r\nMax") for line in lines]
    return [
        bytes([bits]) + each for each in asked + responses for bits in (0, 1 | 32, 16 | 4, 2 | 8)
    ]
