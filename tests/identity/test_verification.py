"""Verdicts: what makes a call valid, and that nothing less does."""

import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.identity import verification
from callscreen.identity.model import (
    FAILED,
    NOT_VALIDATED,
    PASSED,
    Chain,
    Fault,
    Policy,
    Question,
    State,
    Verdict,
)
from callscreen.identity.stating import explain
from callscreen.identity.verification import judge, read

from .tokens import CLAIMS, KEY, NOW, ORIGID, PROTECTED, URL, token, value

ORIG, DEST, NEXT, LAST = "12155550121", "12155550131", "12155550141", "12155550151"
CHAIN = Chain(KEY.public_key(), "CN=SHAKEN 1234", spc=("1234",))
UNKNOWN = Fault("certificate", 436, NOT_VALIDATED, "the host does not answer", unknown=True)
OTHER_KEY = ec.derive_private_key(0xBAD, ec.SECP256R1())


def chain_of(url: str) -> Chain:
    if url != URL:
        raise UNKNOWN
    return CHAIN


ONE = value()  # every signature is another one: this is one token


def question(*identities: bytes, **more: Any) -> Question:
    given = {"orig": f"+{ORIG}", "dest": f"sip:+{DEST}@example.org", "call_id": b"one"} | more
    return Question(identities or (ONE,), **given)


def verdict_on(
    asked: Question, policy: Policy | None = None, now: float = NOW, **more: Any
) -> Verdict:
    return judge(
        asked, read(asked), more.pop("chain_of", chain_of), policy or Policy(), now, **more
    )


def of_ppt(ppt: str, claims: dict[str, Any], key: Any = KEY) -> bytes:
    return (
        value({**PROTECTED, "ppt": ppt}, claims, f";info=<{URL}>;ppt={ppt}")
        if key is KEY
        else (token({**PROTECTED, "ppt": ppt}, claims, key) + f";info=<{URL}>;ppt={ppt}").encode()
    )


def diversion(frm: str, to: str, iat: int = NOW, key: Any = KEY, **more: Any) -> bytes:
    claims = {"dest": {"tn": [to]}, "div": {"tn": frm}, "iat": iat, "orig": {"tn": ORIG}, **more}
    return of_ppt("div", claims, key)


def forged(claims: Any = CLAIMS) -> bytes:
    return f"{token(claims=claims, key=OTHER_KEY)};info=<{URL}>;ppt=shaken".encode()


def test_a_good_token_is_valid_and_says_who_calls() -> None:
    found = verdict_on(question())
    assert (found.state, found.verstat, found.code) == (State.VALID, PASSED, 0)
    assert (found.attest, found.origid, found.orig, found.dest) == ("A", ORIGID, ORIG, (DEST,))
    assert (found.spc, found.signer, found.x5u) == (("1234",), "CN=SHAKEN 1234", URL)
    assert found.failed == ()
    assert all(check.passed for check in found.checks)
    assert explain(found)[0] == "valid, verstat TN-Validation-Passed"


@pytest.mark.parametrize(
    "orig",
    [ORIG, f"sip:+{ORIG}@h;user=phone", f"tel:+{ORIG}", f"<sip:{ORIG};tgrp=x@h>", "(215) 555-0121"],
)
def test_the_caller_is_one_however_it_is_written(orig: str) -> None:
    assert verdict_on(question(orig=orig)).state is State.VALID


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"orig": "+12155550122"}, 438),
        ({"orig": "sip:alice@example.org"}, 438),
        ({"dest": "+12155550132"}, 438),
        ({"dest": "sip:bob@example.org"}, 438),
    ],
)
def test_another_caller_or_called_is_invalid(more: dict[str, str], code: int) -> None:
    found = verdict_on(question(**more))
    assert (found.state, found.code, found.verstat) == (State.INVALID, code, NOT_VALIDATED)
    assert verdict_on(question(**more), Policy(malformed_failed=True)).verstat == FAILED


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (0, State.VALID),
        (60, State.VALID),
        (-60, State.VALID),
        (61, State.INVALID),
        (-61, State.INVALID),
        (86_400, State.INVALID),
        (-86_400, State.INVALID),
    ],
)
def test_a_token_holds_for_a_minute_either_way(age: int, state: State) -> None:
    found = verdict_on(question(), now=NOW + age)
    assert found.state is state
    if state is State.INVALID:
        assert (found.code, found.reason, found.verstat) == (403, "Stale Date", NOT_VALIDATED)


def test_a_signature_of_another_key_fails() -> None:
    found = verdict_on(question(forged()))
    assert (found.state, found.code, found.verstat) == (State.INVALID, 438, FAILED)
    assert found.failed[0][:2] == (438, "Invalid Identity Header")


