"""A verdict counts for the number that the rules go by, and for no other."""

from collections.abc import Sequence
from typing import Any

import pytest

from callscreen.edge.clerk import Clerk
from callscreen.edge.handed_over import Piece
from callscreen.edge.remembered import Remembered
from callscreen.fastpath.asking import Asker
from callscreen.fastpath.index import Index
from callscreen.fastpath.loader import Loader
from callscreen.fastpath.recent import RecentTable
from callscreen.fastpath.respond_types import Responded
from callscreen.identity.model import Policy, Question, Verdict
from callscreen.identity.telephone import canonical_number
from callscreen.v1 import records_pb2

from .identity_double import TOKEN, VALID, Double
from .messages import request
from .objects import CALLED, FRIEND, number, obj, platform, settings

STRANGER = "+15550000009"  # who calls, and has a good token
IDENTITY = f"Identity: {TOKEN}"
ASSERTED = f"P-Asserted-Identity: <sip:{STRANGER}@carrier.example>"
FROM_FRIEND = f"<sip:{FRIEND}@carrier.example>;tag=t"


class Signed(Double):
    """Finds each caller valid: the token is to whoever the question is about."""

    def verify_now(self, question: Question, trust_name: str, policy: Policy) -> Verdict:
        return VALID._replace(orig=canonical_number(question.orig, question.default_cc))

    def verify_together(
        self, calls: Sequence[tuple[Question, str]], policy: Policy
    ) -> list[Verdict | None]:
        return [self.verify_now(question, name, policy) for question, name in calls]


def answered(*lines: str, caller: str = FROM_FRIEND, **national: Any) -> tuple[Responded, Any]:
    """A call to who lets friends through whose calls are signed, and no others."""
    flags = {"personal": True, "global": True, "override": True, "priority": 1}
    whitelist = {**flags, "stir_shaken": True, "match": "continue", "no_match": "next"}
    rule = {"service_provider_name": "acme", "whitelist": whitelist}
    index = Index()
    kept: list[Responded] = []
    engine = {"default_treatment": "terminate", "use_contact": True}
    Loader(index).load(
        [
            *platform(),
            settings("pcs", screening_engine=engine, web_settings={"default_cc": "1"}, **national),
            obj("pcs/screening_rule/acme", screening_rule=rule),
            number(whitelist=[FRIEND]),
        ]
    )
    clerk = Clerk(
        Asker(None, b"secret", seed=b"0" * 16, recent=RecentTable(10)),
        Signed(),
        lambda: index,
        Remembered(lambda: 0.0),
        lambda done: kept.extend(each for _, each in done),
        lambda: 10**18,
    )
    octets = request("INVITE", *lines, uri=f"sip:{CALLED}@edge.example", caller=caller)
    piece = Piece(octets, ("203.0.113.9", 5060), "udp", 10**18, False, lambda done, own: "")
    assert not clerk.work([piece])
    (record,) = records_pb2.AppendRequest.FromString(kept[0].record or b"").records
    return kept[0], record


@pytest.mark.parametrize(
    ("lines", "caller"),
    [
        ((), FROM_FRIEND),
        ((f"P-Asserted-Identity: <sip:{FRIEND}@c.example>",), FROM_FRIEND),
        ((f"P-Asserted-Identity: <tel:{FRIEND}>",), FROM_FRIEND),
        ((f"P-Asserted-Identity: <tel:{FRIEND}>",), "<sip:anonymous@anonymous.invalid>;tag=t"),
        ((), f"<sip:{FRIEND.removeprefix('+1')}@c.example>;tag=t"),
        (("y: a.b.c",), FROM_FRIEND),
    ],
)
def test_who_is_verified_is_who_is_looked_up(lines: tuple[str, ...], caller: str) -> None:
    found, record = answered(IDENTITY, *lines, caller=caller)
    assert (found.status, record.identity.state) == (302, "valid")


@pytest.mark.parametrize("more", [(), ("y: a.b.c",)])
def test_nobody_lends_another_a_signature(more: tuple[str, ...]) -> None:
    """The token is P-Asserted-Identity's, the number that is looked up that of From."""
    found, record = answered(IDENTITY, ASSERTED, *more)
    assert (found.status, record.identity.state) == (603, "unknown")
    assert b"TN-Validation-Passed" not in (found.answer or b"")
    (check,) = (each for each in record.identity.checks if each.name == "caller")
    assert not check.passed
    assert check.detail == "the rules go by another number than the one that was verified"


def test_of_whom_the_rules_go_by_no_token_says_anything() -> None:
    """Rules that go by who diverted a call, which no token vouches for."""
    sources = [{"source": "hdr.diversion"}, {"source": "hdr.from"}]
    diverted = f"Diversion: <sip:{FRIEND}@c.example>"
    caller = f"<sip:{STRANGER}@c.example>;tag=t"
    found, _ = answered(IDENTITY, diverted, caller=caller, calling_sources_config=sources)
    assert found.status == 603
    asserted = [{"source": "hdr.p_asserted_identity"}]
    found, _ = answered(
        IDENTITY,
        f"P-Asserted-Identity: <sip:{FRIEND}@c.example>",
        caller=caller,
        calling_sources_config=asserted,
    )
    assert found.status == 302
