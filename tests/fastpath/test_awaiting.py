"""Calls that await a verdict on their caller or a signature, on the responder and its twin."""

from pathlib import Path
from typing import Any

import pytest

from callscreen.fastpath.image_read import read_image
from callscreen.fastpath.image_write import write_image
from callscreen.fastpath.index import Index, PlanStep, StirRule, StirSettings
from callscreen.fastpath.loader import Loader
from callscreen.fastpath.model import INVALID, NONE, UNASKED, UNKNOWN, VALID
from callscreen.fastpath.respond_types import SIGN, TOLD_OCTETS, VERIFY, Told
from callscreen.v1 import object_pb2, screening_pb2

from ..edge.messages import request
from ..edge.objects import CALLED, CIN_CALLED, FRIEND, NUISANCE, obj, platform, settings
from .responding import KINDS, NOW, SOURCE, Bench

IDENTITY = "Identity: aa.bb.cc;info=<https://c.example/a.pem>;ppt=shaken"
STIR = {
    "enabled": True,
    "override": False,
    "auth_address": "roots.pem",
    "invalid": "terminate",
    "priority": 0,
}
BAD = Told(INVALID, 438, "Invalid Identity Header", always=b"Reason: STIR;cause=438\r\n")
SIGNED = Told(lines=b"Identity: new\r\nDate: now\r\n", always=b"X-Told: all\r\n")


def plan(**more: Any) -> object_pb2.Object:
    """The platform's plan, with a stir_shaken rule before the lists."""
    (found,) = [each for each in platform() if each.name == "pcs/screening_rule/acme"]
    rules = {"stir_shaken": STIR} | more
    found.screening_rule.MergeFrom(type(found.screening_rule)(**rules))
    return found


def source(attest: str = "A", group: str = "", address: str = SOURCE[0]) -> object_pb2.Object:
    groups = [{"numbers_n": ["+1999xxxxxxx"], "attest_n": group}] if group else []
    own = {"name": "trunk", "service_provider_name": "acme", "attest": attest}
    body = own | {"source_ip": [address], "source_numbers": groups, "cert_name": "a"}
    return obj("pcs/origination_source/acme/trunk", origination_source=body)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def bench_of(kind: str, *objects: object_pb2.Object, **more: Any) -> Bench:
    return Bench(kind, [*platform(), plan(), *objects], **more)


# A verdict


@pytest.mark.parametrize("name", ["Identity", "IDENTITY", "y", "Y"])
def test_a_signed_call_awaits_a_verdict(kind: str, name: str) -> None:
    bench = bench_of(kind)
    call = request("INVITE", IDENTITY.replace("Identity", name))
    got = bench.give(call)
    assert (got.awaits, got.provider, got.calling, got.called) == (VERIFY, "acme", FRIEND, CALLED)
    assert (got.answer, got.destination, got.record, got.dropped) == (None, None, None, None)
    counts = bench.counts
    assert (counts.received, counts.answered, counts.records_made) == (1, {}, 0)
    done = bench.give(call, told=Told(VALID))
    assert (done.awaits, done.status) == ("", 302)
    assert done.made.events.startswith("0:invite;0:stir_shaken:valid;0:whitelist:match")
    again = bench.give(call, told=Told(VALID))
    assert (again.answer, again.record) == (done.answer, None), "it came before"


def test_a_call_without_identity_awaits_nothing(kind: str) -> None:
    done = bench_of(kind).give(request("INVITE"))
    assert (done.awaits, done.status) == ("", 302)
    assert done.made.verdict.trace[0].outcome == "unsigned"


@pytest.mark.parametrize(
    ("told", "status", "outcome"),
    [
        (BAD, 438, "invalid"),
        (Told(INVALID), 603, "invalid"),
        (Told(INVALID, 403, "Stale Date"), 403, "invalid"),
        (Told(UNKNOWN, 436, "Bad Identity Info"), 302, "unverified"),
        (Told(UNASKED), 302, "unverified"),
        (Told(NONE), 302, "unsigned"),
    ],
)
def test_what_is_found_of_a_caller_decides(
    kind: str, told: Told, status: int, outcome: str
) -> None:
    done = bench_of(kind).give(request("INVITE", IDENTITY), told=told)
    assert (done.status, done.made.status) == (status, status)
    assert done.made.verdict.trace[0].outcome == outcome
    reasons = done.read.headers.get("Reason", [])
    assert reasons == (["STIR;cause=438"] if told is BAD else [])
    if told is BAD:
        assert done.read.reason == told.reason
        assert done.made.verdict.reason == "stir_shaken"


def test_a_network_block_stays_one(kind: str) -> None:
    blocked = settings(
        "pcs",
        screening_engine={"network_blocked_contact": "https://r.example"},
        web_settings={"default_cc": "1"},
    )
    done = bench_of(kind, blocked).give(request("INVITE", IDENTITY), told=BAD)
    assert (done.status, done.read.reason) == (603, "Network Blocked")
    assert [each[:5] for each in done.read.headers.get("Reason", [])] == ["SIP;c", "STIR;"]