def test_without_its_certificate_nothing_is_told() -> None:
    def nobody(url: str) -> Chain:
        raise UNKNOWN

    found = verdict_on(question(), chain_of=nobody)
    assert (found.state, found.code, found.verstat) == (State.UNKNOWN, 436, NOT_VALIDATED)


def test_a_certificate_that_is_refused_is_invalid() -> None:
    def refused(url: str) -> Chain:
        raise Fault("certificate", 437, FAILED, "revoked")

    found = verdict_on(question(), chain_of=refused)
    assert (found.state, found.code, found.verstat) == (State.INVALID, 437, FAILED)


@pytest.mark.parametrize(
    "orig", ["", "sip:anonymous@anonymous.invalid", '"Anonymous" <sip:Anonymous@x>']
)
def test_a_caller_who_hides_is_neither_valid_nor_invalid(orig: str) -> None:
    found = verdict_on(question(orig=orig))
    assert (found.state, found.verstat) == (State.UNKNOWN, NOT_VALIDATED)
    assert verdict_on(question(forged(), orig=orig)).state is State.INVALID


# None, several, dates


def test_no_identity_is_none_or_asked_for() -> None:
    for nothing in (Question((), "+1", "+2"), question(value(behind=f";info=<{URL}>;ppt=msec"))):
        assert verdict_on(nothing).state is State.NONE
        asked = verdict_on(nothing, Policy(require_identity=True))
        assert (asked.state, asked.code, asked.reason) == (
            State.INVALID,
            428,
            "Use Identity Header",
        )


@pytest.mark.parametrize(
    "bad", [forged(), b"x", value(claims={**CLAIMS, "iat": 1}), value(claims={})]
)
def test_one_valid_token_wins(bad: bytes) -> None:
    for identities in ((bad, value()), (value(), bad), (bad + b", " + value(),)):
        assert verdict_on(question(*identities)).state is State.VALID
    assert verdict_on(question(bad, bad)).state is State.INVALID


def test_what_is_not_supported_is_ignored() -> None:
    strange = value({**PROTECTED, "ppt": "msec"}, behind=f";info=<{URL}>;ppt=msec")
    assert verdict_on(question(strange, value())).state is State.VALID
    assert verdict_on(question(strange, forged())).state is State.INVALID


def test_where_one_cannot_be_told_the_call_is_not_invalid() -> None:
    far = "https://elsewhere.example.org/x.pem"
    away = value({**PROTECTED, "x5u": far}, behind=f";info=<{far}>;ppt=shaken")
    assert verdict_on(question(forged(), away)).state is State.UNKNOWN
    assert verdict_on(question(value(), away)).state is State.VALID


@pytest.mark.parametrize(
    ("date", "good"),
    [
        ("Tue, 14 Nov 2023 22:13:20 GMT", True),
        ("Tue, 14 Nov 2023 22:15:20 GMT", False),
        ("", False),
        ("yesterday", False),
    ],
)
def test_a_date_counts_only_where_it_is_asked_for(date: str, good: bool) -> None:
    assert verdict_on(question(date=date)).state is State.VALID
    found = verdict_on(question(date=date), Policy(require_date=True))
    assert (found.state, found.code) == ((State.VALID, 0) if good else (State.INVALID, 403))


# Diversions


def test_a_diverted_call_is_valid_over_its_whole_chain() -> None:
    once = question(value(), diversion(DEST, NEXT), dest=f"+{DEST}", target=f"sip:+{NEXT}@h")
    assert verdict_on(once).state is State.VALID
    old = {**CLAIMS, "iat": NOW - 3_000}
    chain = (diversion(NEXT, LAST), value(claims=old), diversion(DEST, NEXT, NOW - 2_000))
    twice = question(*chain, dest=f"+{LAST}", target=f"+{LAST}")
    found = verdict_on(twice)
    assert (found.state, found.attest, found.dest) == (State.VALID, "A", (LAST,))


