"""The compiled responder and its plain twin: the same octets, record and counters."""

import random
import re
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.fastpath.respond_types import DIVERT, Told

from . import provisioning
from .responding import NOW, SECOND, Bench, Given
from .test_sip_twin import INVITE, PIECES, PLAIN, TORTURE

SEEDS = st.integers(0, 2**32)
ADDRESSES = ["10.0.0.1", "192.0.2.7", "::ffff:10.0.1.1", "2001:db8::1", "fe80::1%eth0"]
METHODS = ["INVITE"] * 12 + [
    "CANCEL",
    "OPTIONS",
    "ACK",
    "BYE",
    "REGISTER",
    "PUBLISH",
    "NEW",
    "INFO",
]
OPTIONAL = [
    "Privacy: id",
    "Privacy: none",
    "Require: 100rel",
    "Require: a\tb,,\x7fc , d",
    "Require: ,",
    "Supported: 100rel",
    "Contact: <sip:sbc@192.0.2.9:5070;transport=tcp>",
    "m: sip:[2001:db8::5]",
    "Contact: *",
    "X-Other: " + "x" * 200,
]
IDENTITIES = [
    "Identity: aa.bb.cc;info=<https://c.example/a.pem>;ppt=shaken",
    "y: ..cc;info=<https://c.example/a.pem>",
    "Identity:",
]
TOLDS = [
    Told(),
    Told(0, lines=b"Identity: x;info=<y>\r\n", record=b"\x7a\x00"),
    Told(2, lines=b"P-Asserted-Identity: <sip:a@b>\r\nDate: now\r\n" * 40),
    Told(2, record=b"\x7a\x00"),
    Told(2, diversion=b"Identity: d;info=<y>;ppt=div\r\n" * 30),
    Told(2, diversion=b""),
    Told(3, 438, "Invalid Identity Header", always=b"Reason: STIR;cause=438\r\n"),
    Told(3, 437, "", record=b"\x82\x01\x04\x0a\x02ab"),
    Told(4, 436, "Bad Identity Info", always=b"Reason: STIR;cause=436\r\n" * 60),
]


def party(world: random.Random) -> str:
    """A URI that often means a number of the small world."""
    number = provisioning.number(world)
    user = world.choice(
        [number] * 8
        + [number[1:], "911", "+112", "anonymous", "sales;x=y", "%2b1%30", "a%ffb%41", "", "1-2(3)"]
        + ["u" * 249, "u" * 250, "u" * 251, "u" * 300]
    )
    if user and world.random() < 0.1:
        return f"tel:{user}"
    host = world.choice(["edge.example", "192.0.2.1:5062", "[2001:db8::9]", "anonymous.invalid"])
    return f"sip:{user}@{host}" if user else f"sip:{host}"


def message(world: random.Random) -> bytes:
    """A request, as often as not a repeated one."""
    method = world.choice(METHODS)
    called, caller = party(world), party(world)
    address = world.choice(ADDRESSES).partition("%")[0].removeprefix("::ffff:")
    host = world.choice([f"[{address}]" if ":" in address else address, "h.example:5080"])
    tag = world.choice(["", "", "", ";tag=theirs"])
    via = world.choice(["", ";rport", ";received=1.2.3.4;rport=9", ";maddr=192.0.2.77"])
    more = world.choice(
        ["", ", SIP/2.0/TCP 10.0.0.9:1;branch=b", "\r\nv: SIP/2.0/UDP [::1]", ", x"]
    )
    lines = [
        f"{method} {world.choice([called, party(world)])} SIP/2.0",
        f"Via: SIP/2.0/UDP {host}{via};branch=z9hG4bK-{world.randint(0, 3)}{more}",
        f"Max-Forwards: {world.choice([70, 70, 0])}",
        f"From: <{caller}>;tag={world.randint(0, 2)}",
        f"To: <{called}>{tag}",
        f"Call-ID: call-{world.randint(0, 5)}" + world.choice(["", "@h", "x" * 300]),
        f"CSeq: 1 {method}",
        *world.sample(OPTIONAL, world.choice((0, 0, 1, 2, 3))),
    ]
    for name in ("Diversion", "P-Asserted-Identity", "History-Info"):
        if world.random() < 0.2:
            index = world.choice(["1", "1.1", "1.12.3", ".1", "1..2", "1.", "", "9" * 64, "9" * 65])
            last = world.choice([f"<{called}>", f"<{party(world)}?Reason=SIP>", f'"<" <{called}>'])
            tail = world.choice([f";index={index}", f";a=b;INDEX={index};rc=1", "", ";index=1 "])
            lines.append(f"{name}: <{party(world)}>;index=1,\r\n {last}{tail}")
    if world.random() < 0.4:
        lines += world.choices(IDENTITIES, k=world.randint(1, 3))
    return "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode("latin-1")


