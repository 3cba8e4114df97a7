"""Signing and verifying as an edge and the core do: at once, within a budget, or not told."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from callscreen.identity.fetching import OCTETS_MOST, Fetched, Unfetched
from callscreen.identity.model import Policy, Question, SignRequest, State
from callscreen.identity.service import FAMILIES, Identities, IdentityConfig, NoSignature

from .authority import SECONDS, Authority, Issued

URL = "https://cert.example.org/a.pem"
REQUEST = SignRequest("acme", "A", "12155550121", ["12155550131"])


class Web:
    """Stands for the fetcher: no answer at all until there is one."""

    def __init__(self) -> None:
        self.answer: bytes | Unfetched | None = None
        self.asked = 0
        self.free = asyncio.Event()

    async def get(self, url: str, most: int = OCTETS_MOST) -> Fetched:
        self.asked += 1
        if self.answer is None:
            await self.free.wait()
        if isinstance(self.answer, Unfetched):
            raise self.answer
        assert self.answer is not None
        return Fetched(self.answer)

    async def close(self) -> None:
        """Nothing is held."""


class Place:
    """Keys, a root and the service over them."""

    def __init__(self, tmp_path: Path) -> None:
        self.now, self.web, self.root = SECONDS, Web(), Authority("Root")
        self.keys, roots = tmp_path / "keys", tmp_path / "roots"
        self.keys.mkdir()
        roots.mkdir()
        (roots / "pa.pem").write_bytes(self.root.pem)
        self.leaf = self.put(self.root.leaf("709J"))
        config = IdentityConfig(keys=str(self.keys), roots=str(roots), cache=str(tmp_path / "c"))
        self.identities = Identities(config, clock=lambda: self.now)
        web: Any = self.web
        self.identities._fetcher = web
        other: Any = Web()  # what is asked for our own certificates is not counted
        self.identities._published._fetcher = other
        self.identities._certificates._fetcher = web
        self.identities._trusts._fetcher = web

    def put(self, leaf: Issued) -> Issued:
        (self.keys / "acme.pem").write_bytes(leaf.pem)
        (self.keys / "acme.url").write_text(URL)
        (self.keys / "acme.key").write_bytes(leaf.key_pem)
        (self.keys / "acme.key").chmod(0o600)
        return leaf

    def question(self, call_id: bytes = b"1") -> Question:
        value = self.identities.sign(REQUEST).value.encode()
        return Question([value], "+12155550121", "+12155550131", call_id=call_id, from_tag=b"t")

    def shown(self) -> dict[tuple[str, ...], float]:
        found: dict[tuple[str, ...], float] = {}
        names = {family[0]: family for family in FAMILIES}

        def add(name: str, value: float, *labels: str) -> None:
            assert len(labels) == len(names[name][3])
            found[name.removeprefix("callscreen_identity_").removesuffix("_total"), *labels] = value

        self.identities.show(add)
        return found


@pytest.fixture
async def place(tmp_path: Path) -> Any:
    made = Place(tmp_path)
    yield made
    await made.identities.close()


async def test_what_is_signed_is_verified(place: Place) -> None:
    question = place.question()
    assert place.identities.verify_now(question, "", Policy()) is None
    place.web.answer = place.leaf.pem
    verdict = await place.identities.verify(question, "", Policy(), 5.0)
    assert (verdict.state, verdict.spc) == (State.VALID, ("709J",))
    again = place.identities.verify_now(place.question(b"2"), "pa", Policy())
    assert again is not None
    assert again.state is State.VALID
    assert place.web.asked == 1
    shown = place.shown()
    assert shown["verdicts", "valid", "0"] == 2
    assert shown["valid_hosts", "cert.example.org"] == 2
    assert shown["signatures", "acme"] == 2
    assert shown["fetches", "good"] == 1
    assert shown["cached",] == 1
    assert shown["certificate_expiry_seconds", "acme"] > 0


async def test_a_host_that_never_answers_holds_nobody_beyond_the_budget(place: Place) -> None:
    question = place.question()
    verdicts = await asyncio.gather(
        *(place.identities.verify(question, "", Policy(), 0.02) for _ in range(50))
    )
    assert {(each.state, each.code) for each in verdicts} == {(State.UNKNOWN, 436)}
    assert place.web.asked == 1
    place.web.answer = place.leaf.pem  # the fetch went on
    place.web.free.set()
    verdict = await place.identities.verify(question, "", Policy(), 5.0)
    assert verdict.state is State.VALID
    assert place.web.asked == 1


async def test_a_dead_host_is_told_at_once_while_it_is_left_alone(place: Place) -> None:
    place.web.answer = Unfetched("no connection", dead=True, kind="dead")
    question = place.question()
    verdict = await place.identities.verify(question, "", Policy(), 5.0)
    assert (verdict.state, verdict.code) == (State.UNKNOWN, 436)
    at_once = place.identities.verify_now(question, "", Policy())
    assert at_once is not None
    assert (at_once.state, at_once.code) == (State.UNKNOWN, 436)
    assert place.shown()["fetches", "dead"] == 1


async def test_a_certificate_that_was_replaced_under_its_url(place: Place) -> None:
    place.web.answer = place.leaf.pem
    await place.identities.verify(place.question(), "", Policy(), 5.0)
    place.now += 600
    place.web.answer = place.put(place.root.leaf("997E")).pem
    await place.identities.refresh()
    question = place.question(b"2")
    assert place.identities.verify_now(question, "", Policy()) is None
    verdict = await place.identities.verify(question, "", Policy(), 5.0)
    assert (verdict.state, verdict.spc) == (State.VALID, ("997E",))


async def test_threads_verify_while_trust_is_exchanged(place: Place) -> None:
    place.web.answer = place.leaf.pem
    question = place.question()
    await place.identities.verify(question, "", Policy(), 5.0)
    states: set[State | None] = set()

    def work() -> None:
        for _ in range(100):
            found = place.identities.verify_now(question, "", Policy())
            states.add(found.state if found else None)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        place.identities._trusts._beliefs.put("roots", "https://a.test", place.root.pem)
    for thread in threads:
        thread.join()
    assert states == {State.VALID}
    assert place.shown()["verdicts", "valid", "0"] == 201


async def test_no_signature_without_a_certificate(place: Place) -> None:
    with pytest.raises(NoSignature):
        place.identities.sign(SignRequest("other", "A", "12155550121", ["12155550131"]))
    with pytest.raises(NoSignature):
        place.identities.sign(SignRequest("acme", "N", "12155550121", ["12155550131"]))
    assert place.shown()["unsigned",] == 2


async def test_it_runs_until_it_is_cancelled(place: Place) -> None:
    running = asyncio.ensure_future(place.identities.run())
    await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_the_wait_ends_before_its_budget_does(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes behind the wait, the judgement and the answer, has its part of the budget."""
    loop, given, now = asyncio.get_running_loop(), [], [1_000.0]
    waited, at_once = asyncio.wait, place.identities._at_once

    async def wait(tasks: Any, timeout: float) -> Any:  # noqa: ASYNC109
        given.append(timeout)
        return await waited(tasks, timeout=0)

    def slow(*asked: Any) -> Any:
        now[0] += 0.05  # what was spent before is no part of the wait
        return at_once(*asked)

    question = place.question()
    monkeypatch.setattr(asyncio, "wait", wait)
    monkeypatch.setattr(loop, "time", lambda: now[0])
    monkeypatch.setattr(place.identities, "_at_once", slow)
    await place.identities.verify(question, "", Policy(), 0.3)
    monkeypatch.undo()
    assert [round(each, 3) for each in given[:1]] == [0.24]
