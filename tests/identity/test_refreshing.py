"""Keys, trust and certificates are refreshed for ever; what fails is told, and stops nothing."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from callscreen.identity import service
from callscreen.identity.beliefs import Beliefs
from callscreen.identity.fetching import Fetched

from .authority import Authority
from .test_identities import Place
from .test_keeping import Kept


class Panic(BaseException):
    """As a fault inside `cryptography` is raised: no Exception."""


@pytest.fixture
async def place(tmp_path: Path) -> Any:
    made = Place(tmp_path)
    yield made
    await made.identities.close()


def failing(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("error", [OSError("disk"), KeyError("x"), RuntimeError("y"), Panic("z")])
async def test_what_fails_is_told_once_and_refreshing_goes_on(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: BaseException,
) -> None:
    monkeypatch.setattr(service, "LOOK_SECONDS", 0.0)
    identities, turns = place.identities, 0

    async def refreshed() -> None:
        nonlocal turns
        turns += 1
        if turns == 5:
            monkeypatch.undo()

    monkeypatch.setattr(identities._keys, "look", failing(error))
    monkeypatch.setattr(identities._trusts, "refresh", failing(error))
    monkeypatch.setattr(identities._certificates, "refresh", refreshed)
    running = asyncio.ensure_future(identities.run())
    while turns < 4 and not running.done():  # noqa: ASYNC110
        await asyncio.sleep(0)
    shown = place.shown()
    assert [shown["refresh_failing", part] for part in ("keys", "trust", "certificates")] == [
        1,
        1,
        0,
    ]
    told = [record.message for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(told) == 2
    assert told[0].startswith("keys: not refreshed: ")
    assert not running.done()
    monkeypatch.setattr(service, "LOOK_SECONDS", 0.0)
    while place.shown()["refresh_failing", "keys"]:  # noqa: ASYNC110
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_roots_that_cannot_be_fetched_do_not_keep_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept(tmp_path)
    bad, good = "https://bad.example.org/a.pem", "https://good.example.org/a.pem"
    kept.web.answers |= dict.fromkeys((bad, good), Authority("Other").pem)
    await kept.trusts.want(bad)
    await kept.trusts.want(good)
    kept.clock.now += 3_600
    kept.web.asked.clear()
    kept.web.answers[bad] = RuntimeError("no fault that was thought of")
    await kept.trusts.refresh()
    assert kept.web.asked == [bad, good]
    assert kept.trusts.failing == 1
    kept.clock.now += 60
    kept.web.answers[bad] = Fetched(Authority("New").pem)
    await kept.trusts.refresh()
    assert kept.trusts.failing == 0


def test_a_file_that_cannot_be_taken_does_not_keep_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "crl").write_bytes(b"x")
    kept = Kept(tmp_path, crl=str(tmp_path / "crl"))
    monkeypatch.setattr(Beliefs, "_read_roots", failing(RuntimeError("not thought of")))
    (kept.folder / "pa.pem").write_bytes(Authority("Other").pem)
    (tmp_path / "crl").write_bytes(kept.root.crl())
    kept.trusts.look()
    assert kept.trusts.failing == 1
    assert kept.trusts.revocations is not None


async def test_a_path_that_cannot_be_judged_costs_no_other_call(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch that ends in an error of its own is told, and its URL is left alone."""
    kept = place.identities._certificates
    monkeypatch.setattr("callscreen.identity.keeping.read_path", failing(RuntimeError("strange")))
    place.web.answer = place.leaf.pem
    await kept.want(["https://cert.example.org/a.pem"], 5.0)
    assert kept.fetches["bad"] == 1
    assert not kept.lacks("https://cert.example.org/a.pem")
