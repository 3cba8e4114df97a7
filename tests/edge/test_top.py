"""`callscreen edge top`: a running edge, looked at by the command as a process."""

import asyncio
import math
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from callscreen.edge import streaming
from callscreen.ops import Instruments
from callscreen.ops.admin import admin
from callscreen.top import NotAnswered, lines, parse, percentile, rates

from .running import edge, phone, provision


@asynccontextmanager
async def watched(core: Any) -> AsyncIterator[tuple[str, str]]:
    """A running edge: where it answers SIP, and where its metrics stand."""
    provision(core)
    instruments = Instruments("edge", "1")
    async with (
        admin(instruments, "127.0.0.1:0") as shown,
        edge(core, instruments=instruments) as address,
    ):
        yield address, shown


async def command(*words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callscreen", *words), stdout=-1, stderr=-1
    )


async def test_the_calls_of_a_second_are_shown(core):
    async with watched(core) as (address, shown), phone(address) as caller:
        top = await command("edge", "top", "--edge", shown, "--seconds", "1")
        assert top.stdout is not None
        block = asyncio.create_task(top.communicate())
        while not block.done():
            await caller.call("+15550001111")
            await asyncio.sleep(0.02)
        out, err = block.result()
        assert (top.returncode, err) == (0, b"")
        text = {line.split()[0]: line for line in out.decode().splitlines() if line}
        assert float(text["calls/s"].split()[1]) > 0
        assert "603 " in text["answers/s"]
        assert "<= " in text["latency"]
        assert f"revision {core.revision} " in text["index"]
        assert text["drops/s"].split() == ["drops/s", "0.0"]
        assert "lost 0" in text["records"]
        assert "datagrams/s  0 " in text["workers"]
        assert "\x1b" not in out.decode()


async def test_an_interrupt_ends_it_in_order(core):
    async with watched(core) as (_, shown):
        top = await command("edge", "top", "--edge", shown)
        assert top.stdout is not None
        assert shown.encode() in await asyncio.wait_for(top.stdout.readline(), 20)
        top.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(top.communicate(), 20)
        assert (top.returncode, err) == (0, b"")


async def test_where_no_edge_answers_it_says_so():
    top = await command("edge", "top", "--once", "--edge", "127.0.0.1:1")
    _, err = await asyncio.wait_for(top.communicate(), 20)
    assert top.returncode == 1
    assert err.startswith(b"callscreen: 127.0.0.1:1 does not answer")


BEFORE = """callscreen_edge_index_revision 7.0
callscreen_edge_calls_total{product="pcs",treatment="continue",rule="a"} 10.0
callscreen_edge_calls_total{product="pcs",treatment="blacklist",rule="b"} 5.0
callscreen_edge_call_duration_seconds_bucket{le="0.001"} 10.0
callscreen_edge_call_duration_seconds_bucket{le="0.01"} 10.0
callscreen_edge_call_duration_seconds_bucket{le="+Inf"} 10.0
"""
AFTER = """callscreen_edge_index_revision 8.0
callscreen_edge_calls_total{product="pcs",treatment="continue",rule="a"} 30.0
callscreen_edge_calls_total{product="cin",treatment="continue",rule="c"} 4.0
callscreen_edge_calls_total{product="pcs",treatment="blacklist",rule="b"} 2.0
callscreen_edge_call_duration_seconds_bucket{le="0.001"} 60.0
callscreen_edge_call_duration_seconds_bucket{le="0.01"} 109.0
callscreen_edge_call_duration_seconds_bucket{le="+Inf"} 110.0
"""


def test_what_lies_between_two_readings():
    before, after = parse(BEFORE, 100.0), parse(AFTER, 102.0)
    # A counter that went back is that of an edge that started again.
    found = rates(before, after, "calls_total", "treatment")
    assert found == {"continue": 12.0, "blacklist": 1.0}
    assert percentile(before, after, 0.5) == 0.001
    assert percentile(before, after, 0.99) == 0.01
    assert percentile(before, after, 1.0) == math.inf
    assert percentile(after, after, 0.5) is None
    text = list(lines(before, after))
    assert text[0].split() == ["calls/s", "13.0", "blacklist", "1.0", "continue", "12.0"]
    assert text[2].split() == ["latency", "p50", "<=", "1", "ms", "p99", "<=", "10", "ms"]


BUCKET = 'callscreen_edge_call_duration_seconds_bucket{le="0.001"} 60.0'
BAD = [
    *("other_metric 1.0\n", "no metrics{", "", "callscreen_edge_index_revision{"),
    AFTER.replace('le="0.001"', 'le="soon"'),
    AFTER.replace('le="0.001"', 'ge="0.001"'),
    AFTER.replace(BUCKET, BUCKET[:-5]),
    AFTER.replace(BUCKET, BUCKET[:-4]),
    "a\\",
    'callscreen_edge_index_revision{a="\\',
]


@pytest.mark.parametrize("cut", range(1, len(AFTER), 7))
def test_a_page_that_is_cut_off_or_garbled_is_refused_or_shown(cut):
    for text in (AFTER[:cut], AFTER[:cut] + AFTER[cut + 3 :], AFTER[:cut] + "\\" + AFTER[cut:]):
        try:
            reading = parse(text, 1.0)
        except NotAnswered:
            continue
        assert list(lines(parse(BEFORE, 0.0), reading))


def test_a_count_that_is_no_number_has_no_percentile():
    before, after = parse(BEFORE, 0.0), parse(AFTER.replace("110.0", "NaN"), 1.0)
    assert percentile(before, after, 0.5) == 0.001 or percentile(before, after, 0.5) is None
    assert percentile(before, after, 0.99) is None
    assert list(lines(before, after))


async def test_a_host_that_no_name_can_be_is_told_in_a_line():
    address = "a" * 70 + ".example:80"
    watching = ("trace", "--number", "+15551230001", "--token", "secret")
    for words in (("edge", "top", "--once"), watching):
        one = await command(*words, "--edge", address)
        _, err = await asyncio.wait_for(one.communicate(), 20)
        assert one.returncode == 1
        assert err.startswith(f"callscreen: {address} does not answer".encode())
        assert err.count(b"\n") == 1


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_edge_is_refused(text):
    with pytest.raises(NotAnswered):
        parse(text, 0.0)


async def test_any_port_is_one_that_tcp_has_free_too(core, monkeypatch):
    taken = []
    bind = streaming.open_tcp

    async def once_taken(host: str, port: int) -> Any:
        taken.append(port)
        if len(taken) == 1:
            raise OSError("it is taken")
        return await bind(host, port)

    monkeypatch.setattr(streaming, "open_tcp", once_taken)
    provision(core)
    async with edge(core) as address, phone(address) as caller:
        assert (await caller.call("+15550001111")).status == 603
        assert int(address.rpartition(":")[2]) == taken[1] != taken[0]