def test_a_call_without_identity_is_refused_where_one_is_wanted(kind: str) -> None:
    strict = settings(
        "pcs", stir_shaken={"require_identity": True}, web_settings={"default_cc": "1"}
    )
    bench = bench_of(kind, strict)
    for place, told in enumerate((None, Told(VALID), Told(INVALID, 438, "Other"))):
        done = bench.give(request("INVITE", call_id=f"c{place}"), told=told)
        assert (done.status, done.read.reason) == (428, "Use Identity Header")
        assert done.made.verdict.trace[0].outcome == "invalid"
    assert bench.give(request("INVITE", IDENTITY)).awaits == VERIFY


def test_only_who_is_on_a_list_that_wants_a_signature_is_asked_about(kind: str) -> None:
    rule = {"personal": True, "global": False, "override": False, "stir_shaken": True}
    lists = {**rule, "match": "continue", "no_match": "next", "priority": 1}
    bench = bench_of(kind, plan(stir_shaken=STIR | {"enabled": False}, whitelist=lists))
    assert bench.give(request("INVITE", IDENTITY)).awaits == VERIFY
    other = request("INVITE", IDENTITY, caller="<sip:+15550000000@c.example>;tag=x")
    assert bench.give(other).awaits == ""
    for verdict, outcome in ((VALID, "match"), (INVALID, "unsigned"), (UNKNOWN, "unverified")):
        call = request("INVITE", IDENTITY, call_id=f"c{verdict}")
        (step, *_) = bench.give(call, told=Told(verdict)).made.verdict.trace
        assert (step.rule, step.entry, step.outcome) == ("whitelist", FRIEND, outcome)


def test_what_comes_before_the_rules_awaits_nothing(kind: str) -> None:
    bench = bench_of(kind)
    for uri in ("sip:911@edge.example", "sip:+15550009999@edge.example", f"sip:{CIN_CALLED}@e"):
        got = bench.give(request("INVITE", IDENTITY, uri=uri, to=f"<{uri}>", call_id=uri))
        assert (got.awaits, got.record is None) == ("", False), uri
    assert bench.give(request("OPTIONS", IDENTITY)).status == 200
    assert bench.give(request("INVITE", IDENTITY), over_rate=True).status == 503


# A signature


@pytest.mark.parametrize(
    ("attest", "group", "awaits"),
    [("A", "", SIGN), ("N", "", ""), ("N", "B", SIGN), ("C", "N", SIGN), ("N", "N", "")],
)
def test_a_call_of_a_source_that_signs_awaits_a_signature(
    kind: str, attest: str, group: str, awaits: str
) -> None:
    got = bench_of(kind, source(attest, group)).give(request("INVITE"))
    assert (got.awaits, got.provider) == (awaits, "acme" if awaits else "")


def test_only_what_goes_on_from_a_source_without_a_signature_is_signed(kind: str) -> None:
    bench = bench_of(kind, source())
    elsewhere = bench.give(request("INVITE"), source=("192.0.2.77", 5060))
    assert elsewhere.awaits == ""
    blocked = request("INVITE", caller=f"<sip:{NUISANCE}@c.example>;tag=x", call_id="blocked")
    assert bench.give(blocked).awaits == ""
    assert bench.give(request("INVITE", IDENTITY), told=None).awaits == VERIFY
    carried = plan(stir_shaken=STIR | {"enabled": False})
    assert bench_of(kind, source(), carried).give(request("INVITE", IDENTITY)).awaits == ""


def test_a_source_behind_a_proxy_of_ours_is_that_of_its_via(kind: str) -> None:
    bench = bench_of(kind, source(address="198.51.100.0/24"))
    call = request("INVITE", "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK-2")
    assert bench.give(call).awaits == ""
    assert bench.give(call, via_trusted=True, now=NOW + 1).awaits == SIGN


def test_a_listener_of_cin_signs_nothing(kind: str) -> None:
    assert bench_of(kind, source(), product=2).give(request("INVITE")).awaits == ""
    assert bench_of(kind, source(), product=1).give(request("INVITE")).awaits == SIGN


# What was told


def test_lines_stand_where_the_call_goes_on_and_others_in_every_answer(kind: str) -> None:
    bench = bench_of(kind, source())
    done = bench.give(request("INVITE"), told=SIGNED)
    assert (done.status, done.read.one("Identity"), done.read.one("Date")) == (302, "new", "now")
    assert done.read.one("X-Told") == "all"
    mail = request("INVITE", caller=f"<sip:{NUISANCE}@c.example>;tag=x", call_id="mail")
    away = bench.give(mail, told=SIGNED)
    assert (away.status, away.read.one("X-Told")) == (302, "all")
    assert "Identity" not in away.read.headers


def test_no_limit_of_an_answer_counts_what_was_told(kind: str) -> None:
    long = b"Identity: " + b"x" * 3_000 + b"\r\n"
    told = Told(lines=long, always=long)
    done = bench_of(kind).give(request("INVITE"), told=told)
    assert (done.dropped, done.status, len(done.read.headers.get("Identity", []))) == (None, 302, 2)
    more = bench_of(kind).give(request("INVITE"))
    assert len(done.answer or b"") == len(more.answer or b"") + 2 * len(long)


