"""Passwords and tokens."""

import asyncio

import pytest

from callscreen.core.buckets import Buckets
from callscreen.core.commands.authenticate import authenticate
from callscreen.core.commands.revoke import revoke
from callscreen.core.commands.set_password import set_password
from callscreen.core.errors import (
    InvalidInput,
    NotFound,
    PermissionDenied,
    TooMuch,
    Unauthenticated,
)
from callscreen.core.limits import HASHES_WAITING, LOGINS, TOKENS_EACH
from callscreen.core.private import token_key
from callscreen.core.store.contract import Batch, PrivateDelete
from callscreen.schema import Invalid

from .conftest import PASSWORD

DAY = 24 * 3600
SENTENCE = "The username and password provided were not correct."
JANE = "pcs/administrator/platform_owner/jane"


@pytest.fixture
async def jane(owner, core):
    """An administrator with a password: logs in."""
    await owner.create("pcs/administrator/platform_owner", username="jane")
    await set_password(core, owner.caller, JANE, "long enough")

    async def log_in():
        return (await authenticate(core, "pcs", "Jane", "long enough")).token

    return log_in


async def test_the_first_administrators_are_there(core):
    for product in ("pcs", "cin"):
        login = await authenticate(core, product, f"{product}_administrator", PASSWORD)
        caller = core.sessions.check(login.token)
        assert (caller.product, caller.role_id) == (product, "platform_owner")


@pytest.mark.parametrize(
    ("product", "username", "password"),
    [
        ("pcs", "pcs_administrator", "wrong"),
        ("pcs", "pcs_administrator", ""),
        ("pcs", "nobody", PASSWORD),
        ("cin", "pcs_administrator", PASSWORD),
        ("", "pcs_administrator", PASSWORD),
        ("pcs", "", ""),
        ("pcs", "x" * 10_000, "x"),
        ("pcs", "pcs_administrator", "x" * 10_000),
        ("pcs", "a\0b", "x"),
    ],
)
async def test_every_failure_answers_alike(core, product, username, password):
    with pytest.raises(Unauthenticated) as refused:
        await authenticate(core, product, username, password)
    assert str(refused.value) == SENTENCE


async def test_an_administrator_without_a_password_answers_the_same(owner, core):
    await owner.create("pcs/administrator/platform_owner", username="jane")
    with pytest.raises(Unauthenticated) as refused:
        await authenticate(core, "pcs", "jane", "no password")
    assert str(refused.value) == SENTENCE


async def test_an_unknown_user_costs_a_hash_too(core, monkeypatch):
    tried = []
    verify = core.passwords._verify
    monkeypatch.setattr(
        core.passwords, "_verify", lambda *given: tried.append(given) or verify(*given)
    )
    for username in ("pcs_administrator", "nobody"):
        with pytest.raises(Unauthenticated):
            await authenticate(core, "pcs", username, "wrong")
    assert len(tried) == 2


async def test_a_token_lives_for_a_day(core, jane, clock):
    token = await jane()
    clock.now += DAY - 1
    assert core.sessions.check(token).username == "jane"
    clock.now += 1
    with pytest.raises(Unauthenticated):
        core.sessions.check(token)


async def test_what_is_no_token_is_nobody_s(core, jane):
    token = await jane()
    for wrong in ("", token[:-1], token + "x", "x" * 10_000, "\udcff", "service\n"):
        with pytest.raises(Unauthenticated):
            core.sessions.check(wrong)
    assert core.sessions.check("service").role == "service"


async def test_nothing_kept_gives_a_password_or_a_token_back(core, jane):
    token = await jane()
    with core.store.read() as reader:
        kept = b"".join(key + value for key, value in reader.scan_private())
    kept += b"".join(record for _, record in core.store.tail(0))
    assert token.encode() not in kept
    assert b"long enough" not in kept


async def test_a_revoked_token_is_void_and_the_others_live(core, jane):
    first, second = await jane(), await jane()
    await revoke(core, core.sessions.check(first))
    with pytest.raises(Unauthenticated):
        core.sessions.check(first)
    assert core.sessions.check(second).username == "jane"


async def test_the_service_token_cannot_be_revoked(core, inside):
    with pytest.raises(PermissionDenied):
        await revoke(core, inside.caller)


async def test_a_new_password_voids_the_old_one_and_its_tokens(core, owner, jane):
    token = await jane()
    core.sessions.check(token)
    await set_password(core, owner.caller, JANE, "another one")
    with pytest.raises(Unauthenticated):
        core.sessions.check(token)
    with pytest.raises(Unauthenticated):
        await jane()
    await authenticate(core, "pcs", "jane", "another one")


async def test_a_removed_administrator_is_out_at_once(core, owner, jane):
    token = await jane()
    core.sessions.check(token)
    await owner.delete(JANE)
    with pytest.raises(Unauthenticated):
        core.sessions.check(token)
    await owner.create("pcs/administrator/platform_owner", username="jane")
    with pytest.raises(Unauthenticated):
        await jane()
    with core.store.read() as reader:
        left = [key for key, _ in reader.scan_private() if b"jane" in key]
        assert [key[:6] for key in left] == [b"setup\0", b"stowed"]  # the new one, the archived


