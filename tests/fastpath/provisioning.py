"""Random provisioning and random calls in a small world, so that matches are frequent."""

import random
from collections.abc import Callable

from callscreen.fastpath.extract_types import NumberPolicy, NumberSource
from callscreen.fastpath.model import (
    LIST_RULES,
    RULES,
    STIR_RULE,
    TREATMENTS,
    EngineSettings,
    Operation,
    PlanStep,
    SourceNumbers,
    StirSettings,
)

PROVIDERS = ("acme", "zeta", "ünï")
SUBSCRIBERS = ("alice", "bob", "")
PLAN_TREATMENTS = TREATMENTS[:5]
DEFAULTS = TREATMENTS[1:5]
CIN_TREATMENTS = ("continue", "screen", "terminate", "voicemail")
ADDRESSES = ("", "10.0.0.1", "10.0.1.1", "192.0.2.7", "2001:db8::1", "::ffff:10.0.0.1", "junk")
PREFIXES = (
    "10.0.0.0/8",
    "10.0/24",
    "10.0.0.1",
    "192.0.2.0/24",
    "2001:db8::/32",
    "::/0",
    "bad",
    "0.0.0.0/0",
)
POINT_CODES = ("", "0-0-5", "12", "1-2-3", "-", "999999999")

World = random.Random


def number(world: World) -> str:
    """A held number of few digits."""
    return "+" + world.choice(("1", "44")) + "".join(world.choices("01", k=world.randint(0, 3)))


def entry(world: World) -> str:
    """A list entry as held; now and then none at all."""
    if world.random() < 0.03:
        return world.choice(("", "junk", "+1**", "*", "+*", "++1", "+1234567890123456", "+911"))
    digits = "".join(world.choices("01xX", (4, 4, 1, 1), k=world.randint(0, 3)))
    return "+" + world.choice(("1", "44")) + digits + world.choice(("", "", "", "*"))


def entries(world: World) -> list[str]:
    return [entry(world) for _ in range(world.choice((0, 0, 1, 2, 4, 60)))]


def plan(world: World) -> list[PlanStep]:
    steps = []
    for rule in world.sample(RULES, world.randint(0, len(RULES))):
        flags = [world.random() < 0.5 for _ in range(4)]
        flags[3] = world.random() < 0.3
        treatments = world.choices(PLAN_TREATMENTS, (6, 2, 2, 1, 1), k=2)
        if rule not in LIST_RULES:
            flags[1:] = [False] * 3
            treatments = ["next", "next"]
        if rule == STIR_RULE:
            treatments += [world.choice(PLAN_TREATMENTS), world.choice(("", "", "roots.pem"))]
        steps.append(PlanStep(rule, world.randint(0, 3), *flags, *treatments))
    return steps


def settings(world: World) -> EngineSettings:
    return EngineSettings(
        egress_route=world.choice(("", "192.0.2.1", "sip:[2001:db8::7]:5080", "2001:db8::7")),
        voicemail_service_location=world.choice(
            ("", "vm.example", "sips:vm@h?a=b", "tel:+1", "*98")
        ),
        sip_routing_prefix=world.choice(("", "", "77#")),
        use_contact=world.random() < 0.5,
        redirect_destination=world.choice(("", "12345", "menu@m.example", "2001:db8::1")),
        network_blocked_contact=world.choice(("", "https://r.example", "tel:+1555", 'no"')),
        default_treatment=world.choice(DEFAULTS),
        drop_anonymous_calls=world.random() < 0.2,
        anonymous_treatment=world.choice(CIN_TREATMENTS),
        nomatch_treatment=world.choice(CIN_TREATMENTS),
        protected_numbers=tuple(entries(world)) if world.random() < 0.1 else (),
        default_cc=world.choice(("1", "1", "44")),
        divert_cert_name=world.choice(("", "acme", "x" * 250)),
    )


def subscriber(world: World) -> Operation:
    override = frozenset(world.sample(RULES, world.choice((0, 0, 2, 6))))
    voicemail = world.choice((None, "", "vm@example.net", "sips:a@b;c=d", "+1800", "[::1]", "<"))
    key = world.choice((1, 2)), world.choice(PROVIDERS), world.choice(SUBSCRIBERS)
    given = world.random() < 0.85, override, entries(world), entries(world), voicemail
    return "put_subscriber", (*key, *given)


