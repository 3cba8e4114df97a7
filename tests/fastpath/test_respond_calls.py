"""An INVITE is decided by what is provisioned, and its record says what happened and why."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.fastpath.model import CIN, PCS
from callscreen.v1 import object_pb2, rules_pb2

from ..edge.messages import request
from ..edge.objects import CALLED, CIN_CALLED, FRIEND, NUISANCE, number, obj, settings
from .responding import KINDS, NOW, Bench, Given


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(request.param)


calls = iter(range(1_000_000))  # no two calls of a test are one


def call(bench: Bench, called: str, calling: str, *more: str, **kinds: Any) -> Given:
    contact = {"contact": kinds["contact"]} if "contact" in kinds else {}
    return bench.give(
        request(
            "INVITE",
            *more,
            uri=f"sip:{called}@edge.example",
            to=f"<sip:{called}@edge.example>",
            caller=f"<sip:{calling}@carrier.example>;tag=abc",
            call_id=f"call-{next(calls)}",
            **contact,
        )
    )


def test_a_whitelisted_caller_goes_on(bench: Bench) -> None:
    decided = call(bench, CALLED, FRIEND)
    assert decided.status == 302
    assert decided.contact == f"<sip:{CALLED}@192.0.2.9:5070>"
    record = decided.made
    assert record.events == "0:invite;0:whitelist:match;0:answer:302"
    assert UUID(record.cdr_id).int >> 80 == NOW // 1_000_000
    assert record.product == rules_pb2.PCS
    assert (record.called_number, record.calling_number) == (CALLED, FRIEND)
    assert (record.service_provider_name, record.subscriber_name) == ("acme", "alice")
    assert (record.status, record.edge, record.source_ip) == (302, "edge-1", "192.0.2.9")
    assert record.call_id == decided.read.one("Call-ID")
    assert record.start_time.ToNanoseconds() == NOW == record.end_time.ToNanoseconds()
    verdict = record.verdict
    assert (verdict.treatment, verdict.reason, verdict.revision) == ("continue", "whitelist", 7)
    (step,) = verdict.trace
    assert (step.rule, step.input, step.entry) == ("whitelist", FRIEND, FRIEND)
    assert (step.scope, step.outcome, step.treatment) == ("number", "match", "continue")


def test_a_blacklisted_caller_meets_the_voice_mail(bench: Bench) -> None:
    decided = call(bench, CALLED, NUISANCE)
    assert decided.contact.startswith("<sip:alice@vm.example;target=")
    diversion = f"<sip:{CALLED}@edge.example>;reason=unconditional;counter=1"
    assert decided.read.one("Diversion") == diversion
    expected = "0:invite;0:whitelist:no_match;0:blacklist:match;0:answer:302"
    assert decided.made.events == expected


def test_anybody_else_is_turned_away(bench: Bench) -> None:
    decided = call(bench, CALLED, "+15550000000")
    assert decided.status == 603
    assert decided.made.verdict.reason == "default_treatment"
    assert decided.made.events.endswith("0:default_treatment:end_of_rules;0:answer:603")


def test_numbers_without_a_country_code_are_the_same_numbers(bench: Bench) -> None:
    decided = call(bench, "(555)123-0001", "5557654321")
    assert decided.made.verdict.reason == "whitelist"
    assert decided.contact == f"<sip:{CALLED}@192.0.2.9:5070>"


def test_cin_has_its_own_answers(bench: Bench) -> None:
    assert call(bench, CIN_CALLED, FRIEND).contact == f"<sip:{CIN_CALLED}@egress.example>"
    assert call(bench, CIN_CALLED, NUISANCE).status == 603
    screened = call(bench, CIN_CALLED, "+15550000000")
    assert screened.contact == "<sip:12345@egress.example>"
    assert screened.made.product == rules_pb2.CIN
    assert screened.made.verdict.treatment == "screen"


def test_an_unknown_number_goes_on(bench: Bench) -> None:
    decided = call(bench, "+15559999999", FRIEND)
    assert decided.contact == "<sip:+15559999999@192.0.2.9:5070>"
    assert decided.made.verdict.reason == "not_provisioned"
    assert decided.made.product == rules_pb2.PRODUCT_UNSPECIFIED


@pytest.mark.parametrize("kind", KINDS)
def test_a_listener_of_one_product_knows_that_one_only(kind: str) -> None:
    pcs, cin = Bench(kind, product=PCS), Bench(kind, product=CIN)
    assert call(cin, CALLED, NUISANCE).made.verdict.reason == "not_provisioned"
    assert call(cin, "+15559999999", FRIEND).made.product == rules_pb2.CIN
    assert call(pcs, CIN_CALLED, NUISANCE).status == 302
    assert call(pcs, CIN_CALLED, NUISANCE).made.verdict.reason == "not_provisioned"


def test_an_anonymous_call_is_told_by_from_or_privacy(bench: Bench) -> None:
    bench.change(settings("pcs", screening_engine={"drop_anonymous_calls": True}))
    assert call(bench, CALLED, "anonymous").status == 603
    assert call(bench, CALLED, FRIEND, "Privacy: id").made.verdict.reason == "anonymous"
    assert call(bench, CALLED, FRIEND, "Privacy: none").made.verdict.reason == "whitelist"


def test_a_call_to_nobody_gets_the_default_treatment(bench: Bench) -> None:
    decided = call(bench, "sales", FRIEND)
    assert decided.status == 603
    assert decided.made.verdict.reason == "default_treatment"
    bench.change(settings("pcs", screening_engine={"default_treatment": "continue"}))
    assert call(bench, "sales", FRIEND).contact == "<sip:sales@192.0.2.9:5070>"


def test_a_contact_that_is_no_place_counts_as_none(bench: Bench) -> None:
    for text in (None, "<mailto:a@b.example>"):
        decided = call(bench, "+15559999999", FRIEND, contact=text)
        assert decided.status == 404, text


def test_a_change_is_in_force_with_the_next_call(bench: Bench) -> None:
    bench.change(number(whitelist=[], blacklist=[]), revision=8)
    decided = call(bench, CALLED, FRIEND)
    assert (decided.status, decided.made.verdict.revision) == (603, 8)


def test_the_sources_of_the_numbers_are_the_settings_of_each_product(bench: Bench) -> None:
    # PCS finds the called number in Diversion alone, CIN in To.
    pcs = settings("pcs", called_sources_config=[{"source": "hdr.diversion"}])
    cin = settings("cin", called_sources_config=[{"source": "hdr.to"}])
    bench.change(pcs, cin)
    diverted = call(bench, CIN_CALLED, NUISANCE, f"Diversion: <sip:{CALLED}@a.example>")
    assert diverted.made.called_number == CALLED
    assert diverted.made.verdict.reason == "blacklist"
    both = call(bench, CIN_CALLED, NUISANCE, "Diversion: <sip:+15550009999@a.example>")
    assert both.made.product == rules_pb2.CIN
    assert both.made.verdict.reason == "blocked"
    assert [step.rule for step in both.made.verdict.trace] == ["vip", "blocked"]
    neither = call(bench, "+15550001111", NUISANCE, "Diversion: <sip:+15550009999@a.example>")
    assert neither.made.called_number == "+15550009999"


def test_a_stranger_cannot_make_a_record_long(bench: Bench) -> None:
    decided = bench.give(request(call_id="c" * 5000, uri=f"sip:{'u' * 5000}@edge.example"))
    assert len(decided.made.call_id) == 250
    assert decided.made.ByteSize() < 1000


def test_an_ipv4_peer_on_a_socket_of_both_families_is_an_ipv4_peer(bench: Bench) -> None:
    decided = bench.give(request(), source=("::ffff:192.0.2.9", 5070))
    assert decided.made.source_ip == "192.0.2.9"


def test_only_a_proxy_of_ours_is_believed_about_whom_it_had_a_call_from(bench: Bench) -> None:
    provider = {"service_provider_name": "acme", "screening_group": "g"}
    criteria = {**provider, "source_ips": ["198.51.100.0/24"]}
    bench.change(obj("pcs/service_selection_criteria/acme/g", service_selection_criteria=criteria))
    for second, source, selected in (
        ("SIP/2.0/UDP 198.51.100.7:5080;branch=z9hG4bK-0", "198.51.100.7", True),
        ("SIP/2.0/UDP sbc;received=198.51.100.8;branch=z9hG4bK-0", "198.51.100.8", True),
        ("SIP/2.0/UDP [2001:db8::1]", "2001:db8::1", False),
        ("SIP/2.0/UDP sbc.example", "192.0.2.9", False),
        ("nonsense", "192.0.2.9", False),
    ):
        branch = f"z9hG4bK-{second}".encode().hex()
        via = f"SIP/2.0/UDP 192.0.2.9:5070;branch={branch}, {second}"
        believed = bench.give(request(via=via), via_trusted=True).made
        assert believed.source_ip == source
        rules = [step.rule for step in believed.verdict.trace]
        assert ("service_selection" in rules) == selected
        other = bench.give(request(via=via, call_id=second.encode().hex()))
        assert other.made.source_ip == "192.0.2.9"
        assert "service_selection" not in [step.rule for step in other.made.verdict.trace]


def test_a_damaged_call_never_raises() -> None:
    bench = Bench("compiled")
    whole = request(
        "INVITE",
        "P-Asserted-Identity: <sip:+15557654321@a.example>, <tel:+15557654321>",
        "Diversion: <sip:+15551230001@a.example>;reason=no-answer",
        "Privacy: id;user",
        "Require: 100rel",
        uri="sip:+1555123%30001:pass@edge.example:5060;user=phone?a=b",
    )

    @given(st.integers(0, len(whole)), st.integers(0, 30), st.binary(max_size=8))
    def damage(start: int, size: int, octets: bytes) -> None:
        result = bench.give(whole[:start] + octets + whole[start + size :])
        swallowed = result.status == 0 and result.dropped is None
        assert (result.answer is None) == (result.dropped is not None or swallowed)

    damage()


def test_a_number_of_cin_alone_is_screened_by_cin_whatever_pcs_cannot_read(
    bench: Bench,
) -> None:
    # PCS looks in Diversion alone and finds nothing: its default_treatment would be terminate.
    bench.change(
        settings(
            "pcs",
            called_sources_config=[{"source": "hdr.diversion"}],
            screening_engine={"default_treatment": "terminate"},
        ),
    )
    decided = call(bench, CIN_CALLED, FRIEND)
    assert (decided.made.product, decided.made.verdict.reason) == (rules_pb2.CIN, "vip")
    assert call(bench, "+15559999999", FRIEND).made.verdict.reason == "default_treatment"


@pytest.mark.parametrize("enabled", [True, False])
def test_products_asked_apart_say_what_they_say_together(bench: Bench, enabled: bool) -> None:
    """Called numbers read from the same header by settings that only look different."""
    bob = {"name": "bob", "service_provider_name": "acme", "service_enabled": enabled}
    in_both = number(number=CIN_CALLED, whitelist=[FRIEND], blacklist=[])
    in_both.name = "pcs/number/acme/alice/%2B15551230002"
    subscriber = object_pb2.Object(name="cin/subscriber/acme/bob", subscriber=bob)
    for objects in ([subscriber], [subscriber, in_both]):
        bench.change(*objects)
        called = [(CIN_CALLED, caller) for caller in (FRIEND, NUISANCE, "+15550000000")]
        together = [call(bench, *each).made.verdict for each in called]
        bench.change(cin_settings("hdr.to", "request_uri", "hdr.diversion"))
        apart = [call(bench, *each).made.verdict for each in called]
        bench.change(cin_settings("hdr.to", "request_uri"))
        assert apart == together


def test_a_redirected_call_takes_its_history_with_it(bench: Bench) -> None:
    """RFC 7044: what came is given back, the Request-URI added, and the Contact told of it."""
    asked = f"sip:{CALLED}@edge.example"
    first = "<sip:+15550001111@a.example?Reason=SIP%3Bcause%3D302>;index=1"
    there = f"<{asked}>;index=1.1"
    came = call(bench, CALLED, FRIEND, f"History-Info: {first}, {there};rc=1")
    assert came.contact == f"<sip:{CALLED}@192.0.2.9:5070>;rc=1.1"
    assert came.read.one("History-Info") == f"{first}, {there};rc=1"
    added = call(bench, CALLED, NUISANCE, f"History-Info: {first}")
    assert added.read.one("History-Info") == f"{first}, {there}"
    assert added.contact.endswith(";cause=302>;mp=1.1")
    odd = call(bench, CALLED, FRIEND, "History-Info: <sip:a@b>")
    assert odd.contact == f"<sip:{CALLED}@192.0.2.9:5070>"
    assert odd.read.one("History-Info") == "<sip:a@b>"
    declined = call(bench, CALLED, "+15550000000", f"History-Info: {first}")
    assert "History-Info" not in declined.read.headers


def cin_settings(*sources: str) -> object_pb2.Object:
    return settings(
        "cin",
        screening_engine={"egress_route": "egress.example", "redirect_destination": "12345"},
        called_sources_config=[{"source": source} for source in sources],
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_by_the_network_is_told_as_one_where_that_is_turned_on(kind: str) -> None:
    """603+ of ATIS-1000099 for the provider's own list, never for a subscriber's."""
    bench = Bench(kind)
    rule = {"personal": True, "global": True, "match": "terminate", "no_match": "next"}
    plan = {"service_provider_name": "acme", "blacklist": {**rule, "priority": 2}}
    bench.change(
        obj("pcs/screening_rule/acme", screening_rule=plan),
        obj("pcs/service_provider/acme", service_provider={"name": "acme", "blacklist": [FRIEND]}),
    )
    off = call(bench, CALLED, FRIEND)
    assert (off.read.reason, "Reason" in off.read.headers) == ("Decline", False)
    for contact, text in (
        ("https://redress.example/?a=b", "url=https://redress.example/?a=b"),
        ("tel:+15550001111", "tel=+15550001111"),
        ("mailto:noc@carrier.example", "email=noc@carrier.example"),
    ):
        bench.change(settings("pcs", screening_engine={"network_blocked_contact": contact}))
        blocked = call(bench, CALLED, FRIEND)
        assert (blocked.status, blocked.read.reason) == (603, "Network Blocked")
        expected = f'SIP;cause=603;text="v=analytics1;{text}";location=LN'
        assert blocked.read.one("Reason") == expected
        assert call(bench, CALLED, NUISANCE).read.reason == "Decline"
