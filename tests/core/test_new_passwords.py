"""Activation, reset and redemption: how a password comes to be."""

import pytest

from callscreen.core.access import principal
from callscreen.core.commands.activation import ACTIVATE, RECOVER, SECONDS
from callscreen.core.commands.authenticate import authenticate
from callscreen.core.commands.clean_tokens import clean_tokens
from callscreen.core.commands.redeem import REFUSED, redeem
from callscreen.core.commands.reset import NOTHING, reset
from callscreen.core.commands.restore import restore
from callscreen.core.commands.set_password import set_password
from callscreen.core.commands.write import write
from callscreen.core.errors import (
    InvalidInput,
    NotFound,
    PermissionDenied,
    TooMuch,
    Unauthenticated,
)
from callscreen.core.limits import REDEEMS, RESETS, RESETS_ADDRESS, TOKEN_SECONDS
from callscreen.core.origin import Origin, origin
from callscreen.core.private import redeemable_key, setup_key
from callscreen.core.services.registry import NOBODY
from callscreen.schema import Invalid

from .conftest import obj, tenant

OWNERS = "pcs/administrator/platform_owner"
JANE = f"{OWNERS}/jane"
ACME = "pcs/administrator/service_provider:acme"


@pytest.fixture
async def token(owner):
    """Jane's activation token."""
    return (await owner.create(OWNERS, username="jane")).activation_token


async def refused_token(core, token, product="pcs", password="long enough"):
    with pytest.raises(InvalidInput) as refused:
        await redeem(core, product, token, password)
    assert [error.field for error in refused.value.errors] == ["token"]
    assert str(refused.value) == REFUSED


async def test_an_activation_token_sets_the_first_password_once(core, token):
    await redeem(core, "pcs", token, "long enough")
    await authenticate(core, "pcs", "jane", "long enough")
    await refused_token(core, token)


async def test_a_put_that_creates_answers_a_token_and_one_that_changes_does_not(core, owner):
    made = await owner.update(JANE, allow_missing=True)
    await redeem(core, "pcs", made.activation_token, "long enough")
    assert not (await owner.update(JANE, first_name="Jane")).activation_token
    assert not (await owner.create("pcs/service_provider", name="acme")).activation_token


async def test_a_token_is_kept_nowhere_but_as_its_digest(core, owner, token):
    issued = await reset(core, owner.caller, JANE)
    with core.store.read() as reader:
        kept = b"".join(key + value for key, value in reader.scan_private())
        kept += b"".join(value for _, value in reader.scan("pcs", "administrator"))
    kept += b"".join(record for _, record in core.store.tail(0))
    kept += b"".join(path.read_bytes() for path in core.data.rglob("*.log"))
    assert b"jane" in kept
    for each in (token, issued.token):
        assert each.encode() not in kept
    assert not owner.get(JANE).activation_token
    assert not owner.list(OWNERS).objects[0].activation_token


@pytest.mark.parametrize(("hours", "live"), [(47.9, True), (48, False)])
async def test_an_activation_token_lives_two_days(core, token, clock, hours, live):
    clock.now += hours * 3600
    if live:
        await redeem(core, "pcs", token, "long enough")
    else:
        await refused_token(core, token)


async def test_a_reset_token_lives_half_an_hour_and_the_old_password_until_its_use(
    core, owner, token, clock
):
    await redeem(core, "pcs", token, "long enough")
    late = await reset(core, owner.caller, JANE)
    assert late.expiry == clock.now + 30 * 60
    clock.now += 30 * 60
    await refused_token(core, late.token)
    login = await authenticate(core, "pcs", "jane", "long enough", session=True)
    issued = await reset(core, owner.caller, JANE)
    await authenticate(core, "pcs", "jane", "long enough")
    await redeem(core, "pcs", issued.token, "another one")
    for void in (login.token, login.session):
        with pytest.raises(Unauthenticated):
            core.sessions.check(void)
    with pytest.raises(Unauthenticated):
        await authenticate(core, "pcs", "jane", "long enough")
    await authenticate(core, "pcs", "jane", "another one")


