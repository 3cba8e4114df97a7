"""Calls sent on to where they go, over real sockets: a caller, the proxy, and who is called."""

from collections.abc import Iterator

import pytest

from callscreen.fastpath.forwarding import NameTable
from callscreen.fastpath.peers import PeerTable

from ..fastpath.looping import close_peers, recorded
from .proxying import EGRESS, also, proxying


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    close_peers()


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
