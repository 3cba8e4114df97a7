"""A small provisioned platform as the core publishes it."""

from typing import Any

from callscreen.v1 import object_pb2

CALLED = "+15551230001"
CIN_CALLED = "+15551230002"
FRIEND = "+15557654321"
NUISANCE = "+15556660000"


def obj(name: str, **kind: Any) -> object_pb2.Object:
    return object_pb2.Object(name=name, **kind)


def number(**more: Any) -> object_pb2.Object:
    """The PCS number, with lists of its own."""
    own = {"number": CALLED, "service_provider_name": "acme", "subscriber_name": "alice"}
    return obj("pcs/number/acme/alice/%2B15551230001", number=own | more)


def settings(product: str, **more: Any) -> object_pb2.Object:
    return obj(f"{product}/settings/", settings={"service_provider_name": ""} | more)


def platform() -> list[object_pb2.Object]:
    """PCS: whitelist passes, blacklist goes to voice mail, the rest is turned away.
    CIN: vip passes, blocked is turned away, the rest meets the menu."""
    rule = {"personal": True, "global": True, "override": True, "stir_shaken": False}
    plan = {
        "service_provider_name": "acme",
        "whitelist": {**rule, "match": "continue", "no_match": "next", "priority": 1},
        "blacklist": {**rule, "match": "voicemail", "no_match": "next", "priority": 2},
    }
    cin_number = {
        "number": CIN_CALLED,
        "service_provider_name": "acme",
        "subscriber_name": "bob",
        "vip": [FRIEND],
        "blocked": [NUISANCE],
    }
    return [
        settings(
            "pcs",
            screening_engine={"default_treatment": "terminate", "use_contact": True},
            web_settings={"default_cc": "1"},
        ),
        settings(
            "cin",
            screening_engine={"egress_route": "egress.example", "redirect_destination": "12345"},
        ),
        obj("pcs/service_provider/acme", service_provider={"name": "acme"}),
        obj("cin/service_provider/acme", service_provider={"name": "acme"}),
        obj("pcs/screening_rule/acme", screening_rule=plan),
        obj(
            "pcs/subscriber/acme/alice",
            subscriber={
                "name": "alice",
                "service_provider_name": "acme",
                "voicemail": "sip:alice@vm.example",
                "service_enabled": True,
            },
        ),
        obj(
            "cin/subscriber/acme/bob",
            subscriber={"name": "bob", "service_provider_name": "acme", "service_enabled": True},
        ),
        number(whitelist=[FRIEND], blacklist=[NUISANCE]),
        obj("cin/number/acme/bob/%2B15551230002", number=cin_number),
    ]
