"""The verdict on every token made by others: at its own time as the manifest says, stale today."""

import datetime
from typing import Any

import pytest

from callscreen.identity.model import Chain, Policy, Question, State, Verdict
from callscreen.identity.verification import judge, read

from .test_vectors_tokens import TOKENS, by_id, header_of, taken
from .vectors import ABSENT, public_key

pytestmark = ABSENT
TODAY = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC).timestamp()


def asked_of(vector: dict[str, Any]) -> tuple[Question, float]:
    """The call that a token says it is of, and when."""
    orig = dest = ""
    now = TODAY
    if vector["expect"]["accept_claims"]:
        claims = taken(vector).claims
        orig = "".join(claims["orig"].values())
        dest = next(iter(claims["dest"].values()))[0]
        now = float(claims["iat"])
    return Question((header_of(vector),), orig, dest), now


def verdict_on(vector: dict[str, Any], now: float | None = None) -> Verdict:
    question, then = asked_of(vector)
    key = public_key(vector["key"]) if vector.get("key") else None

    def chain_of(url: str) -> Chain:
        assert key is not None
        return Chain(key, "of the vectors", spc=("1234",))

    return judge(question, read(question), chain_of, Policy(), then if now is None else now)


@pytest.mark.parametrize("vector", by_id(TOKENS))
def test_a_token_has_its_verdict_in_its_time(vector: dict[str, Any]) -> None:
    expect = vector["expect"]
    found = verdict_on(vector)
    ppt = taken(vector).ppt if expect["accept_claims"] else ""
    if not expect["accept_claims"] or not expect["signature_valid"]:
        assert found.state is not State.VALID
    elif ppt in ("", "shaken"):
        assert found.state is State.VALID
    else:  # what stands beside a token that says who calls says nothing by itself
        assert found.state is (State.INVALID if ppt == "div" else State.NONE)


@pytest.mark.parametrize("vector", by_id(TOKENS))
def test_every_token_is_stale_today(vector: dict[str, Any]) -> None:
    found = verdict_on(vector, TODAY)
    assert found.state is not State.VALID
    if vector["expect"]["accept_claims"] and taken(vector).ppt in ("", "shaken"):
        assert (found.state, found.code) == (State.INVALID, 403)