def same(benches: tuple[Bench, Bench], data: bytes, world: random.Random, now: int) -> Given:
    """What both make of a message, which is the same."""
    more = {"via_trusted": world.random() < 0.3, "over_rate": world.random() < 0.05}
    source = world.choice(ADDRESSES), world.randint(1, 65535)
    transport = world.choice(("udp", "udp", "tcp"))
    given = partial(both, benches, data, now, source, transport, **more)
    found = given(told=world.choice(TOLDS)) if world.random() < 0.1 else given()
    if found.awaits and found.awaits != DIVERT:
        assert (found.answer, found.record, found.dropped) == (None, None, None)
        found = given(told=world.choice(TOLDS))
    if found.awaits:
        assert (found.awaits, found.answer, found.record) == (DIVERT, None, None)
        found = given(told=Told(2, diversion=b"Identity: d\r\n"))
    assert not found.awaits
    return found


def both(benches: tuple[Bench, Bench], *arguments: Any, **more: Any) -> Given:
    compiled, plain = (bench.give(*arguments, **more) for bench in benches)
    assert compiled == plain, (arguments, more)
    return compiled


def pair(world: random.Random) -> tuple[Bench, Bench]:
    options = {
        "product": world.choice((0, 0, 0, 1, 2)),
        "edge": world.choice(("", "edge", "é" * 200)),
    }
    operations = [provisioning.operation(world) for _ in range(world.randint(20, 120))]
    benches = Bench("compiled", [], **options), Bench("plain", [], **options)
    for bench in benches:
        bench.index.commit(operations, 7)
    return benches


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_calls_are_answered_and_recorded_the_same(seed: int) -> None:
    world = random.Random(seed)
    benches = pair(world)
    now = NOW
    for _ in range(30):
        now += world.choice((1, SECOND // 3, 20 * SECOND))
        same(benches, message(world), world, now)
    assert benches[0].counts == benches[1].counts


def test_the_calls_of_a_world_meet_every_kind_of_answer() -> None:
    """Else the comparison above would compare little."""
    seen: set[int] = set()
    reasons: set[str] = set()
    answers = b""
    for seed in range(150):
        world = random.Random(seed)
        benches = pair(world)
        for i in range(30):
            got = same(benches, message(world), world, NOW + i * SECOND)
            seen.add(got.status)
            answers += got.answer or b""
        reasons |= {reason for _, _, reason in benches[0].counts.calls}
    assert seen >= {0, 200, 302, 404, 405, 420, 481, 501, 503, 603}
    assert "stir_shaken" in reasons
    assert reasons >= {"whitelist", "blacklist", "vip", "blocked", "service_off", "emergency"}
    assert reasons >= {"default_treatment", "error_treatment", "not_provisioned", "anonymous"}
    for part in (
        b">;mp=1",
        b">;rc=1.1",
        b"cause=302",
        b"Diversion: ",
        b"Contact: <tel:",
        b"Contact: <sips:",
    ):
        assert part in answers, part


@settings(max_examples=300, deadline=None)
@given(st.data(), SEEDS)
def test_a_damaged_message_ends_the_same(data: st.DataObject, seed: int) -> None:
    world = random.Random(seed)
    octets = data.draw(st.sampled_from([INVITE, PLAIN, message(world), *TORTURE]))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(octets)))
        piece = data.draw(st.sampled_from(PIECES) | st.binary(max_size=3))
        octets = octets[:at] + piece + octets[at + data.draw(st.integers(0, 4)) :]
    benches = Bench("compiled"), Bench("plain")
    same(benches, octets, world, NOW)
    assert benches[0].counts == benches[1].counts


def test_without_data_both_ask_to_come_again() -> None:
    benches = Bench("compiled", ready=False), Bench("plain", ready=False)
    world = random.Random(1)
    statuses = {same(benches, message(world), world, NOW).status for _ in range(200)}
    assert statuses >= {503, 481, 501}
    assert not statuses & {200, 302, 603}


def test_the_torture_messages_end_the_same() -> None:
    benches = Bench("compiled"), Bench("plain")
    world = random.Random(2)
    for octets in TORTURE:
        same(benches, octets, world, NOW)
    found = re.findall(rb"^([A-Z]+) ", b"\n".join(TORTURE), re.MULTILINE)
    assert not TORTURE or b"INVITE" in found
