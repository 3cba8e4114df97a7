"""Lock-outs: who guesses waits, and who knows is not kept out by others."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.core.commands.authenticate import authenticate
from callscreen.core.commands.redeem import redeem
from callscreen.core.commands.reset import reset
from callscreen.core.errors import TooMuch, Unauthenticated
from callscreen.core.limits import (
    HOMES_EACH,
    HOMES_SECONDS,
    LOCK_FORGET_SECONDS,
    LOCK_SECONDS,
    LOCK_SECONDS_MAX,
    LOGIN_NAMES,
    LOGINS,
    LOGINS_ADDRESS,
    LOGINS_USER,
)
from callscreen.core.logins import Lockouts, Logins, network_of
from callscreen.core.origin import Origin, origin

from .conftest import PASSWORD, Clock

HOME, AWAY = "192.0.2.1", "198.51.100.7"
WHO = ("pcs", "jane")


def fail(logins, address, now=0.0, who=WHO, times=1):
    return [logins.take(who, address, now) for _ in range(times)]


def test_a_user_name_is_locked_out_at_the_address_where_it_fails():
    logins = Logins()
    assert fail(logins, HOME, times=LOGINS + 2) == [True] * LOGINS + [False] * 2
    assert fail(logins, AWAY) == [True]
    assert fail(logins, HOME, who=("pcs", "joe")) == [True]
    assert fail(logins, HOME, who=("cin", "jane")) == [True]


def test_each_failure_after_a_lock_out_doubles_it_up_to_the_longest():
    logins, now, waits = Logins(), 0.0, []
    fail(logins, HOME, now, times=LOGINS)
    for _ in range(8):
        begun = now
        while not logins.take(WHO, HOME, now):
            now += LOCK_SECONDS / 2
        waits.append(now - begun)
    assert waits[:4] == [LOCK_SECONDS * factor for factor in (1, 2, 4, 8)]
    assert waits[-1] == max(waits) == LOCK_SECONDS_MAX


def test_an_attempt_during_a_lock_out_does_not_lengthen_it():
    logins = Logins()
    fail(logins, HOME, times=LOGINS)
    assert not any(fail(logins, HOME, LOCK_SECONDS - 1, times=50))
    assert fail(logins, HOME, LOCK_SECONDS) == [True]


def test_failures_are_forgotten_some_time_after_the_lock_out():
    logins = Logins()
    fail(logins, HOME, times=LOGINS)
    later = LOCK_SECONDS + LOCK_FORGET_SECONDS + 1
    assert fail(logins, HOME, later, times=LOGINS + 1) == [True] * LOGINS + [False]


def test_an_address_is_locked_out_whatever_the_user_names():
    logins = Logins()
    for number in range(LOGINS_ADDRESS):
        assert logins.take(("pcs", f"u{number}"), AWAY, 0.0)
    assert not logins.take(("pcs", "another"), AWAY, 0.0)
    assert logins.take(("pcs", "another"), HOME, 0.0)


def test_a_user_name_is_locked_out_at_all_addresses_but_its_homes():
    logins = Logins()
    assert logins.take(WHO, HOME, 0.0)
    logins.succeeded(WHO, HOME, 0.0)
    for number in range(LOGINS_USER):
        assert logins.take(WHO, f"198.51.{number}.1", 1.0)
    assert not logins.take(WHO, "203.0.113.1", 1.0)
    assert logins.take(WHO, HOME, 1.0)
    logins.welcome(WHO, "203.0.113.1", 1.0)
    assert logins.take(WHO, "203.0.113.1", 1.0)


def test_a_stranger_cannot_keep_a_user_out_of_where_it_logs_in():
    """Whatever strangers do elsewhere, for however long."""
    logins = Logins()
    logins.take(WHO, HOME, 0.0)
    logins.succeeded(WHO, HOME, 0.0)
    for now in range(0, 7200, 60):
        for number in range(30):
            logins.take(WHO, f"198.51.100.{number}", float(now))
        assert logins.take(WHO, HOME, float(now))
        logins.succeeded(WHO, HOME, float(now))


def test_a_home_is_no_longer_one_after_its_time_or_beyond_the_last_few():
    for crowd, later in ((0, HOMES_SECONDS + 1), (HOMES_EACH, 1.0)):
        logins = Logins()
        for address in (HOME, *(f"203.0.113.{number}" for number in range(crowd))):
            logins.take(WHO, address, 0.0)
            logins.succeeded(WHO, address, 0.0)
        for number in range(LOGINS_USER):
            logins.take(WHO, f"198.51.{number}.1", later)
        assert not logins.take(WHO, HOME, later)


def test_success_at_one_s_own_name_does_not_let_an_address_guess_on():
    logins = Logins()
    tried = 0
    for number in range(10 * LOGINS_ADDRESS):
        tried += logins.take(("pcs", f"u{number}"), AWAY, 0.0)
        if logins.take(("pcs", "own"), AWAY, 0.0):
            logins.succeeded(("pcs", "own"), AWAY, 0.0)
    assert tried == LOGINS_ADDRESS


def test_what_is_remembered_is_bounded():
    lockouts = Lockouts(2, names=3)
    for name in "abcd":
        lockouts.take(name, 0.0)
    assert len(lockouts) == 3
    logins = Logins()
    for number in range(LOGIN_NAMES + 10):
        who = ("pcs", f"u{number}")
        logins.take(who, HOME, 0.0)
        logins.succeeded(who, HOME, 0.0)
    assert len(logins._homes) == LOGIN_NAMES


@given(st.lists(st.tuples(st.sampled_from("tgc"), st.floats(0, 5000)), max_size=60))
@settings(max_examples=100, deadline=None)
def test_a_lock_out_is_never_longer_than_the_longest(steps):
    lockouts, now = Lockouts(3), 0.0
    for what, pause in steps:
        now += pause
        if what == "t" and not lockouts.locked("a", now):
            lockouts.take("a", now)
        elif what == "g":
            lockouts.give("a")
        elif what == "c":
            lockouts.clear("a")
            assert not lockouts.locked("a", now)
        assert not lockouts.locked("a", now + LOCK_SECONDS_MAX)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_an_ipv6_address_is_counted_by_its_network(address, network):
    assert network_of(address) == network


@pytest.fixture
def ticks():
    return Clock()


@pytest.fixture
def timed(core, ticks):
    return dataclasses.replace(core, ticks=ticks)


async def attempt(core, address, password="wrong", username="pcs_administrator"):
    with origin(Origin(source_ip=address)):
        return await authenticate(core, "pcs", username, password)


async def test_the_right_password_passes_at_home_while_a_stranger_is_locked_out(timed, ticks):
    await attempt(timed, HOME, PASSWORD)
    for _ in range(LOGINS):
        with pytest.raises(Unauthenticated):
            await attempt(timed, AWAY)
    with pytest.raises(TooMuch):
        await attempt(timed, AWAY, PASSWORD)
    await attempt(timed, HOME, PASSWORD)
    ticks.now += LOCK_SECONDS
    await attempt(timed, AWAY, PASSWORD)
    for _ in range(LOGINS):
        with pytest.raises(Unauthenticated):
            await attempt(timed, AWAY)


async def test_known_and_unknown_users_are_locked_out_alike(timed):
    for username in ("pcs_administrator", "nobody"):
        for _ in range(LOGINS):
            with pytest.raises(Unauthenticated):
                await attempt(timed, AWAY, username=username)
        with pytest.raises(TooMuch):
            await attempt(timed, AWAY, username=username)


async def test_a_new_password_ends_the_lock_out_where_it_was_chosen(timed, owner):
    name = "pcs/administrator/platform_owner/pcs_administrator"
    for address in (HOME, AWAY):
        for _ in range(LOGINS):
            with pytest.raises(Unauthenticated):
                await attempt(timed, address)
    issued = await reset(timed, owner.caller, name)
    with origin(Origin(source_ip=HOME)):
        await redeem(timed, "pcs", issued.token, "long enough")
    await attempt(timed, HOME, "long enough")
    with pytest.raises(TooMuch):
        await attempt(timed, AWAY, "long enough")