async def test_only_the_newest_token_counts(core, owner, token):
    first = await reset(core, owner.caller, JANE)
    second = await reset(core, owner.caller, JANE)
    for void in (token, first.token):
        await refused_token(core, void)
    await redeem(core, "pcs", second.token, "long enough")


async def test_what_is_no_token_is_refused_alike(core, owner, token):
    login = await authenticate(core, "pcs", "pcs_administrator", "correct horse")
    for wrong in ("", "x", token[:-1], token + "x", "x" * 10_000, "\udcff", login.token, "service"):
        await refused_token(core, wrong)
    for product in ("cin", ""):
        await refused_token(core, token, product)
    await refused_token(core, "x", password="")
    await redeem(core, "pcs", token, "long enough")


@pytest.mark.parametrize("change", ["username", "role", "password", "delete", "restore"])
async def test_a_token_of_who_is_another_by_now_is_void(core, owner, token, change):
    await tenant(owner, "acme", "alice", "+15855550001")
    if change == "username":
        await owner.update(JANE, username="joan")
    elif change == "role":
        await owner.update(JANE, role_id="service_provider:acme")
    elif change == "password":
        await set_password(core, owner.caller, JANE, "long enough")
    else:
        await owner.delete(JANE)
        if change == "restore":
            await restore(core, owner.caller, JANE)
    await refused_token(core, token)
    with core.store.read() as reader:
        assert not list(reader.scan_private(redeemable_key(b"")))
        assert not list(reader.scan_private(setup_key("pcs", "")))


async def test_a_password_that_is_refused_leaves_the_token(core, owner, token):
    for wrong in ("", "short", "x" * 1025):
        with pytest.raises(Invalid) as refused:
            await redeem(core, "pcs", token, wrong)
        assert [error.field for error in refused.value.errors] == ["password"]
    await redeem(core, "pcs", token, "long enough")


async def test_the_length_is_the_provider_s_own_where_the_platform_allows_one(core, owner):
    await tenant(owner, "acme", "alice", "+15855550001")
    given = {"web_settings": {"password_length": True}}
    await owner.update("pcs/settings/", override=given)
    await owner.create("pcs/settings/acme", web_settings={"password_length": 12})
    boss = (await owner.create(ACME, username="boss")).activation_token
    ann = await owner.create("pcs/administrator/subscriber:acme:alice", username="ann")
    jane = (await owner.create(OWNERS, username="jane")).activation_token
    for token in (boss, ann.activation_token):
        with pytest.raises(Invalid, match="at least 12 characters"):
            await redeem(core, "pcs", token, "eleven char")
    with pytest.raises(Invalid, match="at least 12 characters"):
        await set_password(core, owner.caller, f"{ACME}/boss", "eleven char")
    await redeem(core, "pcs", jane, "eleven char")
    await owner.update("pcs/settings/", override={}, mask=("override",))
    await redeem(core, "pcs", boss, "eleven char")


async def test_a_caller_beyond_whose_reach_it_is_is_denied(core, owner, desk):
    await tenant(owner, "acme", "alice", "+15855550001")
    await owner.create(ACME, username="boss")
    for role in ("service_provider:other", "subscriber:acme:alice"):
        for name in (f"{ACME}/boss", f"{ACME}/nobody", JANE):
            with pytest.raises(PermissionDenied):
                await reset(core, desk(role).caller, name)
    with pytest.raises(PermissionDenied):
        await reset(core, desk("platform_owner", "cin").caller, JANE)
    assert (await reset(core, desk("service_provider:acme").caller, f"{ACME}/boss")).token


