"""The torture messages of RFC 4475 end as their expectations say, as far as parsing decides."""

import json
from pathlib import Path

from callscreen.fastpath import sip
from callscreen.fastpath.sip_types import Malformed

# Refusals that the parser leaves to the user agent server, which knows methods and extensions.
BY_THE_SERVER = {"bext01": 420, "invut": 415}
# Of class accept, but responses: a server has no use for them and drops them.
RESPONSES = {"noreason", "unreason"}


def verdict(data: bytes) -> tuple[str, int]:
    try:
        sip.parse(data)
    except Malformed as refused:
        return ("drop", 0) if refused.message is None else ("refuse", refused.status)
    return "accept", 0


def test_each_message_ends_in_its_class(torture: Path) -> None:
    expected = json.loads((torture / "expected.json").read_text())
    assert set(expected) == {path.stem for path in torture.glob("*.dat")}
    for name, want in expected.items():
        kind, status = verdict((torture / f"{name}.dat").read_bytes())
        if name in RESPONSES:
            assert kind == "drop", name
        elif name in BY_THE_SERVER:
            assert (kind, want["answer"]) == ("accept", [BY_THE_SERVER[name]]), name
        else:
            assert kind == want["class"], name
            assert kind != "refuse" or status in want["answer"], name


def test_the_server_can_see_what_it_must_refuse(torture: Path) -> None:
    message = sip.parse((torture / "bext01.dat").read_bytes())
    assert message.require == [b"nothingSupportsThis", b"nothingSupportsThisEither"]
    message = sip.parse((torture / "invut.dat").read_bytes())
    assert message.first(b"c") == b"application/unknownformat"


def test_a_torturous_invite_is_read_whole(torture: Path) -> None:
    message = sip.parse((torture / "wsinv.dat").read_bytes())
    assert message.uri == b"sip:vivekg@chair-dnrc.example.com;unknownparam"
    assert message.to.uri == b"sip:vivekg@chair-dnrc.example.com"
    assert (message.to.tag, message.from_.tag) == (b"1918181833n", b"98asjd8")
    assert message.from_.display == rb'"J Rosenberg \\\""'
    assert (message.cseq, message.max_forwards) == ((9, b"INVITE"), 68)
    assert (message.top_via.host, message.top_via.branch) == (b"192.0.2.2", b"390skdjuw")
    assert len(message.via) == 3
    assert message.via[2] == b"SIP  /    2.0   / UDP  192.168.255.111   ; branch= z9hG4bK30239"
    assert len(message.body) == message.content_length == 150


def test_strange_octets_that_the_grammar_allows_are_kept(torture: Path) -> None:
    message = sip.parse((torture / "intmeth.dat").read_bytes())
    assert message.method == message.cseq[1] == b"!interesting-Method0123456789_*+`.%indeed'~"
    assert message.to.display == b'"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f"'
    assert message.first(b"extensionHeader-!.%*+_`'~") is not None


def test_what_follows_the_body_in_a_datagram_is_not_part_of_it(torture: Path) -> None:
    assert sip.parse((torture / "dblreq.dat").read_bytes()).body == b""
