"""A change of a setting is in force with the next call: one case for each that an edge heeds."""

from typing import Any, NamedTuple

import pytest

from callscreen.schema import TYPES
from callscreen.schema.settings_page import leaves
from callscreen.v1 import object_pb2

from ..fastpath.responding import KINDS, Bench
from ..fastpath.test_respond_calls import call
from .objects import CALLED, CIN_CALLED, FRIEND, NUISANCE, obj, platform

SETTINGS = TYPES["settings"]
STRANGER = "+15550000000"
SBC = "192.0.2.9:5070"  # the host of the Contact
TURNED_AWAY = "603"
BLOCKED, OF_BETA = "+15550006666", "+15551230003"


class Case(NamedTuple):
    """What is set before and after, a call (called, calling, more headers), and what it meets."""

    before: dict[str, Any]
    after: dict[str, Any]
    asked: tuple[str, ...]
    was: str
    now: str
    product: str = "pcs"


def engine(**values: Any) -> dict[str, Any]:
    return {"screening_engine": values}


def override(**places: bool) -> dict[str, Any]:
    return {"__override__": {"screening_engine": places}}


ANONYMOUS = (CALLED, "anonymous")
IDENTITY = f"P-Asserted-Identity: <sip:{FRIEND}@carrier.example>"
DIVERTED = (CIN_CALLED, FRIEND, f"Diversion: <sip:{CALLED}@carrier.example>")
ASSERTED_FIRST = [{"source": "hdr.p_asserted_identity"}, {"source": "hdr.from"}]
HERE = f"{CALLED}@"
GOES_ON = f"sip:{HERE}{SBC}"

CASES = {
    "screening_engine.egress_route": Case(
        engine(use_contact=False),
        engine(use_contact=False, egress_route="out.example"),
        (CALLED, FRIEND),
        "404",
        f"sip:{HERE}out.example",
    ),
    "screening_engine.use_contact": Case(
        engine(egress_route="out.example"),
        engine(egress_route="out.example", use_contact=False),
        (CALLED, FRIEND),
        GOES_ON,
        f"sip:{HERE}out.example",
    ),
    "screening_engine.sip_routing_prefix": Case(
        {}, engine(sip_routing_prefix="99"), (CALLED, FRIEND), GOES_ON, f"sip:99{HERE}{SBC}"
    ),
    "screening_engine.voicemail_service_location": Case(
        {},
        engine(voicemail_service_location="box@vm.example"),
        (CALLED, NUISANCE),
        TURNED_AWAY,
        "sip:box@vm.example;target=",
    ),
    "screening_engine.network_blocked_contact": Case(
        {},
        engine(network_blocked_contact="https://redress.example"),
        (OF_BETA, BLOCKED),
        "603 Decline",
        "603 Network Blocked",
    ),
    "screening_engine.default_treatment": Case(
        {}, engine(default_treatment="terminate"), (CALLED, STRANGER), GOES_ON, TURNED_AWAY
    ),
    "screening_engine.drop_anonymous_calls": Case(
        {}, engine(drop_anonymous_calls=True), ANONYMOUS, GOES_ON, TURNED_AWAY
    ),
    "screening_engine.protected_numbers": Case(
        engine(default_treatment="terminate"),
        engine(default_treatment="terminate", protected_numbers=[STRANGER]),
        (CALLED, STRANGER),
        TURNED_AWAY,
        GOES_ON,
    ),
    "screening_engine.redirect_destination": Case(
        {},
        engine(redirect_destination="menu.example"),
        (CIN_CALLED, STRANGER),
        f"sip:12345@{SBC}",
        f"sip:{CIN_CALLED}@menu.example",
        "cin",
    ),
    "screening_engine.anonymous_treatment": Case(
        {},
        engine(anonymous_treatment="terminate"),
        (CIN_CALLED, "anonymous"),
        f"sip:12345@{SBC}",
        TURNED_AWAY,
        "cin",
    ),
    "screening_engine.nomatch_treatment": Case(
        {},
        engine(nomatch_treatment="continue"),
        (CIN_CALLED, STRANGER),
        f"sip:12345@{SBC}",
        f"sip:{CIN_CALLED}@{SBC}",
        "cin",
    ),
    "web_settings.default_cc": Case(
        engine(default_treatment="terminate"),
        engine(default_treatment="terminate") | {"web_settings": {"default_cc": "44"}},
        ("5551230001", STRANGER),
        TURNED_AWAY,
        f"sip:+445551230001@{SBC}",  # nobody's number
    ),
    "called_sources_config": Case(
        engine(default_treatment="terminate"),
        engine(default_treatment="terminate")
        | {"called_sources_config": [{"source": "hdr.diversion"}]},
        DIVERTED,
        f"sip:{CIN_CALLED}@{SBC}",
        GOES_ON,
    ),
    "calling_sources_config": Case(
        engine(default_treatment="terminate"),
        engine(default_treatment="terminate") | {"calling_sources_config": ASSERTED_FIRST},
        (CALLED, STRANGER, IDENTITY),
        TURNED_AWAY,
        GOES_ON,
    ),
    "__override__": Case(
        engine(use_contact=False, egress_route="out.example"),
        engine(use_contact=False, egress_route="out.example") | override(egress_route=True),
        (CALLED, FRIEND),
        f"sip:{HERE}out.example",
        f"sip:{HERE}own.example",
    ),
}
OWN = object_pb2.Object(
    name="pcs/settings/acme",
    settings={
        "service_provider_name": "acme",
        "screening_engine": {"egress_route": "own.example"},
    },
)
BETA: dict[str, Any] = {"service_provider_name": "beta"}
BLOCK = {"global": True, "match": "terminate", "no_match": "next", "priority": 1}
BLOCKING = [  # a provider that blocks a caller for all of its subscribers
    obj("pcs/service_provider/beta", service_provider={"name": "beta", "blacklist": [BLOCKED]}),
    obj("pcs/screening_rule/beta", screening_rule={**BETA, "blacklist": BLOCK}),
    obj(
        "pcs/number/beta/carol/%2B15551230003",
        number={**BETA, "subscriber_name": "carol", "number": OF_BETA},
    ),
]
NO_MAILBOX = object_pb2.Object(
    name="pcs/subscriber/acme/alice",
    subscriber={"name": "alice", "service_provider_name": "acme", "service_enabled": True},
)