async def test_removing_a_provider_removes_its_administrators_credentials(core, owner):
    await owner.create("pcs/service_provider", name="acme")
    await owner.create("pcs/administrator/service_provider:acme", username="ann")
    name = "pcs/administrator/service_provider:acme/ann"
    await set_password(core, owner.caller, name, "long enough")
    token = (await authenticate(core, "pcs", "ann", "long enough")).token
    assert core.sessions.check(token).provider == "acme"
    await owner.delete("pcs/service_provider/acme")
    with pytest.raises(Unauthenticated):
        core.sessions.check(token)


async def test_a_renamed_administrator_keeps_the_password_and_loses_the_tokens(core, owner, jane):
    token = await jane()
    await owner.update(JANE, username="janet")
    with pytest.raises(Unauthenticated):
        core.sessions.check(token)
    with pytest.raises(Unauthenticated):
        await jane()
    await authenticate(core, "pcs", "janet", "long enough")


async def test_a_renamed_provider_s_administrators_log_in_to_its_new_name(core, owner):
    await owner.create("pcs/service_provider", name="acme")
    await owner.create("pcs/administrator/service_provider:acme", username="ann")
    name = "pcs/administrator/service_provider:acme/ann"
    await set_password(core, owner.caller, name, "long enough")
    token = (await authenticate(core, "pcs", "ann", "long enough")).token
    await owner.update("pcs/service_provider/acme", name="zeta")
    with pytest.raises(Unauthenticated):
        core.sessions.check(token)
    token = (await authenticate(core, "pcs", "ann", "long enough")).token
    assert core.sessions.check(token).provider == "zeta"


async def test_an_administrator_has_so_many_tokens_and_expired_ones_go(core, jane, clock):
    tokens = [await jane() for _ in range(TOKENS_EACH + 1)]
    with pytest.raises(Unauthenticated):
        core.sessions.check(tokens[0])
    assert core.sessions.check(tokens[1]).username == "jane"
    clock.now += DAY
    await jane()
    with core.store.read() as reader:
        assert len(list(reader.scan_private(b"token\0"))) == 1


async def test_a_password_is_long_enough_by_the_settings(core, owner):
    await owner.create("pcs/administrator/platform_owner", username="jane")
    await owner.update("pcs/settings/", web_settings={"password_length": 12})
    for wrong in ("eleven char", "x" * 1025):
        with pytest.raises(Invalid) as refused:
            await set_password(core, owner.caller, JANE, wrong)
        assert refused.value.errors[0].field == "password"
    await set_password(core, owner.caller, JANE, "twelve chars")


async def test_only_an_administrator_that_exists_gets_a_password(core, owner):
    with pytest.raises(NotFound):
        await set_password(core, owner.caller, JANE, "long enough")
    with pytest.raises(InvalidInput):
        await set_password(core, owner.caller, "pcs/service_provider/acme", "long enough")


async def test_failures_are_limited_by_user_and_success_is_free(core, jane):
    for _ in range(3 * LOGINS):
        await jane()
    for _ in range(LOGINS):
        with pytest.raises(Unauthenticated):
            await authenticate(core, "pcs", "jane", "wrong")
    with pytest.raises(TooMuch):
        await jane()
    await authenticate(core, "pcs", "pcs_administrator", PASSWORD)


async def test_more_logins_than_can_wait_are_turned_away(core):
    many = [authenticate(core, "pcs", f"user{n}", "wrong") for n in range(HASHES_WAITING + 10)]
    results = await asyncio.gather(*many, return_exceptions=True)
    assert {type(each) for each in results} == {Unauthenticated, TooMuch}


def test_a_bucket_gives_attempts_back_with_time_and_forgets_the_oldest():
    buckets = Buckets(burst=2, seconds=10, names=2)
    assert [buckets.take("a", 0.0) for _ in range(3)] == [True, True, False]
    assert [buckets.take("a", 5.0) for _ in range(2)] == [True, False]
    assert buckets.take("b", 5.0)
    assert buckets.take("c", 5.0)
    assert [buckets.take("a", 5.0) for _ in range(3)] == [True, True, False]


async def test_logins_of_strangers_do_not_hold_up_new_passwords(core, owner, jane):
    assert not core.passwords.busy
    strangers = [
        asyncio.create_task(authenticate(core, "pcs", f"u{n}", "x")) for n in range(HASHES_WAITING)
    ]
    await asyncio.sleep(0)
    assert core.passwords.busy
    await set_password(core, owner.caller, JANE, "longer than enough")
    await asyncio.gather(*strangers, return_exceptions=True)


async def test_who_is_turned_away_has_used_no_attempt(core, jane):
    strangers = [
        asyncio.create_task(authenticate(core, "pcs", f"u{n}", "x")) for n in range(HASHES_WAITING)
    ]
    await asyncio.sleep(0)
    for _ in range(LOGINS + 1):
        with pytest.raises(TooMuch):
            await jane()
    await asyncio.gather(*strangers, return_exceptions=True)
    assert await jane()


async def test_a_token_of_a_clock_that_went_back_is_looked_up_again(core, jane, clock):
    token = await jane()
    core.sessions.check(token)
    digest = core.sessions.check(token).token
    core.store.commit(Batch([], lambda revision: b"", [PrivateDelete(token_key(digest))]))
    assert core.sessions.check(token)
    clock.now -= 3600
    with pytest.raises(Unauthenticated):
        core.sessions.check(token)


async def test_a_login_makes_nobody_else_be_looked_up_again(core, jane, monkeypatch):
    forgotten = []
    monkeypatch.setattr(type(core.sessions), "forget", lambda self: forgotten.append(1))
    token = await jane()
    assert forgotten == []
    await revoke(core, core.sessions.check(token))
    assert forgotten == [1]
