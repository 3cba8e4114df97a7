"""An INVITE is decided by what is provisioned, and its record says what happened and why."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.edge.calls import PRODUCTS, Screener
from callscreen.edge.cdr import record_fields
from callscreen.edge.metrics import Metrics
from callscreen.edge.uas import Decided, Uas
from callscreen.edge.view import ScreeningView
from callscreen.fastpath import sip
from callscreen.v1 import object_pb2, rules_pb2, screening_pb2

from .messages import request
from .objects import CALLED, CIN_CALLED, FRIEND, NUISANCE, number, platform, settings

NOW = 1_700_000_000.5


@pytest.fixture
def view() -> ScreeningView:
    view = ScreeningView()
    view.load(platform())
    view.whole(7)
    return view


Recorded = Decided[screening_pb2.CallRecord]


def decide(
    view: ScreeningView | None, data: bytes, product: str = "both", source_ip: str = "192.0.2.9"
) -> Recorded | None:
    screener = Screener(lambda: view, PRODUCTS[product], "edge-1", lambda now: f"id-{now}")
    decided = screener(sip.parse(data), source_ip, now=NOW)
    if decided is None:
        return None
    record = screening_pb2.CallRecord(**record_fields(decided.record))
    return Decided(decided.answer, record)


def call(view: ScreeningView, called: str, calling: str, *more: str, **kinds: Any) -> Recorded:
    decided = decide(
        view,
        request(
            "INVITE",
            *more,
            uri=f"sip:{called}@edge.example",
            to=f"<sip:{called}@edge.example>",
            caller=f"<sip:{calling}@carrier.example>;tag=abc",
            **{key: value for key, value in kinds.items() if key == "contact"},
        ),
        kinds.get("product", "both"),
    )
    assert decided is not None
    return decided


def contact(decided: Recorded) -> str:
    return dict(decided.answer.headers)[b"Contact"].decode()


def test_without_data_nothing_is_decided() -> None:
    assert decide(None, request()) is None


def test_a_whitelisted_caller_goes_on(view: ScreeningView) -> None:
    decided = call(view, CALLED, FRIEND)
    assert decided.answer.status == 302
    assert contact(decided) == f"<sip:{CALLED}@192.0.2.9:5070>"
    record = decided.record
    assert record.events == "0:invite;0:whitelist:match;0:answer:302"
    assert record.cdr_id == f"id-{NOW}"
    assert record.product == rules_pb2.PCS
    assert (record.called_number, record.calling_number) == (CALLED, FRIEND)
    assert (record.service_provider_name, record.subscriber_name) == ("acme", "alice")
    assert (record.status, record.edge, record.source_ip) == (302, "edge-1", "192.0.2.9")
    assert record.call_id == "call-1@carrier.example"
    assert record.start_time.ToNanoseconds() == int(NOW * 1e9) == record.end_time.ToNanoseconds()
    verdict = record.verdict
    assert (verdict.treatment, verdict.reason, verdict.revision) == ("continue", "whitelist", 7)
    (step,) = verdict.trace
    assert (step.rule, step.input, step.entry) == ("whitelist", FRIEND, FRIEND)
    assert (step.scope, step.outcome, step.treatment) == ("number", "match", "continue")


def test_a_blacklisted_caller_meets_the_voice_mail(view: ScreeningView) -> None:
    decided = call(view, CALLED, NUISANCE)
    assert contact(decided).startswith("<sip:alice@vm.example;target=")
    assert b"Diversion" in dict(decided.answer.headers)
    expected = "0:invite;0:whitelist:no_match;0:blacklist:match;0:answer:302"
    assert decided.record.events == expected


def test_anybody_else_is_turned_away(view: ScreeningView) -> None:
    decided = call(view, CALLED, "+15550000000")
    assert decided.answer.status == 603
    assert decided.record.verdict.reason == "default_treatment"
    assert decided.record.events.endswith("0:default_treatment:end_of_rules;0:answer:603")


def test_numbers_without_a_country_code_are_the_same_numbers(view: ScreeningView) -> None:
    decided = call(view, "(555)123-0001", "5557654321")
    assert decided.record.verdict.reason == "whitelist"
    assert contact(decided) == f"<sip:{CALLED}@192.0.2.9:5070>"


def test_cin_has_its_own_answers(view: ScreeningView) -> None:
    assert contact(call(view, CIN_CALLED, FRIEND)) == f"<sip:{CIN_CALLED}@egress.example>"
    assert call(view, CIN_CALLED, NUISANCE).answer.status == 603
    screened = call(view, CIN_CALLED, "+15550000000")
    assert contact(screened) == "<sip:12345@egress.example>"
    assert screened.record.product == rules_pb2.CIN
    assert screened.record.verdict.treatment == "screen"


def test_an_unknown_number_goes_on(view: ScreeningView) -> None:
    decided = call(view, "+15559999999", FRIEND)
    assert contact(decided) == "<sip:+15559999999@192.0.2.9:5070>"
    assert decided.record.verdict.reason == "not_provisioned"
    assert decided.record.product == rules_pb2.PRODUCT_UNSPECIFIED
    limited = call(view, "+15559999999", FRIEND, product="cin")
    assert limited.record.product == rules_pb2.CIN


def test_a_listener_of_one_product_knows_that_one_only(view: ScreeningView) -> None:
    assert call(view, CALLED, NUISANCE, product="cin").record.verdict.reason == "not_provisioned"
    assert call(view, CIN_CALLED, NUISANCE, product="pcs").answer.status == 302


def test_an_anonymous_call_is_told_by_from_or_privacy(view: ScreeningView) -> None:
    change(view, settings("pcs", screening_engine={"drop_anonymous_calls": True}))
    assert call(view, CALLED, "anonymous").answer.status == 603
    assert call(view, CALLED, FRIEND, "Privacy: id").record.verdict.reason == "anonymous"
    assert call(view, CALLED, FRIEND, "Privacy: none").record.verdict.reason == "whitelist"


def test_a_call_to_nobody_gets_the_default_treatment(view: ScreeningView) -> None:
    decided = call(view, "sales", FRIEND)
    assert decided.answer.status == 603
    assert decided.record.verdict.reason == "default_treatment"
    change(view, settings("pcs", screening_engine={"default_treatment": "continue"}))
    assert contact(call(view, "sales", FRIEND)) == "<sip:sales@192.0.2.9:5070>"


def test_a_contact_that_is_no_place_counts_as_none(view: ScreeningView) -> None:
    for text in (None, "<mailto:a@b.example>"):
        decided = call(view, "+15559999999", FRIEND, contact=text)
        assert decided.answer.status == 404, text


def test_a_change_is_in_force_with_the_next_call(view: ScreeningView) -> None:
    change(view, number(whitelist=[], blacklist=[]), revision=8)
    decided = call(view, CALLED, FRIEND)
    assert (decided.answer.status, decided.record.verdict.revision) == (603, 8)


def test_the_sources_of_the_numbers_are_the_settings_of_each_product(view: ScreeningView) -> None:
    # PCS finds the called number in Diversion alone, CIN in To.
    pcs = settings("pcs", called_sources_config=[{"source": "hdr.diversion"}])
    cin = settings("cin", called_sources_config=[{"source": "hdr.to"}])
    change(view, pcs, cin)
    diverted = call(view, CIN_CALLED, NUISANCE, f"Diversion: <sip:{CALLED}@a.example>")
    assert diverted.record.called_number == CALLED
    assert diverted.record.verdict.reason == "blacklist"
    both = call(view, CIN_CALLED, NUISANCE, "Diversion: <sip:+15550009999@a.example>")
    assert both.record.product == rules_pb2.CIN
    assert both.record.verdict.reason == "blocked"
    assert [step.rule for step in both.record.verdict.trace] == ["vip", "blocked"]
    neither = call(view, "+15550001111", NUISANCE, "Diversion: <sip:+15550009999@a.example>")
    assert neither.record.called_number == "+15550009999"


def test_a_stranger_cannot_make_a_record_long(view: ScreeningView) -> None:
    decided = decide(view, request(call_id="c" * 5000, uri=f"sip:{'u' * 5000}@edge.example"))
    assert decided is not None
    assert len(decided.record.call_id) == 250
    assert decided.record.ByteSize() < 1000


def test_an_ipv4_peer_on_a_socket_of_both_families_is_an_ipv4_peer(view: ScreeningView) -> None:
    decided = decide(view, request(), source_ip="::ffff:192.0.2.9")
    assert decided is not None
    assert decided.record.source_ip == "192.0.2.9"


def test_a_damaged_call_never_raises(view: ScreeningView) -> None:
    screener = Screener(lambda: view, PRODUCTS["both"], "edge-1", lambda now: "id")
    uas = Uas(screener, lambda: True, b"secret", Metrics())
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
        data = whole[:start] + octets + whole[start + size :]
        result = uas.receive_datagram(data, ("192.0.2.9", 5070), NOW)
        assert len(result.sends) == (result.dropped is None)

    damage()


def change(view: ScreeningView, *objects: object_pb2.Object, revision: int = 8) -> None:
    mutations = [object_pb2.Mutation(name=each.name, put=each) for each in objects]
    view.apply(object_pb2.Change(revision=revision, mutations=mutations))


def test_a_number_of_cin_alone_is_screened_by_cin_whatever_pcs_cannot_read(
    view: ScreeningView,
) -> None:
    # PCS looks in Diversion alone and finds nothing: its default_treatment would be terminate.
    change(
        view,
        settings(
            "pcs",
            called_sources_config=[{"source": "hdr.diversion"}],
            screening_engine={"default_treatment": "terminate"},
        ),
    )
    decided = call(view, CIN_CALLED, FRIEND)
    assert (decided.record.product, decided.record.verdict.reason) == (rules_pb2.CIN, "vip")
    assert call(view, "+15559999999", FRIEND).record.verdict.reason == "default_treatment"


@pytest.mark.parametrize("enabled", [True, False])
def test_products_asked_apart_say_what_they_say_together(
    view: ScreeningView, enabled: bool
) -> None:
    """Called numbers read from the same header by settings that only look different."""
    bob = {"name": "bob", "service_provider_name": "acme", "service_enabled": enabled}
    in_both = number(number=CIN_CALLED, whitelist=[FRIEND], blacklist=[])
    in_both.name = "pcs/number/acme/alice/%2B15551230002"
    subscriber = object_pb2.Object(name="cin/subscriber/acme/bob", subscriber=bob)
    for objects in ([subscriber], [subscriber, in_both]):
        change(view, *objects)
        called = [(CIN_CALLED, caller) for caller in (FRIEND, NUISANCE, "+15550000000")]
        together = [call(view, *each).record.verdict for each in called]
        view.alike = False
        apart = [call(view, *each).record.verdict for each in called]
        view.alike = True
        assert apart == together
