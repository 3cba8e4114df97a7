"""What the fuzzer's inputs mean: two octets of setting, then a datagram.

1. octets[0] modulo the number of worlds says which index; octets[1] has the bits of `Setting`.
2. The worlds are the same at every run: an input that was kept stays what it was.
3. The numbers of the worlds are those of the seeds (seeds.py), and of the dictionary.
"""

import random
from typing import NamedTuple

from callscreen.fastpath.extract_types import LONGEST, NumberPolicy, NumberSource, PostStep
from callscreen.fastpath.model import EngineSettings, Operation, PlanStep, SourceNumbers

from ..fastpath import provisioning

__all__ = ["EDGE", "NOW_NS", "SECRET", "SEED", "WORLDS", "Setting", "split"]

SECRET = b"secret"
SEED = b"0123456789abcdef"
EDGE = "edge-1"
NOW_NS = 1_700_000_000 * 1_000_000_000
HEAD = 2  # octets of a setting
PORT = 5070
ADDRESSES = ("192.0.2.9", "2001:db8::1")


class Setting(NamedTuple):
    """Which index, and what a listener knows besides the octets."""

    world: int
    transport: str
    via_trusted: bool
    over_rate: bool
    product: int
    ready: bool
    source: tuple[str, int]


def split(octets: bytes) -> tuple[Setting, bytes] | None:
    """The setting and the datagram of an input; None where it is too short for any."""
    if len(octets) < HEAD:
        return None
    bits = octets[1]
    product = bits >> 4 & 3
    setting = Setting(
        octets[0] % len(WORLDS),
        "tcp" if bits & 1 else "udp",
        bool(bits & 2),
        bits & 68 == 68,
        product % 3,
        product != 3,
        (ADDRESSES[bits >> 7], PORT),
    )
    return setting, octets[HEAD:]


def rich() -> list[Operation]:
    """A PCS provider with every list, and a CIN one."""
    plan = [
        PlanStep("whitelist", 1, True, True, True, False, "continue", "next"),
        PlanStep("blacklist", 2, True, True, True, False, "terminate", "next"),
        PlanStep("stir_shaken", 0),
        PlanStep("call_guardian", 3),
    ]
    whole = EngineSettings(
        egress_route="[2001:db8::7]:5080",
        voicemail_service_location="sip:vm@vm.example;x=y?a=b",
        sip_routing_prefix="77#",
        use_contact=False,
        network_blocked_contact="https://r.example",
        anonymous_treatment="voicemail",
    )
    own, theirs = ["+1555765*", "+15550000001"], ["+1555666xxxx", "+15550000002"]
    return [
        ("put_settings", (1, "acme", whole)),
        ("put_settings", (2, "acme", whole._replace(drop_anonymous_calls=True))),
        ("put_provider", (1, "acme", ["+1700*"], ["+1800xxxxxxx"])),
        ("put_plan", ("acme", plan, "terminate")),
        ("put_subscriber", (1, "acme", "alice", True, frozenset(), own, theirs, "vm@x.example")),
        ("put_subscriber", (1, "acme", "bob", True, frozenset({"whitelist"}), [], [], None)),
        ("put_subscriber", (2, "acme", "carol", True, frozenset(), own, theirs, "")),
        ("put_number", (1, "acme", "alice", "+15551230001", ["+15557654321"], ["+1*"])),
        ("put_number", (1, "acme", "bob", "+15551230002", [], [])),
        ("put_number", (2, "acme", "carol", "+15551230003", ["+1555765*"], ["+44*"])),
        ("put_number", (2, "acme", "carol", "+15551230001", [], ["+15557654321"])),
        ("put_criteria", ("acme", "one", ["192.0.2.0/24", "2001:db8::/32"], ["1"], [])),
        ("put_source", ("acme", "s", ["192.0.2.9"], "o", "A", "c", [_signed("+1555*")])),
    ]


def _signed(mask: str) -> SourceNumbers:
    return SourceNumbers([mask], "id", "B", "cert", 0)


def sources() -> list[Operation]:
    """Numbers looked for in every place and with every step, apart for the products."""
    steps = (
        PostStep("strip_prefix", prefix="+1"),
        PostStep("extract_substring", range=(0, 10)),
        PostStep("set_cc", country_code="1"),
        PostStep("require_digits", min_length=3),
    )
    phone = NumberPolicy("+1", True, LONGEST)
    first = [
        NumberSource("hdr.history_info", phone),
        NumberSource("hdr.diversion", phone, steps),
        NumberSource("request_uri", NumberPolicy(), (PostStep("default_cc", country_code="44"),)),
    ]
    second = [NumberSource("hdr.to", phone, steps[1:2]), NumberSource("hdr.from")]
    callers = [NumberSource("hdr.p_asserted_identity", phone), NumberSource("hdr.from", phone)]
    settings = EngineSettings(default_cc="44", redirect_destination="2001:db8::1")
    return [
        *rich(),
        ("put_settings", (2, "", settings)),
        ("put_number_sources", (1, first, callers)),
        ("put_number_sources", (2, second, [])),
    ]


def chance(seed: int) -> list[Operation]:
    world = random.Random(seed)
    return [provisioning.operation(world) for _ in range(120)]


WORLDS: list[list[Operation]] = [[], rich(), sources(), *(chance(seed) for seed in range(1, 6))]