def test_what_was_told_stands_in_the_record(kind: str) -> None:
    more = screening_pb2.CallRecord(
        identity=screening_pb2.Identity(state="valid", attest="A"),
        signature=screening_pb2.Signature(failure="none"),
    )
    told = Told(VALID, record=more.SerializeToString())
    made = bench_of(kind).give(request("INVITE", IDENTITY), told=told).made
    assert (made.identity.attest, made.signature.failure) == ("A", "none")
    assert (made.edge, made.called_number) == ("edge-1", CALLED)


def test_a_record_that_has_no_room_for_it_is_made_without() -> None:
    more = screening_pb2.CallRecord(signature=screening_pb2.Signature(failure="x" * 9_000))
    told = Told(record=more.SerializeToString())
    made = bench_of("compiled").give(request("INVITE"), told=told).made
    assert (made.called_number, made.HasField("signature")) == (CALLED, False)


@pytest.mark.parametrize(
    "told",
    [
        Told(5),
        Told(-1),
        Told(3, 200, "OK"),
        Told(3, 999),
        Told(reason="a\r\nb"),
        Told(lines=b"Identity: x"),
        Told(lines=b"Identity: x\r\n\r\n"),
        Told(lines=b"Identity: x\ny: z\r\n"),
        Told(always=b"no field\r\n"),
        Told(record=b"x" * (TOLD_OCTETS + 1)),
    ],
)
def test_what_would_make_no_answer_is_refused(kind: str, told: Told) -> None:
    with pytest.raises(ValueError, match=r"no verdict|control|header lines|octets"):
        bench_of(kind).give(request("INVITE"), told=told)


# Where it comes from


def test_rule_and_settings_are_those_that_were_published(kind: str) -> None:
    given = {"freshness": 30, "fetch_budget": 1000, "require_date": True, "malformed_failed": True}
    bench = bench_of(kind, settings("pcs", stir_shaken=given))
    assert bench.index.stir("acme") == StirRule("roots.pem")
    assert bench.index.stir("nobody") == StirRule()
    assert bench.index.stir_settings() == StirSettings(30, 1000, True, False, True, True)
    bench.change(plan(stir_shaken=STIR | {"enabled": False}), settings("pcs"))
    assert (bench.index.stir("acme"), bench.index.stir_settings()) == (StirRule(), StirSettings())
    bench.change(plan(), settings("cin", web_settings={"default_cc": "44"}))
    assert bench.index.stir("acme") == StirRule("roots.pem")
    drop = object_pb2.Mutation(name="pcs/screening_rule/acme")
    bench.loader.apply(object_pb2.Change(revision=9, mutations=[drop]))
    assert bench.index.stir("acme") == StirRule()


def test_a_row_used_again_trusts_whom_its_new_provider_does() -> None:
    index = Index()
    step = PlanStep("stir_shaken", 1, invalid="terminate", auth_address="old")
    for _ in range(3):
        index.put_plan("old", [step], None)
        assert index.stir("old").auth_address == "old"
        index.drop_plan("old")
        index.put_plan("new", [step._replace(auth_address="")], None)
        assert (index.stir("new"), index.stir("old")) == (StirRule(), StirRule())
        index.drop_plan("new")
    index.commit([("put_plan", ("a", [step], None)), ("put_plan", ("a", [], None))], 2)
    assert index.stir("a") == StirRule()


def test_an_index_that_was_read_from_an_image_asks_the_same(tmp_path: Path) -> None:
    strict = settings("pcs", stir_shaken={"require_identity": True, "freshness": 5})
    bench = bench_of("compiled", strict, source(address="10.0.0.0/8"))
    copy = Index()
    with (tmp_path / "image").open("w+b") as file:
        write_image(bench.index, file.fileno(), b"", bench.loader.kept())
        file.seek(0)
        _, objects, _ = read_image(copy, file.fileno())
    Loader(copy).load(map(object_pb2.Object.FromString, objects))
    assert copy.stir("acme") == StirRule("roots.pem")
    assert copy.stir_settings() == StirSettings(5, require_identity=True)
    assert (copy.signs("10.1.1.1"), copy.signs(SOURCE[0])) == (True, False)
    verdict = copy.screen(1, CALLED, FRIEND, False, identity=INVALID)
    assert (verdict.reason, verdict.treatment) == ("stir_shaken", "terminate")
    bench.responder.index = copy
    assert bench.give(request("INVITE")).status == 428
    assert bench.give(request("INVITE", IDENTITY)).awaits == VERIFY


@pytest.mark.parametrize("identity", [-1, 5])
def test_only_what_can_be_known_is_taken(kind: str, identity: int) -> None:
    with pytest.raises(ValueError, match="0 to 4"):
        bench_of(kind).index.screen(1, CALLED, FRIEND, False, identity=identity)
