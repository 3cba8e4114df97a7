"""The trace in words."""

import pytest

from callscreen.core.commands.explain import OUTCOMES, RULES, explain, line
from callscreen.core.commands.screen import screen
from callscreen.core.errors import InvalidInput
from callscreen.v1.screening_pb2 import Call, Step

from .conftest import tenant
from .test_provisioning import RULE


async def test_a_line_a_step_and_the_verdict_last(owner, core, inside):
    await tenant(owner, "acme", "alice", "+15855550001")
    black = {**RULE, "match": "terminate", "priority": 2}
    await owner.create("pcs/screening_rule/acme", whitelist=RULE, blacklist=black)
    await owner.update("pcs/service_provider/acme", blacklist=["585555xxxx"])
    call = Call(called="5855550001", calling="+15855557777")
    verdict, lines = explain(core, inside.caller, call)
    assert verdict.treatment == "terminate"
    assert lines == [
        "A call from +15855557777 to +15855550001, which is acme/alice's.",
        "Whitelist: +15855557777 is not listed; the next rule decides.",
        "Blacklist: +15855557777 is listed as +1585555xxxx in the service provider's list; "
        "the call is turned away.",
        "Verdict: terminate: the call is turned away (blacklist).",
    ]
    assert len(lines) == len(verdict.trace) + 2


def test_a_word_that_is_new_is_shown_as_it_stands():
    assert line(Step(rule="{new}", outcome="{odd}", treatment="later")) == "{new}: {odd}; later."
    assert line(Step(rule="whitelist", input="{0}", outcome="match")) == "Whitelist: {0} is listed."


@pytest.mark.parametrize("outcome", sorted(OUTCOMES))
def test_every_sentence_is_whole(outcome):
    rule, _, word = outcome.rpartition(" ")
    for name in [rule] if rule else sorted(RULES):
        said = line(Step(rule=name, input="+1", entry="+x", scope="number", outcome=word))
        assert said.endswith(".")
        assert "{" not in said


@pytest.mark.parametrize("field", ["called", "calling", "source_ip"])
async def test_a_value_too_long_is_refused(core, inside, field):
    with pytest.raises(InvalidInput) as refused:
        screen(core, inside.caller, Call(**{field: "1" * 257}))
    assert refused.value.errors[0][:2] == (field, "too_long")


@pytest.mark.parametrize("text", ["", "alice", "+", "\0", "é" * 256, "1" * 256, "::1", "%s{}"])
async def test_what_is_no_number_is_screened_as_it_stands(core, inside, text):
    verdict = screen(core, inside.caller, Call(called=text, calling=text))
    assert verdict.treatment == "continue"


@pytest.mark.parametrize("text", ["alice", "+", "\0", "é" * 256, "1.2.3", "::1%0", "10.0.0.0/8"])
async def test_a_source_that_is_no_address_is_refused(core, inside, text):
    with pytest.raises(InvalidInput, match=r"^Call\(\): Field 'source_ip' must be an IPv4 or IPv6"):
        screen(core, inside.caller, Call(source_ip=text))


@pytest.mark.parametrize("text", ["", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"])
async def test_a_source_may_be_any_address_or_unknown(core, inside, text):
    assert screen(core, inside.caller, Call(source_ip=text)).treatment == "continue"


async def test_a_product_that_is_none_is_refused(core, inside):
    with pytest.raises(InvalidInput):
        screen(core, inside.caller, Call(product=9))