OLD = value(claims={**CLAIMS, "iat": NOW - 3_000})
BROKEN: dict[str, tuple[bytes, ...]] = {
    "no original": (diversion(DEST, LAST),),
    "a link is missing": (OLD, diversion(NEXT, LAST)),
    "goes elsewhere": (OLD, diversion(DEST, NEXT)),
    "the last is old": (OLD, diversion(DEST, LAST, NOW - 61)),
    "the last is forged": (OLD, diversion(DEST, LAST, key=OTHER_KEY)),
    "the original is forged": (forged({**CLAIMS, "iat": NOW - 3_000}), diversion(DEST, LAST)),
    "the original is too old": (
        value(claims={**CLAIMS, "iat": NOW - 3 * 3_600 - 1}),
        diversion(DEST, LAST),
    ),
    "another caller": (OLD, diversion(DEST, LAST, orig={"tn": "12155550999"})),
    "only the original, old": (OLD,),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_chain_that_is_broken_is_invalid(what: str) -> None:
    for target in (f"+{LAST}", ""):
        found = verdict_on(question(*BROKEN[what], dest=f"+{LAST}", target=target))
        assert found.state is State.INVALID, explain(found)


def test_diversions_that_go_round_cost_no_more_than_their_number() -> None:
    asked = []

    def counted(url: str) -> Chain:
        asked.append(url)
        return CHAIN

    rounds = [diversion(DEST, DEST, NOW - place) for place in range(9)]
    found = verdict_on(
        question(value(), *rounds, dest=f"+{LAST}", target=f"+{LAST}"), chain_of=counted
    )
    assert found.state is State.INVALID
    assert len(asked) == 10


# Beside


def test_priority_is_handed_on_only_where_it_is_verified() -> None:
    claims = {
        "dest": {"tn": [DEST]},
        "iat": NOW,
        "orig": {"tn": ORIG},
        "rph": {"auth": ["ets.0", "wps.0"]},
    }
    good, bad = of_ppt("rph", claims), of_ppt("rph", claims, OTHER_KEY)
    assert verdict_on(question(value(), good)).priority == ("ets.0", "wps.0")
    asked = question(value(), good, resource_priority=["ETS.0"])
    assert verdict_on(asked).priority == ("ets.0",)
    for broken in (bad, of_ppt("rph", {**claims, "rph": 1}), of_ppt("rph", {**claims, "iat": 1})):
        found = verdict_on(question(value(), broken))
        assert (found.state, found.priority, len(found.failed)) == (State.VALID, (), 1)
        alone = verdict_on(question(broken))
        assert (alone.state, alone.priority) == (State.NONE, ())
    assert verdict_on(question(good)).state is State.NONE


def test_what_is_shown_is_what_was_signed() -> None:
    card = {"nam": "Example", "apn": "+1", "icn": "https://example.org/i.png"}
    found = verdict_on(question(value(claims={**CLAIMS, "rcd": card, "crn": "delivery"})))
    assert found.display == {"nam": "Example", "apn": "+1", "crn": "delivery"}
    jcd = {"nam": "X", "jcd": ["vcard", []]}
    for digest, shown in ((None, True), ("sha256-" + "A" * 43, False)):
        more = {"rcd": jcd} | ({"rcdi": {"/jcd": digest}} if digest else {})
        assert ("jcd" in verdict_on(question(value(claims={**CLAIMS, **more}))).display) is shown
    assert verdict_on(question(forged({**CLAIMS, "rcd": card}))).display == {}


def test_who_diverts_a_call_or_stands_beside_renames_no_caller() -> None:
    """The card of the first that has one, and no mixture of two."""
    own, other = {"nam": "Own"}, {"nam": "Other", "apn": "+1"}
    signed = value(claims={**CLAIMS, "rcd": own})
    diverted = diversion(DEST, NEXT, rcd=other, crn="no")
    card = {"dest": {"tn": [DEST]}, "iat": NOW, "orig": {"tn": ORIG}, "rcd": other, "crn": "no"}
    beside = of_ppt("rcd", card)
    moved = {"dest": f"+{NEXT}", "target": f"+{NEXT}"}
    assert verdict_on(question(signed, diverted, **moved)).display == own
    assert verdict_on(question(value(), diverted, **moved)).display == other | {"crn": "no"}
    assert verdict_on(question(beside, signed)).display == own
    said = value(claims={**CLAIMS, "crn": "yes"})
    assert verdict_on(question(beside, said)).display == other | {"crn": "yes"}


# Anything


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_token_that_was_changed_is_never_valid(data: st.DataObject) -> None:
    good = value()
    place = data.draw(st.integers(0, good.index(b";") - 1))
    octet = data.draw(st.integers(1, 255))
    changed = good[:place] + bytes([good[place] ^ octet]) + good[place + 1 :]
    assert verdict_on(question(changed)).state is not State.VALID


@given(st.lists(st.binary(max_size=200), max_size=12), st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_there_is_a_verdict(values: list[bytes], orig: str, dest: str) -> None:
    found = verdict_on(Question(values, orig, dest))
    assert found.state in (State.NONE, State.INVALID)
    assert explain(found)


def test_a_time_beyond_all_years_can_be_told() -> None:
    found = verdict_on(question(value(claims={**CLAIMS, "iat": (1 << 40) - 1})))
    assert "after 1970" in "\n".join(explain(found))


def test_it_reads_no_clock() -> None:
    assert not hasattr(verification, "time")
    assert time.time() > NOW
