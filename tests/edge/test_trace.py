"""`callscreen trace` of a running edge: what is shown, to whom, and what it is bounded by."""

import asyncio
import json
import socket
import threading
import urllib.parse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from callscreen.edge.trace import bounded
from callscreen.fastpath.tapping_types import WATCHED_MOST
from callscreen.ops import Instruments
from callscreen.trace import TraceError, calls, shown, told

from .messages import request
from .objects import CALLED, FRIEND
from .running import Phone, phone
from .test_top import command, watched


class Run(NamedTuple):
    sip: str
    admin: str
    caller: Phone


@asynccontextmanager
async def run(core: Any) -> AsyncIterator[Run]:
    async with watched(core) as (sip, admin), phone(sip) as caller:
        yield Run(sip, admin, caller)


class Watch:
    """A GET of /trace, read line by line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.status = 0

    async def line(self) -> dict[str, Any]:
        found = await asyncio.wait_for(self.reader.readline(), 20)
        return json.loads(found) if found else {}


@asynccontextmanager
async def watch(
    admin: str, token: str = "secret", method: str = "GET", **query: str
) -> AsyncIterator[Watch]:
    host, _, port = admin.rpartition(":")
    one = Watch(*await asyncio.open_connection(host, int(port)))
    words = urllib.parse.urlencode(query)
    one.writer.write(
        f"{method} /trace?{words} HTTP/1.1\r\nauthorization: Bearer {token}\r\n\r\n".encode()
    )
    head = await asyncio.wait_for(one.reader.readuntil(b"\r\n\r\n"), 20)
    one.status = int(head.split()[1])
    try:
        yield one
    finally:
        one.writer.close()


@pytest.mark.parametrize(
    "text", ["0", "1001", "-1", "+5", " 5", "1_0", "٥", "0000000019999999999", "9" * 5_000, ""]
)
def test_a_bound_holds_however_it_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="count is 1 to 1000"):
        bounded({"count": text}, "count", 1, 1_000)


def test_a_bound_is_left_out_or_given() -> None:
    assert bounded({}, "count", 7, 1_000) == 7
    assert bounded({"count": "0001000"}, "count", 7, 1_000) == 1_000


async def test_calls_from_and_to_a_number_over_udp_and_tcp(core):
    async with run(core) as found, watch(found.admin, number=CALLED, count="4") as one:
        assert one.status == 200
        assert await one.line() == {"watching": CALLED}
        async with watch(found.admin, number="+15550001111") as other:
            await other.line()
            await found.caller.call(FRIEND)  # only its called number is watched
            await found.caller.call("+15550001111", "OPTIONS")
            await found.caller.call("+15550001111")
            assert (await other.line())["numbers"].count("+15550001111") >= 1
            assert await other.line() == {}
        first, second = await one.line(), await one.line()
        assert first["called"] == {"number": CALLED, "source": "hdr.to", "tried": []}
        assert first["calling"]["number"] == FRIEND
        assert first["calling"]["source"] == "hdr.from"
        assert first["request"].startswith("INVITE sip:+15551230001@")
        assert first["verdict"]["treatment"] == "continue"
        assert first["verdict"]["owner"] == "acme/alice"
        assert first["verdict"]["revision"] == core.revision
        assert first["verdict"]["steps"][-1].startswith("whitelist: match")
        assert first["answer"].startswith("SIP/2.0 302")
        assert first["contact"][0].startswith("Contact:")
        assert first["call_id"].endswith("-1")
        assert second["answer"].startswith("SIP/2.0 603")
        host, _, port = found.sip.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            request(
                uri=f"sip:{CALLED}@edge.example",
                caller=f"<sip:{FRIEND}@carrier.example>;tag=abc",
                via="SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKtcp",
            )
        )
        assert (await reader.readline()).startswith(b"SIP/2.0 302")
        third = await one.line()
        assert (third["transport"], third["verdict"]["treatment"]) == ("tcp", "continue")
        writer.close()


async def test_a_repeated_call_is_shown_as_such(core):
    async with run(core) as found, watch(found.admin, number=CALLED, count="2") as one:
        await one.line()
        for _ in range(2):
            found.caller.calls = 6
            await found.caller.call(FRIEND)
        assert [(await one.line())["repeated"] for _ in range(2)] == [False, True]
        assert await one.line() == {}


@pytest.mark.parametrize(
    ("token", "query", "status"),
    [
        ("", {"number": CALLED}, 401),
        ("secreT", {"number": CALLED}, 401),
        ("secret", {}, 400),
        ("secret", {"number": "nobody"}, 400),
        ("secret", {"number": CALLED, "count": "1001"}, 400),
        ("secret", {"number": CALLED, "count": "0"}, 400),
        ("secret", {"number": CALLED, "seconds": "601"}, 400),
        ("secret", {"number": CALLED, "seconds": "x"}, 400),
    ],
)
async def test_what_is_refused(core, token, query, status):
    async with run(core) as found, watch(found.admin, token, **query) as one:
        assert one.status == status


async def test_watchers_are_bounded_and_free_their_place_when_they_go(core):
    async with run(core) as found, full(found.admin, WATCHED_MOST):
        async with watch(found.admin, number=CALLED) as late:
            assert late.status == 503
        async with watch(found.admin, number=CALLED, method="HEAD") as head:
            assert head.status == 405


@asynccontextmanager
async def full(admin: str, count: int) -> AsyncIterator[None]:
    """So many watchers; when they have gone their places are free again."""
    ones = []
    for place in range(count):
        each = watch(admin, number=f"+1555999000{place}")
        one = await each.__aenter__()
        assert await one.line() == {"watching": f"+1555999000{place}"}
        ones.append(each)
    yield
    for each in ones:
        await each.__aexit__(None, None, None)
    async with asyncio.timeout(20):
        while True:
            async with watch(admin, number=CALLED) as one:
                if one.status == 200:
                    return
            await asyncio.sleep(0.02)


async def test_time_is_bounded(core):
    async with run(core) as found, watch(found.admin, number=CALLED, seconds="1") as one:
        await one.line()
        assert await one.line() == {"ended": "1 seconds are over"}
        assert await one.line() == {}


async def test_the_command_shows_a_call(core):
    async with run(core) as found:
        words = ("--edge", found.admin, "--token", "secret", "--number", CALLED)
        trace = await command("trace", *words)
        assert trace.stdout is not None
        first = await asyncio.wait_for(trace.stdout.readline(), 20)
        assert first.decode() == f"watching {CALLED}\n"
        await found.caller.call(FRIEND)
        out, err = await asyncio.wait_for(trace.communicate(), 20)
        assert (trace.returncode, err) == (0, b"")
        lines = out.decode().splitlines()
        assert lines[0].startswith("INVITE sip:+15551230001@")
        assert f"  called   {CALLED}  hdr.to" in lines
        assert f"  calling  {FRIEND}  hdr.from" in lines
        assert any(line.startswith("  verdict  continue: whitelist  pcs acme/") for line in lines)
        assert any("1. " in line and "whitelist" in line for line in lines)
        assert any(line.startswith("  answer   SIP/2.0 302") for line in lines)
        assert any(line.startswith("  Contact: ") for line in lines)
        refused = await command("trace", *words[:3], "wrong", *words[4:])
        _, err = await asyncio.wait_for(refused.communicate(), 20)
        assert refused.returncode == 1
        assert b"answers 401: the edge's token is needed" in err


def test_what_a_caller_wrote_does_not_reach_the_terminal_as_commands():
    assert shown("a\x1b[2Jb\r") == "a\ufffd[2Jb\ufffd"
    assert told({"watching": "+1\x07"}) == "watching +1\ufffd"


async def test_an_edge_without_a_token_shows_nothing():
    from callscreen.edge.taps import Taps
    from callscreen.edge.trace import trace_offer
    from callscreen.ops.offers import Asked

    offer = trace_offer(Taps(), "", lambda: None)
    assert offer(Asked({"number": CALLED}, "Bearer ")).status == 401  # type: ignore[union-attr]
    assert Instruments().offers == {}


@pytest.mark.parametrize(
    "text", [b"[]", b"7", b"no json", b'{"request": "x"}', b'{"response": "x"}', b'{"request": []}']
)
def test_what_is_no_trace_is_told_in_a_line(text: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            one, _ = server.accept()
            with one:
                one.recv(65_536)
                one.sendall(head + text + b"\n")

        thread = threading.Thread(target=answer)
        thread.start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(TraceError, match=address):
            list(calls(address, "secret", CALLED, 1, 1))
        thread.join()
