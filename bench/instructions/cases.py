"""What is counted: each case does one thing `times` times under fastpath/repeat.pxd.

A new case is one more line in `cases`: its name, and a function of `times` that ends in `repeat`.
"""

from collections.abc import Callable
from functools import partial

from callscreen.fastpath import measure_sip as measure
from callscreen.fastpath.extract import NumberPolicy, NumberSource, NumberSources, PostStep
from callscreen.fastpath.index import Index, PlanStep
from callscreen.fastpath.measure_respond import responses
from callscreen.fastpath.recent import RecentTable
from callscreen.fastpath.respond import Responder

from .messages import ACK, BROKEN, INVITE, OPTIONS, SMALL

__all__ = ["Case", "cases"]

Case = Callable[[int], object]

DIGITS = (PostStep("require_digits", min_length=3),)
IMPLICIT = NumberPolicy(attempt_implicit_user_phone=True)
LONGEST = NumberPolicy(None, True, "longest-digit-substring")
# What the settings hold where nobody has set anything.
CALLED = [NumberSource("hdr.to"), NumberSource("request_uri")]
CALLING = [
    NumberSource("hdr.from", IMPLICIT, DIGITS),
    NumberSource("hdr.p_asserted_identity", LONGEST, DIGITS),
]
NOTATIONS = {
    "+E.164": b"sip:+13155550100@carrier.example",
    "user=phone": b"sip:315-555-0100;phone-context=+1@carrier.example;user=phone",
    "tel": b"tel:+1-315-555-0100",
    "national": b"sip:3155550100@carrier.example",
}


def calling_from(uri: bytes) -> bytes:
    return SMALL.replace(b"sip:+13155550100@carrier.example", uri)


def provisioned() -> Index:
    """A number with lists of its own and its subscriber's, under two rules."""
    index = Index()
    index.put_provider(1, "acme", [], [f"+1212555{i:04d}" for i in range(1000)])
    index.put_plan(
        "acme",
        [
            PlanStep("whitelist", 1, match="continue", personal=True, global_list=True),
            PlanStep("blacklist", 2, match="terminate", personal=True, global_list=True),
        ],
        None,
    )
    index.put_number(1, "acme", "alice", "+15855551234", ["+13155550199"], ["+13155550198"])
    index.put_subscriber(
        1, "acme", "alice", True, frozenset(), ["+13155550197"], ["+13155550196"], None
    )
    return index


def cases() -> dict[str, Case]:
    called, calling = NumberSources(CALLED), NumberSources(CALLING)
    asserted = NumberSources(CALLING[1:])
    index = provisioned()
    responder = Responder(index, b"bench", seed=b"s" * 16, recent=RecentTable(1000), edge="edge-1")
    found: dict[str, Case] = {
        "scan: small INVITE": partial(measure.scans, SMALL),
        "scan: INVITE with SDP": partial(measure.scans, INVITE),
        "scan: OPTIONS": partial(measure.scans, OPTIONS),
        "scan: ACK": partial(measure.scans, ACK),
        "scan: malformed": partial(measure.scans, BROKEN),
        "number: P-Asserted-Identity": partial(measure.numbers, INVITE, asserted),
        "anonymous": partial(measure.anonymity, INVITE),
        "tag": partial(measure.tags, INVITE),
        "answer: 302 to INVITE with SDP": partial(measure.answers, INVITE, 302),
        "answer: 603 to small INVITE": partial(measure.answers, SMALL, 603),
        "all but the decision: small INVITE": partial(measure.whole, SMALL, called, calling),
        "all but the decision: INVITE with SDP": partial(measure.whole, INVITE, called, calling),
        "decision": partial(measure.decisions, index, "+15855551234", "+13155550100"),
        "answered and recorded: small INVITE": partial(responses, responder, SMALL),
        "answered and recorded: INVITE with SDP": partial(responses, responder, INVITE),
    }
    for name, uri in NOTATIONS.items():
        found[f"number: {name}"] = partial(measure.numbers, calling_from(uri), calling)
    return found
