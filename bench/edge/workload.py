"""The provisioning that every server of a comparison holds, and what a call must get there.

Invariants
1. Every subscriber has a number, and one friend on that number's own list; the provider has a list
   of numbers. All are spread over +1 2000000000 to +1 9999999999, no two alike. `calls.h` and
   `kamailio.cfg` say the same numbers.
2. A friend is passed on (302), a listed caller declined (603), everybody else goes to voice mail
   (302 with a Diversion), and a called number that nobody has is not found (404).
3. The caller is P-Asserted-Identity's, else From's, as +E.164, with 00, national or in a tel URI.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from callscreen.edge.view import ScreeningView
from callscreen.v1 import object_pb2

__all__ = [
    "COUNT",
    "EGRESS",
    "MAIL",
    "PROVIDER",
    "SPARE",
    "SPARE_CALLED",
    "called",
    "friend",
    "listed",
    "listing",
    "number",
    "platform",
    "provisioned",
]

COUNT = 1_000_000  # of subscribers, personal entries and global entries each
EGRESS, MAIL = "egress.example", "mail.example"
PROVIDER = "acme"
NUMBERS = 8_000_000_000  # of ten digits, from 2000000000
STRIDE = 4_944_271_909  # from one number to the next: it shares no factor with NUMBERS
SUBSCRIBER, FRIEND, LISTED, SPARE_CALLED, SPARE, KINDS = 0, 1, 2, 5, 6, 8  # as in calls.h
CHUNK = 10_000  # operations of one transaction of the index


def number(kind: int, place: int) -> str:
    return f"+1{2_000_000_000 + (place * KINDS + kind) * STRIDE % NUMBERS}"


def called(subscriber: int) -> str:
    return number(SUBSCRIBER, subscriber)


def friend(subscriber: int) -> str:
    return number(FRIEND, subscriber)


def listed(place: int) -> str:
    return number(LISTED, place)


def listing(entries: Iterable[str]) -> object_pb2.Object:
    """The provider with its list of numbers whose calls are declined."""
    body = {"name": PROVIDER, "blacklist": list(entries)}
    name = f"pcs/service_provider/{PROVIDER}"
    return object_pb2.Object(name=name, service_provider=body)  # type: ignore[arg-type]


def platform() -> list[object_pb2.Object]:
    """Settings and plan, without lists, subscribers and numbers."""
    national = [
        {"type": "strip_prefix", "prefix": "00"},
        {"type": "strip_prefix", "prefix": "1"},
        {"type": "require_digits", "min_length": 3},
    ]
    policy = {"attempt_implicit_user_phone": True}
    calling = [
        {"source": source, "policy": policy, "post": national}
        for source in ("hdr.p_asserted_identity", "hdr.from")
    ]
    # The route is the provider's own: a number that is nobody's has none, so that it is not found.
    own: dict[str, Any] = {"service_provider_name": PROVIDER}
    engine = {"egress_route": EGRESS, "voicemail_service_location": MAIL}
    settings: dict[str, Any] = {
        "screening_engine": {"use_contact": False, "default_treatment": "voicemail"},
        "web_settings": {"default_cc": "1"},
        "called_sources_config": [{"source": "request_uri"}],
        "calling_sources_config": calling,
        "override": {"screening_engine": dict.fromkeys(engine, True)},
    }
    lists = {"personal": False, "global": False, "override": False, "stir_shaken": False}
    rules = {
        "whitelist": {
            **lists,
            "personal": True,
            "match": "continue",
            "no_match": "next",
            "priority": 1,
        },
        "blacklist": {
            **lists,
            "global": True,
            "match": "terminate",
            "no_match": "next",
            "priority": 2,
        },
    }
    return [
        object_pb2.Object(name="pcs/settings/", settings=settings),  # type: ignore[arg-type]
        object_pb2.Object(
            name=f"pcs/settings/{PROVIDER}",
            settings={**own, "screening_engine": engine},  # type: ignore[arg-type]
        ),
        object_pb2.Object(
            name=f"pcs/screening_rule/{PROVIDER}",
            screening_rule={**own, **rules},  # type: ignore[arg-type]
        ),
    ]


def subscribers(count: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Operations of an index: each subscriber with its number and friend."""
    for place in range(count):
        name = f"s{place}"
        yield "put_subscriber", (1, PROVIDER, name, True, frozenset(), [], [], None)
        yield "put_number", (1, PROVIDER, name, called(place), [friend(place)], [])


def provisioned(count: int = COUNT, more: Iterable[object_pb2.Object] = ()) -> ScreeningView:
    """A whole view of `count` of each, and of what is given."""
    view = ScreeningView()
    view.load([*platform(), listing(map(listed, range(count))), *more])
    operations = subscribers(count)
    while chunk := list(islice(operations, CHUNK)):
        view.index.commit(chunk, 0)
    view.whole(1)
    return view
