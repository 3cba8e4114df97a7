"""Signed calls that go to voice mail and await the signature of that, on the responder and its
twin (RFC 8946)."""

from typing import Any

import pytest

from callscreen.fastpath.model import INVALID, NONE, UNKNOWN, VALID
from callscreen.fastpath.respond_types import DIVERT, VERIFY, Told

from ..edge.messages import request
from ..edge.objects import CALLED, CIN_CALLED, NUISANCE, platform, settings
from .responding import KINDS, Bench
from .test_awaiting import IDENTITY, source

MAIL = b"sip:alice@vm.example"
DIVERTED = Told(VALID, lines=b"X-On: 1\r\n", diversion=b"Identity: new;ppt=div\r\n")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def wishing(**more: Any) -> Any:
    engine = {"default_treatment": "terminate", "use_contact": True, "divert_cert_name": "acme-1"}
    return settings("pcs", screening_engine=engine | more, web_settings={"default_cc": "1"})


def bench_of(kind: str, **more: Any) -> Bench:
    return Bench(kind, [*platform(), wishing(), source()], **more)


def to_mail(*lines: str, **more: Any) -> bytes:
    return request("INVITE", *lines, caller=f"<sip:{NUISANCE}@c.example>;tag=x", **more)


def test_a_signed_call_to_voice_mail_is_verified_and_then_its_diversion_signed(kind: str) -> None:
    bench, call = bench_of(kind), to_mail(IDENTITY)
    first = bench.give(call)
    assert (first.awaits, first.provider) == (VERIFY, "acme")
    second = bench.give(call, told=Told(VALID))
    assert (second.awaits, second.provider, second.called) == (DIVERT, "acme", CALLED)
    assert (second.answer, second.record, second.destination) == (None, None, None)
    assert second.place.startswith(MAIL + b";target="), second.place
    assert second.cert_name == "acme-1"
    assert (bench.counts.records_made, bench.counts.answered) == (0, {})
    done = bench.give(call, told=DIVERTED)
    assert (done.awaits, done.status, done.read.one("Identity")) == ("", 302, "new;ppt=div")
    assert "X-On" not in done.read.headers, "that is for calls that go on"
    assert done.made.verdict.treatment == "voicemail"
    again = bench.give(call, told=DIVERTED)
    assert (again.answer, again.record) == (done.answer, None)


@pytest.mark.parametrize("verdict", [NONE, INVALID, UNKNOWN])
def test_only_a_valid_call_awaits_that(kind: str, verdict: int) -> None:
    done = bench_of(kind).give(to_mail(IDENTITY), told=Told(verdict))
    assert (done.awaits, done.status) == ("", 302)


def test_a_diversion_that_could_not_be_signed_is_asked_for_once(kind: str) -> None:
    done = bench_of(kind).give(to_mail(IDENTITY), told=Told(VALID, diversion=b""))
    assert (done.awaits, done.status) == ("", 302)
    assert "Identity" not in done.read.headers


def test_what_came_without_a_signature_awaits_nothing(kind: str) -> None:
    assert bench_of(kind).give(to_mail()).status == 302
    assert bench_of(kind).give(to_mail(call_id="other"), told=Told(VALID)).status == 302


def test_nobody_is_asked_where_diversions_are_not_signed(kind: str) -> None:
    bench = Bench(kind)
    assert bench.give(to_mail(IDENTITY)).status == 302
    assert bench.give(to_mail(IDENTITY, call_id="other"), told=Told(VALID)).status == 302
    bench.change(wishing())
    assert bench.give(to_mail(IDENTITY, call_id="third")).awaits == VERIFY
    bench.change(wishing(divert_cert_name=""))
    assert bench.give(to_mail(IDENTITY, call_id="fourth")).status == 302


def test_who_goes_on_or_is_turned_away_is_not_diverted(kind: str) -> None:
    bench = bench_of(kind)
    on = bench.give(request("INVITE", IDENTITY), told=DIVERTED)
    assert (on.status, on.read.one("X-On")) == (302, "1")
    assert "Identity" not in on.read.headers
    away = request("INVITE", IDENTITY, caller="<sip:+15550009999@c.example>;tag=x", call_id="b")
    assert bench.give(away, told=DIVERTED).status == 603
    menu = request("INVITE", IDENTITY, uri=f"sip:{CIN_CALLED}@e.example", call_id="c")
    assert bench.give(menu).awaits == ""


def test_where_no_voice_mail_is_known_nothing_is_diverted(kind: str) -> None:
    bench = bench_of(kind)
    (alice,) = [each for each in platform() if each.name == "pcs/subscriber/acme/alice"]
    alice.subscriber.voicemail = ""
    bench.change(alice)
    assert bench.give(to_mail(IDENTITY), told=Told(VALID)).status == 603
