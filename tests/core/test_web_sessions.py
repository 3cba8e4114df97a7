"""Tokens of web sessions, beside those of the API."""

import pytest

from callscreen.core.commands.authenticate import authenticate
from callscreen.core.commands.revoke import revoke
from callscreen.core.commands.set_password import set_password
from callscreen.core.errors import Unauthenticated
from callscreen.core.limits import TOKENS_EACH
from callscreen.core.private import Credential

DAY = 24 * 3600
JANE = "pcs/administrator/platform_owner/jane"


@pytest.fixture
async def jane(owner, core):
    """Jane has a password."""
    await owner.create("pcs/administrator/platform_owner", username="jane")
    await set_password(core, owner.caller, JANE, "long enough")


@pytest.fixture
def web(core, jane):
    """Jane logs in for a web session: both tokens."""

    async def log_in():
        return await authenticate(core, "pcs", "jane", "long enough", session=True)

    return log_in


async def test_a_web_session_lives_for_two_weeks(core, web, clock):
    login = await web()
    assert (login.expiry, login.session_expiry) == (clock.now + DAY, clock.now + 14 * DAY)
    assert login.token != login.session
    assert not (await authenticate(core, "pcs", "jane", "long enough")).session
    clock.now += 14 * DAY - 1
    assert core.sessions.check(login.session).username == "jane"
    with pytest.raises(Unauthenticated):
        core.sessions.check(login.token)
    clock.now += 1
    with pytest.raises(Unauthenticated):
        core.sessions.check(login.session)


async def test_web_sessions_are_counted_apart(core, web):
    first = await web()
    for _ in range(TOKENS_EACH):
        await authenticate(core, "pcs", "jane", "long enough")
    with pytest.raises(Unauthenticated):
        core.sessions.check(first.token)
    assert core.sessions.check(first.session)
    logins = [await web() for _ in range(TOKENS_EACH)]
    with pytest.raises(Unauthenticated):
        core.sessions.check(first.session)
    assert core.sessions.check(logins[0].session)


@pytest.mark.parametrize("ended", ["token", "session"])
async def test_a_log_out_ends_the_token_that_is_shown(core, web, ended):
    login = await web()
    other = ({"token", "session"} - {ended}).pop()
    await revoke(core, core.sessions.check(getattr(login, ended)))
    with pytest.raises(Unauthenticated):
        core.sessions.check(getattr(login, ended))
    assert core.sessions.check(getattr(login, other))


async def test_a_new_password_and_a_removal_end_web_sessions_too(core, web, owner):
    login = await web()
    await set_password(core, owner.caller, JANE, "long enough")
    with pytest.raises(Unauthenticated):
        core.sessions.check(login.session)
    login = await web()
    await owner.delete(JANE)
    with pytest.raises(Unauthenticated):
        core.sessions.check(login.session)


def test_a_credential_of_before_there_were_web_sessions_is_read():
    old = b'{"password":"x","tokens":[["ab",5.0]]}'
    assert Credential.decode(old) == Credential("x", (("ab", 5.0),), ())
    new = Credential("x", (("ab", 5.0),), (("cd", 6.0),))
    assert Credential.decode(new.encode()) == new
