"""What is sent on, compiled and plain: requests with our Via, responses without it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.fastpath import forwarding, forwarding_reference
from callscreen.fastpath.forwarding import NameTable, OnwardTable
from callscreen.fastpath.forwarding_types import ONWARD_OCTETS, parse_sent_by
from callscreen.fastpath.peers import PeerTable
from callscreen.fastpath.peers_types import Peer

from ..edge.messages import request

VIA = "192.0.2.1:5062"
URI = b"sip:+15551230001@198.51.100.7"
SOURCE = ("192.0.2.9", 5071)
OWN = f"SIP/2.0/UDP {VIA};branch=z9hG4bK-own"
PLACES = ("192.0.2.9:5070", "192.0.2.9", "[2001:db8::9]:5070", "sbc.example:5090")
MARKS = ("", ";rport", ";rport=5999", ";received=198.51.100.9", ";rport;received=a", ";x=y")
FIELDS = (
    "Max-Forwards: 9",
    "Route: <sip:192.0.2.1:5062;lr>",
    "Route: <sip:192.0.2.1:5062;lr> , <sip:a.example>",
    "Route: ",
    "Route: <sip:192.0.2.2:5062;lr>",
    "Subject: a\r\n\tb",
    f"Via: {OWN}",
    "v: SIP/2.0/TCP a.example , SIP/2.0/UDP b.example",
    "P-Asserted-Identity: <sip:+1;verstat=No@a>, <tel:+1; VERSTAT;x=1>;verstat=TN-Passed",
    "p-asserted-identity: <tel:+1;verstatus=1;verstat>",
    "Attestation-Info: A",
    "origination-id\t: 1\r\n 2",
)


def pair(via: str = VIA, secret: bytes = b"secret") -> tuple[Any, Any]:
    return (
        forwarding.Forwarding(via, secret, OnwardTable(8)),
        forwarding_reference.Forwarding(via, secret),
    )


def invite(place: str, mark: str, more: list[str], body: bytes = b"") -> bytes:
    via = f"SIP/2.0/UDP {place};branch=z9hG4bK-1{mark}"
    data = request("INVITE", *more, via=via, body=body)
    if any(each.startswith("Max-") for each in more):
        data = data.replace(b"Max-Forwards: 70\r\n", b"", 1)
    return data


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(PLACES),
    st.sampled_from(MARKS),
    st.lists(st.sampled_from(FIELDS), max_size=5, unique_by=lambda text: text[:5]),
    st.binary(max_size=20),
    st.sampled_from((SOURCE, ("2001:db8::9", 5070), ("::ffff:192.0.2.9", 5070))),
    st.sampled_from((b"", b"Identity: abc\r\n", b"P-Asserted-Identity: <tel:+1>\r\n")),
    st.booleans(),
)
def test_both_send_a_request_on_alike_and_bring_its_response_back(
    place: str, mark: str, more: list[str], body: bytes, source: Any, lines: bytes, trusted: bool
) -> None:
    compiled, plain = pair()
    data = invite(place, mark, more, body)
    sent = compiled.forward(data, source, URI, lines, trusted=trusted)
    assert sent == plain.forward(data, source, URI, lines, trusted=trusted)
    assert isinstance(sent, bytes)
    head = sent.partition(b"\r\n\r\n")[0].split(b"\r\n")
    vias = [line for line in head if line[:4].lower() == b"via:" or line[:2].lower() == b"v:"]
    answer = b"\r\n".join([b"SIP/2.0 180 Ringing", *vias, b"To: a", b"", b""])
    relayed = compiled.relay(answer)
    assert relayed == plain.relay(answer)
    assert relayed[0] == answer.replace(vias[0] + b"\r\n", b"", 1)
    joined = answer.replace(b"\r\nVia: ", b"\r\nVia: ", 1).replace(
        vias[0] + b"\r\n" + vias[1][: vias[1].index(b" ")], vias[0] + b" ,", 1
    )
    assert compiled.relay(joined)[1] == relayed[1]
    assert compiled.relay(joined) == plain.relay(joined)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_both_judge_a_spoilt_response_alike(data: Any) -> None:
    compiled, plain = pair()
    sent = compiled.forward(invite(PLACES[0], ";rport", []), SOURCE, URI)
    vias = sent.split(b"\r\n")[1:3]
    answer = bytearray(b"\r\n".join([b"SIP/2.0 200 OK", *vias, b"CSeq: 1 INVITE", b"", b""]))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(answer) - 1))
        answer[place : place + 1] = data.draw(st.sampled_from((b"", b"0", b";", b":", b" ", b"x")))
    assert compiled.relay(bytes(answer)) == plain.relay(bytes(answer))
    cut = bytes(answer[: data.draw(st.integers(0, len(answer)))])
    assert compiled.relay(cut) == plain.relay(cut)


def test_a_branch_is_of_the_transaction_the_host_and_the_secret() -> None:
    def branch(data: bytes, source: Any = SOURCE, secret: bytes = b"secret") -> bytes:
        sent = pair(secret=secret)[0].forward(data, source, URI)
        return sent.split(b"\r\n")[1].partition(b";branch=")[2]

    data = invite(PLACES[0], "", [])
    first = branch(data)
    assert first == branch(data, ("192.0.2.9", 9))
    assert first == branch(data.replace(b"INVITE", b"CANCEL"))
    assert len({first, branch(data, ("192.0.2.8", 9)), branch(data, secret=b"other")}) == 3
    assert first != branch(data.replace(b"bK-1", b"bK-2"))


@pytest.mark.parametrize("kind", [0, 1])
def test_a_call_that_came_through_three_times_goes_on_no_more(kind: int) -> None:
    forward = pair()[kind].forward
    twice = invite(PLACES[0], "", [f"Via: {OWN}, {OWN}"])
    assert isinstance(forward(twice, SOURCE, URI), bytes)
    assert forward(invite(PLACES[0], "", [f"Via: {OWN}, {OWN}, {OWN}"]), SOURCE, URI) == "loop"
    assert forward(b"INVITE x\r\n\r\n", SOURCE, URI) is None


def test_an_egress_route_leads_to_a_peer_or_nowhere() -> None:
    compiled, _ = pair()
    peers = PeerTable([Peer("a", ("198.51.100.0/24", "2001:db8::/32"))])
    names = NameTable({"a.example": "198.51.100.9:5090", "b.example": ""})
    wanted = {
        "198.51.100.7": ("198.51.100.7", 5060),
        "198.51.100.7:5099": ("198.51.100.7", 5099),
        "[2001:db8::1]:5099": ("2001:db8::1", 5099),
        "a.example": ("198.51.100.9", 5090),
        "b.example": "unresolved",
        "c.example:5099": "unresolved",
        "203.0.113.1": "not_a_peer",
        VIA: "own_address",
        "": "no_route",
    }
    assert {egress: compiled.hop(egress, names, peers) for egress in wanted} == wanted
    assert compiled.wanted == "c.example:5099"
    assert compiled.hop("203.0.113.1") == ("203.0.113.1", 5060)


def test_what_was_sent_on_is_remembered_within_bounds() -> None:
    table = OnwardTable(4)
    assert len(table) == 4
    for key in range(1, 6):
        assert table.note(key, f"192.0.2.{key}:5070", b"sip:%d" % key, 100 + key)
    assert table.find(1, 106) is None
    assert table.find(5, 405) == ("192.0.2.5", 5070, b"sip:5")
    assert table.find(5, 406) is None
    assert table.note(5, "[2001:db8::1]", b"sip:x", 120)
    assert table.find(5, 121) == ("2001:db8::1", 5060, b"sip:x")
    assert not table.note(7, "192.0.2.1", b"x" * (ONWARD_OCTETS + 1), 121)


def test_a_via_names_one_host() -> None:
    assert parse_sent_by("SBC.example").text == "sbc.example:5060"
    assert parse_sent_by("[2001:DB8:0::1]:5070").text == "[2001:db8::1]:5070"
    for text in ("0.0.0.0:5060", "[::]:5060", "a b:5060", "a:0", "a:99999", "", "a\r\n:1"):
        with pytest.raises(ValueError, match=r"Via|response"):
            parse_sent_by(text)


def test_nobody_but_a_proxy_of_ours_says_how_a_caller_was_verified() -> None:
    claims = [
        "P-Asserted-Identity: <sip:+15551234567;verstat=TN-Validation-Passed@a.example>",
        "Attestation-Info: A",
        "Origination-Id: 1",
    ]
    data = invite(PLACES[0], "", claims)
    data = data.replace(b";tag=", b";VerStat=TN-Validation-Passed;tag=", 1)
    for each in pair():
        sent = each.forward(data, SOURCE, URI)
        assert b"verstat" not in sent.lower()
        assert b"\r\nP-Asserted-Identity: <sip:+15551234567@a.example>\r\n" in sent
        assert b"Attestation" not in sent
        assert b"Origination" not in sent
        kept = each.forward(data, SOURCE, URI, trusted=True)
        assert all(f"\r\n{claim}\r\n".encode() in kept for claim in claims)
        ours = b"P-Asserted-Identity: <tel:+1;verstat=No-TN-Validation>\r\n"
        sent = each.forward(data, SOURCE, URI, ours, trusted=True)
        assert sent.count(b"P-Asserted-Identity") == 1
        assert ours in sent


NAMES = ("P-Asserted-Identity", "Max-Forwards", "Route", "Attestation-Info", "Origination-Id")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_nearly_one_that_is_known_is_another(name: str) -> None:
    """Whichever of its octets differs: what stands there goes on as it came."""
    for place in range(len(name)):
        near = f"{name[:place]}{'~' if name[place] != '~' else 'x'}{name[place + 1 :]}"
        field = f"{near}: <sip:+15551234567;verstat=TN-Validation-Passed@a.example>"
        data = invite(PLACES[0], "", [field])
        compiled, plain = (each.forward(data, SOURCE, URI) for each in pair())
        assert compiled == plain
        assert f"\r\n{field}\r\n".encode() in compiled


def test_the_version_goes_on_in_upper_case() -> None:
    """RFC 3261 7.1: it is read in any case, and sent in one."""
    data = invite(PLACES[0], "", [])
    for each in pair():
        spelt = each.forward(data.replace(b" SIP/2.0\r\n", b" sIp/2.0\r\n", 1), SOURCE, URI)
        assert spelt.partition(b"\r\n")[0] == b"INVITE " + URI + b" SIP/2.0"


def test_more_claims_than_there_is_room_for_are_not_sent_on() -> None:
    claim = "P-Asserted-Identity: <tel:+1%s>" % (";verstat=No" * 20)
    assert pair()[0].forward(invite(PLACES[0], "", [claim]), SOURCE, URI) == "too_long"
