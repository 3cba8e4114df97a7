"""Diversions that bring the token along that came before them (`div-o`, RFC 8946 section 5)."""

from collections.abc import Sequence
from typing import Any

import pytest

from callscreen.identity.header import VALUES_MOST
from callscreen.identity.model import FAILED, NOT_VALIDATED, Fault, Policy, State, Verdict
from callscreen.identity.replay import Replays
from callscreen.identity.verification import read

from .test_verification import (
    CHAIN,
    DEST,
    LAST,
    NEXT,
    ORIG,
    OTHER_KEY,
    diversion,
    of_ppt,
    question,
    verdict_on,
)
from .tokens import CLAIMS, KEY, NOW, PROTECTED, URL, token, value

OLD = {**CLAIMS, "iat": NOW - 3_000}


def token_of(identity: bytes) -> str:
    return identity.partition(b";")[0].decode()


def nested(inner: bytes | str, frm: str, to: str, **more: Any) -> bytes:
    """A div-o around the token of an Identity value."""
    key = more.pop("key", KEY)
    opt = token_of(inner) if isinstance(inner, bytes) else inner
    claims = {
        "dest": {"tn": [to]},
        "div": {"tn": frm},
        "iat": NOW,
        "opt": opt,
        "orig": {"tn": ORIG},
        **more,
    }
    return of_ppt("div-o", claims, key)


def called(number: str, *identities: bytes, **more: Any) -> Verdict:
    asked = question(*identities, dest=f"+{number}", target=f"sip:+{number}@h.example")
    return verdict_on(asked, **more)


ONCE = nested(value(claims=OLD), DEST, NEXT)
TWICE = nested(nested(value(claims=OLD), DEST, NEXT, iat=NOW - 2_000), NEXT, LAST)


def test_it_is_valid_by_what_it_holds() -> None:
    found = called(NEXT, ONCE)
    assert (found.state, found.attest, found.orig, found.dest) == (State.VALID, "A", ORIG, (NEXT,))
    assert (found.ppt, found.iat) == ("shaken", NOW - 3_000)
    assert called(LAST, TWICE).state is State.VALID


def test_it_goes_with_others() -> None:
    """A div behind it, one before it, and the original beside it."""
    assert called(LAST, ONCE, diversion(NEXT, LAST)).state is State.VALID
    original, first = value(claims=OLD), diversion(DEST, NEXT, NOW - 2_000)
    assert called(LAST, original, first, nested(original, NEXT, LAST)).state is State.VALID
    assert called(NEXT, original, ONCE).state is State.VALID
    assert called(NEXT, of_ppt("msec", CLAIMS), ONCE).state is State.VALID


FORGED = token(claims=OLD, key=OTHER_KEY)
BAD: dict[str, tuple[bytes, int, str]] = {
    "forged": (nested(value(claims=OLD), DEST, NEXT, key=OTHER_KEY), 438, FAILED),
    "what it holds is forged": (nested(FORGED, DEST, NEXT), 438, FAILED),
    "what it holds is too old": (
        nested(value(claims={**CLAIMS, "iat": NOW - 3 * 3_600 - 1}), DEST, NEXT),
        403,
        NOT_VALIDATED,
    ),
    "it is old": (nested(value(claims=OLD), DEST, NEXT, iat=NOW - 61), 438, NOT_VALIDATED),
    "it does not follow": (nested(value(claims=OLD), LAST, NEXT), 438, NOT_VALIDATED),
    "of another caller": (
        nested(value(claims=OLD), DEST, NEXT, orig={"tn": "12155550999"}),
        438,
        NOT_VALIDATED,
    ),
    "to another": (nested(value(claims=OLD), DEST, LAST), 438, NOT_VALIDATED),
    "what it holds lacks claims": (nested(value(claims={}), DEST, NEXT), 438, NOT_VALIDATED),
    "what it holds is no token": (nested("a.b.c", DEST, NEXT), 438, NOT_VALIDATED),
    "it holds nothing": (nested("", DEST, NEXT), 438, NOT_VALIDATED),
    "it holds a header": (nested(value().decode(), DEST, NEXT), 438, NOT_VALIDATED),
    "it holds blanks": (nested(f" {token(claims=OLD)}", DEST, NEXT), 438, NOT_VALIDATED),
    "compact": (nested(".." + token().rpartition(".")[2], DEST, NEXT), 438, NOT_VALIDATED),
    "of a div": (nested(diversion(DEST, NEXT), NEXT, NEXT), 438, NOT_VALIDATED),
    "of an rph": (
        nested(of_ppt("rph", {**CLAIMS, "rph": {"auth": ["ets.0"]}}), DEST, NEXT),
        438,
        NOT_VALIDATED,
    ),
    "of an unknown kind": (nested(of_ppt("msec", CLAIMS), DEST, NEXT), 438, NOT_VALIDATED),
    "of an unknown algorithm": (
        nested(token({**PROTECTED, "alg": "RS256"}), DEST, NEXT),
        437,
        NOT_VALIDATED,
    ),
    "of a bad URL": (
        nested(token({**PROTECTED, "x5u": "http://a.example/c"}), DEST, NEXT),
        436,
        NOT_VALIDATED,
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_with_either_is_wrong_with_both(what: str) -> None:
    """And is told once, of the header that came."""
    identity, code, verstat = BAD[what]
    found = called(NEXT, identity)
    assert (found.state, found.code, found.verstat) == (State.INVALID, code, verstat)
    assert [each for _, _, each in found.failed] == [token_of(identity).encode()]
    assert called(NEXT, identity, ONCE).state is State.VALID


def test_the_certificate_of_what_it_holds_counts_too() -> None:
    far = "https://elsewhere.example.org/x.pem"
    inner = token({**PROTECTED, "x5u": far}, OLD)
    identity = nested(inner, DEST, NEXT)
    assert read(question(identity)).x5us == (far, URL)

    def away(url: str) -> Any:
        if url == far:
            raise Fault("certificate", 436, NOT_VALIDATED, "away", unknown=True)
        return CHAIN

    assert called(NEXT, identity, chain_of=away).state is State.UNKNOWN


def test_there_are_no_more_tokens_than_headers_may_be() -> None:
    """However they are wrapped: each costs a signature to verify, and a certificate to fetch."""
    inner = value(claims=OLD)
    deep = inner
    for _ in range(4):
        deep = nested(deep, DEST, DEST, iat=NOW - 2_000)
    assert len(deep) < 8_192

    def count(identities: Sequence[bytes]) -> tuple[int, int]:
        reading = read(question(*identities))
        return len(reading.callers) + len(reading.diversions), len(reading.faults)

    assert count([deep]) == (5, 0)
    assert count([deep, deep]) == (VALUES_MOST, 0)
    assert count([deep, deep, deep]) == (VALUES_MOST, 1)
    assert count([deep, inner, inner, inner, inner, inner, inner]) == (VALUES_MOST, 1)


def test_one_that_comes_with_another_call_is_told() -> None:
    replays = Replays(10)
    asked = question(ONCE, dest=f"+{NEXT}", target=f"+{NEXT}")
    assert verdict_on(asked, replays=replays).state is State.VALID
    other = asked._replace(call_id=b"two")
    assert verdict_on(other, replays=replays).replayed
    assert verdict_on(other, Policy(replayed_invalid=False), replays=replays).replayed
