"""A certificate that is replaced under its URL, and tokens that are forged in its name."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from callscreen.identity import keeping
from callscreen.identity.fetching import Unfetched
from callscreen.identity.model import Policy, Question, State, Verdict

from .authority import Authority, Issued
from .test_identities import Place

DEAD = Unfetched("no connection", dead=True, kind="dead")


class Held(Place):
    """A service that holds the certificate of `leaf`, fetched ten seconds ago."""

    async def begin(self) -> "Held":
        self.web.answer = self.leaf.pem
        assert (await self.verify(self.question(b"0"))).state is State.VALID
        self.now += 10
        return self

    async def verify(self, question: Question, seconds: float = 20) -> Verdict:
        return await self.identities.verify(question, "", Policy(), seconds)

    def now_of(self, question: Question) -> Verdict | None:
        return self.identities.verify_now(question, "", Policy())

    def signed_by(self, leaf: Issued, call_id: bytes = b"2") -> Question:
        """A call of another certificate in the name of the same URL."""
        self.put(leaf)
        self.identities.keys.look()
        question = self.question(call_id)
        self.put(self.leaf)
        self.identities.keys.look()
        return question

    def forged(self, call_id: bytes = b"f") -> Question:
        return self.signed_by(Authority("Nobody").leaf("709J"), call_id)


@pytest.fixture
async def held(tmp_path: Path) -> Any:
    made = await Held(tmp_path).begin()
    yield made
    made.web.free.set()
    await made.identities.close()


def found(verdict: Verdict | None) -> tuple[State, int] | None:
    return (verdict.state, verdict.code) if verdict else None


async def test_one_that_was_replaced_shortly_after_it_was_fetched(held: Held) -> None:
    new = held.root.leaf("997E")
    held.web.answer = new.pem
    question = held.signed_by(new)
    assert held.now_of(question) is None
    verdict = await held.verify(question)
    assert (verdict.state, verdict.spc) == (State.VALID, ("997E",))
    assert held.web.asked == 2


async def test_one_that_was_replaced_and_cannot_be_had(held: Held) -> None:
    question = held.signed_by(held.root.leaf("997E"))
    held.web.answer = DEAD
    assert found(await held.verify(question)) == (State.UNKNOWN, 436)
    assert found(held.now_of(question)) == (State.UNKNOWN, 436)  # at once
    assert found(held.now_of(held.question(b"3"))) == (State.VALID, 0)
    assert held.web.asked == 2


async def test_what_is_forged_is_invalid_by_one_fetch_in_a_while(held: Held) -> None:
    assert found(await held.verify(held.forged())) == (State.INVALID, 438)
    for _ in range(3):
        assert found(held.now_of(held.forged())) == (State.INVALID, 438)
    held.now += keeping.DOUBT_SECONDS - 1
    assert found(held.now_of(held.forged())) == (State.INVALID, 438)
    assert held.web.asked == 2
    held.now += 1
    forged = [held.forged(b"%d" % each) for each in range(20)]
    verdicts = await asyncio.gather(*map(held.verify, forged))
    assert {found(each) for each in verdicts} == {(State.INVALID, 438)}
    assert held.web.asked == 3


async def test_good_calls_do_not_wait_for_the_fetch_that_a_forged_one_brings(held: Held) -> None:
    held.web.answer = None  # no answer comes
    forged = asyncio.ensure_future(held.verify(held.forged(), 0.02))
    for each in range(5):
        await asyncio.sleep(0)
        assert found(held.now_of(held.question(b"g%d" % each))) == (State.VALID, 0)
    assert held.web.asked == 2
    assert held.now_of(held.forged()) is None  # it waits too
    assert found(await forged) == (State.UNKNOWN, 436)
    assert found(held.now_of(held.question(b"h"))) == (State.VALID, 0)


async def test_what_no_certificate_can_mend_fetches_nothing(held: Held) -> None:
    question = held.question()
    for other in (question._replace(orig="+12155550199"), question._replace(dest="+12155550199")):
        assert found(held.now_of(other)) == (State.INVALID, 438)
    held.now += 400
    assert found(held.now_of(question)) == (State.INVALID, 403)
    assert held.web.asked == 1


@pytest.mark.parametrize(
    ("token", "expected"),
    [(Held.question, (State.INVALID, 437)), (Held.forged, (State.UNKNOWN, 436))],
)
async def test_a_certificate_that_is_refused_stays_so_for_tokens_that_it_made(
    held: Held, token: Callable[[Held], Question], expected: tuple[State, int]
) -> None:
    (held.keys.parent / "roots" / "pa.pem").write_bytes(Authority("Other").pem)
    await held.identities.refresh()
    held.web.answer = DEAD
    assert found(await held.verify(token(held))) == expected
    assert held.web.asked == 2


async def test_a_certificate_that_was_renewed_for_the_same_key(held: Held) -> None:
    held.leaf = held.put(held.root.leaf("709J", key=held.leaf.key, days=0.001))
    held.web.answer = held.leaf.pem
    held.now += keeping.KEEP_MOST
    assert (await held.verify(held.question())).code == 437  # it has ended
    held.now += 1
    new = held.root.leaf("709J", key=held.leaf.key)
    held.web.answer = new.pem
    assert found(await held.verify(held.signed_by(new))) == (State.VALID, 0)