def test_there_is_a_case_for_each_setting_that_an_edge_is_said_to_heed() -> None:
    said = {setting.path for setting in leaves() if "dges" in setting.field.rules.effect}
    # Those of caller identity have theirs in test_identity_settings.py and test_diverting.py.
    apart = {path for path in said if path.startswith("stir_shaken.")}
    assert set(CASES) == said - apart - {"screening_engine.divert_cert_name"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", CASES)
def test_the_next_call_heeds_a_change(path: str, kind: str) -> None:
    case = CASES[path]
    both = case.asked[0] == CIN_CALLED and case.product == "cin"
    objects = [each for each in platform() if "/settings/" not in each.name]
    objects += [NO_MAILBOX, OWN, *BLOCKING, stored("pcs", {}), stored("cin", {})]
    bench = Bench(kind, objects, product=0 if both else ("", "pcs", "cin").index(case.product))
    for revision, given, expected in ((2, case.before, case.was), (3, case.after, case.now)):
        bench.change(stored(case.product, given), revision=revision)
        assert met(bench, case).startswith(expected)


def stored(product: str, document: dict[str, Any]) -> object_pb2.Object:
    """The platform's settings as the core stores and publishes them."""
    message, _ = SETTINGS.from_json(document, product)
    SETTINGS.complete(message, product)
    SETTINGS.normalise(message, product, "1")
    SETTINGS.validate(message, product)
    obj = object_pb2.Object(name=f"{product}/settings/")
    obj.settings.CopyFrom(message)
    return obj


def met(bench: Bench, case: Case) -> str:
    """Where the call is sent, or the status and reason that it is answered with."""
    answer = call(bench, *case.asked).read
    contact = answer.headers.get("Contact", [""])[0]
    return contact.strip("<>") or f"{answer.status} {answer.reason}"
