"""What is known of log-ins outlives a restart, and no attempt writes."""

import json

import grpc
import pytest

from callscreen.core import lockouts
from callscreen.core.limits import (
    LOCK_FORGET_SECONDS,
    LOCK_SECONDS,
    LOGINS,
    LOGINS_ADDRESS,
    LOGINS_USER,
)
from callscreen.core.lockouts import LoginsFile
from callscreen.core.logins import Logins

from .conftest import Clock, running
from .remote import log_in, refused

HOME, AWAY = "192.0.2.1", "198.51.100.7"
WHO = ("pcs", "jane\u00e9\udcff")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lockouts.json"


class Life:
    """One run of a core: its log-ins, its file and its clocks."""

    def __init__(self, path, clock, ticks):
        self.clock, self.ticks = Clock(), Clock()
        self.clock.now, self.ticks.now = clock, ticks
        self.logins = Logins()
        self.file = LoginsFile(path, self.logins, self.ticks, self.clock)
        self.file.load()

    def take(self, address, who=WHO):
        return self.logins.take(who, address, self.ticks.now)


async def test_all_kinds_of_lock_outs_and_homes_outlive_a_restart(path):
    first = Life(path, 1_000_000.0, 500.0)
    first.logins.succeeded(WHO, HOME, 500.0)
    for _ in range(LOGINS):
        first.take(AWAY)
    for number in range(LOGINS_ADDRESS):
        first.take("203.0.113.9", ("pcs", f"name {number}"))
    for number in range(LOGINS_USER):
        first.take(f"10.0.0.{number}")
    await first.file.keep()
    assert path.stat().st_mode & 0o077 == 0
    again = Life(path, 1_000_000.0 + LOCK_SECONDS - 1, 7.0)
    assert not again.take(AWAY, WHO)
    assert not again.take("203.0.113.9", ("pcs", "somebody"))
    assert not again.take("10.9.9.9")
    assert again.take(HOME)


@pytest.mark.parametrize(
    ("passed", "allowed"),
    [(-3600, False), (0, False), (LOCK_SECONDS - 1, False), (LOCK_SECONDS, 1)],
)
@pytest.mark.parametrize("ticks", [0.0, 1e9])
async def test_a_lock_out_goes_on_while_no_core_runs(path, passed, allowed, ticks):
    first = Life(path, 1_000_000.0, 500.0)
    for _ in range(LOGINS):
        first.take(HOME)
    await first.file.keep()
    again = Life(path, 1_000_000.0 + passed, ticks)
    assert again.take(HOME) == allowed
    assert again.take(AWAY)


@pytest.mark.parametrize(("passed", "locked"), [(0, True), (LOCK_FORGET_SECONDS + 1, False)])
async def test_failures_before_a_lock_out_count_on_until_they_are_forgotten(path, passed, locked):
    first = Life(path, 1_000_000.0, 500.0)
    for _ in range(LOGINS - 1):
        first.take(HOME)
    await first.file.keep()
    again = Life(path, 1_000_000.0 + passed, 0.0)
    again.take(HOME)
    assert again.take(HOME) is not locked


async def test_it_is_written_only_where_it_changed(path, monkeypatch):
    written = []
    monkeypatch.setattr(lockouts, "write_secret", lambda *given: written.append(given))
    life = Life(path, 1_000_000.0, 500.0)
    await life.file.keep()
    life.ticks.now += 60
    await life.file.keep()
    assert len(written) == 1
    life.take(HOME)
    life.take(HOME)
    await life.file.keep()
    assert len(written) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "\u00e9",
        "{}",
        '{"clock": 1, "ticks": 1, "logins": []}',
        '{"clock": "x", "ticks": 1, "logins": {}}',
        '{"clock": 1, "ticks": 1, "logins": {"pairs": [[["a", "b"], [Infinity, 0, 0]]],'
        ' "addresses": [], "users": [], "homes": []}}',
        '{"clock": 1, "ticks": 1, "logins": {"pairs": {}, "addresses": [], "users": [],'
        ' "homes": [1]}}',
    ],
)
async def test_a_file_that_is_none_is_forgotten(path, caplog, text):
    path.write_text(text)
    life = Life(path, 1_000_000.0, 0.0)
    assert caplog.text.count("lock-outs of log-ins are forgotten") == 1
    assert life.take(HOME)
    await life.file.keep()
    assert json.loads(path.read_text())["logins"]["pairs"]


async def test_a_disk_that_is_full_is_said_and_tried_again(path, caplog, monkeypatch):
    life = Life(path, 1_000_000.0, 0.0)
    with monkeypatch.context() as patched:

        def full(*_):
            raise OSError(28, "No space left on device")

        patched.setattr(lockouts, "write_secret", full)
        await life.file.keep()
    assert "lock-outs of log-ins are not kept: No space left on device" in caplog.text
    await life.file.keep()
    assert path.exists()


async def test_a_core_that_is_started_again_lets_nobody_guess_on(tmp_path):
    for attempts in (LOGINS, 1):
        async with running(tmp_path / "data") as server:
            errors = [await refused(log_in(server, password="wrong")) for _ in range(attempts)]
    assert errors[0].code() is grpc.StatusCode.RESOURCE_EXHAUSTED