def number_sources(world: World) -> Operation:
    """Where a product looks: often in the same places as the other."""
    places = world.choice(((), (), ("hdr.to",), ("hdr.diversion",), ("request_uri", "hdr.to")))
    called = [NumberSource(place, NumberPolicy(None, True)) for place in places]
    calling = world.choice(([], [], [NumberSource("hdr.history_info")]))
    return "put_number_sources", (world.choice((1, 2)), called, calling)


def criteria(world: World) -> Operation:
    prefixes = world.sample(PREFIXES, world.choice((0, 1, 2)))
    codes = world.sample(("1", "44", "440", "+1", "10", "junk"), world.choice((0, 1, 2)))
    ranges = [tuple(world.choices(POINT_CODES, k=2)) for _ in range(world.choice((0, 0, 1, 2)))]
    key = world.choice(PROVIDERS), world.choice(("one", "two"))
    return "put_criteria", (*key, prefixes, codes, ranges)


def source(world: World) -> Operation:
    groups = [
        SourceNumbers(entries(world), f"id{i}", world.choice("ABCN"), f"c{i}", world.randint(0, 2))
        for i in range(world.choice((0, 1, 3)))
    ]
    attest = world.choice("ABNN")
    own = world.sample(PREFIXES, world.choice((0, 1, 3))), "own", attest, "certificate"
    return "put_source", (world.choice(PROVIDERS), world.choice(("s1", "s2")), *own, groups)


def stir_settings(world: World) -> Operation:
    strict = world.random() < 0.5
    return "put_stir_settings", (StirSettings(world.randint(1, 99), require_identity=strict),)


def put_number(world: World) -> Operation:
    owner = world.choice((1, 2)), world.choice(PROVIDERS), world.choice(SUBSCRIBERS)
    return "put_number", (*owner, number(world), entries(world), entries(world))


def drop_number(world: World) -> Operation:
    owner = world.choice((None, (world.choice(PROVIDERS), world.choice(SUBSCRIBERS))))
    return "drop_number", (world.choice((1, 2)), number(world), owner)


KINDS: list[tuple[int, Callable[[World], Operation]]] = [
    (12, put_number),
    (4, drop_number),
    (6, subscriber),
    (2, lambda w: ("drop_subscriber", subscriber(w)[1][:3])),
    (
        3,
        lambda w: ("put_provider", (w.choice((1, 2)), w.choice(PROVIDERS), entries(w), entries(w))),
    ),
    (1, lambda w: ("drop_provider", (w.choice((1, 2)), w.choice(PROVIDERS)))),
    (4, lambda w: ("put_plan", (w.choice(PROVIDERS), plan(w), w.choice((None, *TREATMENTS[:4]))))),
    (1, lambda w: ("drop_plan", (w.choice(PROVIDERS),))),
    (2, lambda w: ("put_settings", (w.choice((1, 2)), w.choice(("", *PROVIDERS)), settings(w)))),
    (1, number_sources),
    (1, lambda w: ("drop_settings", (w.choice((1, 2)), w.choice(("", *PROVIDERS))))),
    (1, stir_settings),
    (1, criteria),
    (1, lambda w: ("drop_criteria", criteria(w)[1][:2])),
    (1, source),
    (1, lambda w: ("drop_source", source(w)[1][:2])),
]


def operation(world: World) -> Operation:
    """One change of anything."""
    (choice,) = world.choices([make for _, make in KINDS], [weight for weight, _ in KINDS])
    return choice(world)


Screened = tuple[int, str, str, bool, str, str]


def call(world: World) -> Screened:
    """The arguments of one call."""
    odd = ("", "junk", "911", "+112", "1911", "+", "00", "+1234567890123456", "0-0 (1)")
    called, calling = (
        world.choice(odd) if world.random() < 0.12 else number(world) for _ in range(2)
    )
    where = world.choice(ADDRESSES), world.choice(POINT_CODES)
    return world.choice((0, 0, 1, 2)), called, calling, world.random() < 0.15, *where