async def test_an_unknown_user_within_reach_has_a_token_that_redeems_nothing(core, owner, token):
    before = core.store.revision
    unknown, known = [await reset(core, owner.caller, f"{OWNERS}/{who}") for who in ("joe", "jane")]
    assert core.store.revision == before + 1
    assert len(unknown.token) == len(known.token)
    assert unknown.expiry == known.expiry
    await refused_token(core, unknown.token)


async def test_a_stranger_is_answered_nothing_and_changes_nothing_without_mail(core, owner, token):
    before = core.store.revision
    for name in (JANE, f"{OWNERS}/joe", f"{ACME}/boss", "cin/administrator/platform_owner/x"):
        assert await reset(core, NOBODY, name) == NOTHING
    assert core.store.revision == before
    await redeem(core, "pcs", token, "long enough")


@pytest.mark.parametrize("who", [NOBODY, principal("pcs", "x", "platform_owner")])
async def test_what_is_no_administrator_s_name_is_refused(core, who):
    for wrong in ("", "pcs", "pcs/service_provider/acme", OWNERS, "pcs/administrator/a/b/c"):
        with pytest.raises(InvalidInput):
            await reset(core, who, wrong)
    with pytest.raises(NotFound):
        await reset(core, who, "pcs/nothing/x/y")


async def test_resets_of_strangers_are_limited_by_user_and_by_address(core, owner, token):
    for _ in range(RESETS):
        await reset(core, NOBODY, JANE)
    with pytest.raises(TooMuch):
        await reset(core, NOBODY, JANE.upper().replace("PCS/ADMINISTRATOR", "pcs/administrator"))
    assert (await reset(core, owner.caller, JANE)).token
    with origin(Origin(source_ip="192.0.2.1")):
        for number in range(RESETS_ADDRESS):
            await reset(core, NOBODY, f"{OWNERS}/u{number}")
        with pytest.raises(TooMuch):
            await reset(core, NOBODY, f"{OWNERS}/another")
    with origin(Origin(source_ip="192.0.2.2")):
        await reset(core, NOBODY, f"{OWNERS}/another")


async def test_an_address_may_try_so_many_tokens(core, token):
    with origin(Origin(source_ip="192.0.2.1")):
        for _ in range(REDEEMS):
            await refused_token(core, "wrong")
        with pytest.raises(TooMuch):
            await redeem(core, "pcs", token, "long enough")
    await redeem(core, "pcs", token, "long enough")


async def test_a_wrong_token_costs_no_hash(core, token, monkeypatch):
    monkeypatch.setattr(core.passwords, "hash", None)
    await refused_token(core, "wrong")


async def test_expired_tokens_are_removed_and_live_ones_stay(core, owner, token, clock):
    await redeem(core, "pcs", token, "long enough")
    login = await authenticate(core, "pcs", "jane", "long enough", session=True)
    await owner.create(OWNERS, username="joe")
    await reset(core, owner.caller, JANE)
    await clean_tokens(core)
    clock.now += TOKEN_SECONDS
    before = core.store.revision
    await clean_tokens(core)
    assert core.store.revision == before + 1
    with core.store.read() as reader:
        assert len(list(reader.scan_private(b"token\0"))) == 1
        assert len(list(reader.scan_private(redeemable_key(b"")))) == 1
        assert [key for key, _ in reader.scan_private(b"setup\0")] == [setup_key("pcs", "joe")]
    assert core.sessions.check(login.session).username == "jane"
    await clean_tokens(core)
    assert core.store.revision == before + 1


async def test_a_write_of_many_answers_no_tokens_and_a_reset_makes_one(core, owner):
    await write(core, owner.caller, OWNERS, [obj("administrator", username="jane")])
    issued = await reset(core, owner.caller, JANE)
    await redeem(core, "pcs", issued.token, "long enough")
    await authenticate(core, "pcs", "jane", "long enough")


def test_why_a_token_is_made_says_how_long_it_lives():
    assert {ACTIVATE: 48 * 3600, RECOVER: 30 * 60} == SECONDS
