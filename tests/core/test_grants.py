"""Nobody climbs: by groups, by roles, by administrators, by passwords or by the archive."""

import pytest

from callscreen.core.access import principal
from callscreen.core.commands.authenticate import authenticate
from callscreen.core.commands.purge import purge
from callscreen.core.commands.reset import reset
from callscreen.core.commands.restore import restore
from callscreen.core.commands.set_password import set_password
from callscreen.core.commands.write import BatchRefused, write
from callscreen.core.errors import InvalidInput, NotFound, PermissionDenied
from callscreen.schema import Invalid

from .conftest import Desk, obj, tenant

OWNERS = "pcs/administrator/platform_owner"
ACME = "pcs/administrator/service_provider:acme"
ALICE = "pcs/administrator/subscriber:acme:alice"
USERS = "pcs_default:pcs_platform_owner_user_administration"
OWN_USERS = "pcs_default:pcs_service_provider_user_administration"


@pytest.fixture
async def acme(owner):
    await tenant(owner, "acme", "alice", "+15855550001")


@pytest.fixture
def holding(core):
    """The desk of an administrator with some groups."""

    def made(role_id, *groups):
        return Desk(core, principal("pcs", "somebody", role_id, groups))

    return made


async def groups_of(desk, name):
    return list(desk.get(name).administrator.permissions)


@pytest.mark.parametrize(
    "role", ["platform_owner", "service_provider:acme", "subscriber:acme:alice"]
)
async def test_a_new_administrator_has_its_role_s_default(owner, acme, role):
    parent = f"pcs/administrator/{role}"
    made = await owner.create(parent, username="jane")
    default = [f"default:{role.partition(':')[0]}"]
    assert list(made.administrator.permissions) == default
    await owner.update(f"{parent}/jane", permissions=[], mask=("permissions",))
    assert await groups_of(owner, f"{parent}/jane") == default


async def test_groups_are_kept_each_once_in_their_order(owner):
    given = ["view_subscriber", USERS, "view_subscriber"]
    await owner.create(OWNERS, username="jane", permissions=given)
    assert await groups_of(owner, f"{OWNERS}/jane") == given[:2]


@pytest.mark.parametrize(
    ("parent", "groups", "wrong"),
    [
        (ACME, ["view_subscriber", "default:platform_owner"], [1]),
        (ACME, [USERS, "alter_platform_owner_user"], [0, 1]),
        (ACME, ["create_permission_group"], [0]),
        (ALICE, ["view_subscriber"], [0]),
        (ALICE, ["default:subscriber", "default:service_provider"], [1]),
    ],
)
async def test_a_group_above_the_role_is_refused_by_its_field(owner, acme, parent, groups, wrong):
    with pytest.raises(Invalid) as refused:
        await owner.create(parent, username="jane", permissions=groups)
    fields = [(error.field, error.code) for error in refused.value.errors]
    assert fields == [(f"permissions[{place}]", "not_accepted") for place in wrong]


async def test_the_default_follows_the_role_and_other_groups_must_fit_it(owner, acme):
    await owner.create(ACME, username="jane")
    await owner.update(f"{ACME}/jane", role_id="subscriber:acme:alice")
    assert await groups_of(owner, f"{ALICE}/jane") == ["default:subscriber"]
    await owner.update(f"{ALICE}/jane", role_id="platform_owner")
    assert await groups_of(owner, f"{OWNERS}/jane") == ["default:platform_owner"]
    await owner.update(f"{OWNERS}/jane", permissions=[USERS])
    with pytest.raises(Invalid, match=r"permissions\[0\]"):
        await owner.update(f"{OWNERS}/jane", role_id="service_provider:acme")


async def test_nobody_gives_more_than_it_has(owner, acme, holding, core):
    users = holding("platform_owner", USERS)
    made = await users.create(OWNERS, username="less", permissions=["alter_platform_owner_user"])
    assert made.activation_token
    before = core.store.revision
    for groups in ([], ["default:platform_owner"], [USERS, "view_subscriber"]):
        with pytest.raises(PermissionDenied):
            await users.create(OWNERS, username="more", permissions=groups)
        with pytest.raises(PermissionDenied):
            await users.update(f"{OWNERS}/less", permissions=groups, mask=("permissions",))
        body = obj("administrator", username="more", permissions=groups)
        with pytest.raises(PermissionDenied):
            await users.update(f"{OWNERS}/more", allow_missing=True, **fields_of(body))
        with pytest.raises(BatchRefused, match="do not have permission"):
            await write(core, users.caller, OWNERS, [body])
    assert core.store.revision == before


def fields_of(of):
    body = of.administrator
    return {"username": body.username, "permissions": list(body.permissions)}


async def test_nobody_changes_who_may_do_more(owner, acme, holding, core):
    await owner.create(ACME, username="boss")
    await owner.create(ACME, username="clerk", permissions=["view_subscriber"])
    users = holding("service_provider:acme", OWN_USERS, "view_subscriber")
    before = core.store.revision
    boss = f"{ACME}/boss"
    for attempt in (
        users.update(boss, first_name="X"),
        users.update(boss, permissions=["view_subscriber"]),
        users.update(boss, username="boss2"),
        users.update(boss, email="x@example.com"),
        users.delete(boss),
        reset(core, users.caller, boss),
    ):
        with pytest.raises(PermissionDenied):
            await attempt
    assert core.store.revision == before
    await users.update(f"{ACME}/clerk", first_name="X")
    assert (await reset(core, users.caller, f"{ACME}/clerk")).token
    await users.delete(f"{ACME}/clerk")
    await owner.delete(boss)
    for attempt in (restore(core, users.caller, boss), purge(core, users.caller, boss)):
        with pytest.raises(PermissionDenied):
            await attempt
    await restore(core, users.caller, f"{ACME}/clerk")


async def test_who_may_alter_users_may_not_move_them(owner, acme, holding):
    await owner.create(ALICE, username="ann")
    alter = holding("platform_owner", "alter_subscriber_user", "default:subscriber")
    await alter.update(f"{ALICE}/ann", first_name="Ann")
    for change in ({"username": "eve"}, {"role_id": "platform_owner"}, {"role_id": ACME[18:]}):
        with pytest.raises(PermissionDenied):
            await alter.update(f"{ALICE}/ann", **change)
    with pytest.raises(PermissionDenied):
        await alter.update(f"{OWNERS}/pcs_administrator", email="mine@example.com")
    with pytest.raises(PermissionDenied):
        await reset(alter.core, alter.caller, f"{OWNERS}/pcs_administrator")
    with pytest.raises(PermissionDenied):
        await alter.create(ALICE, username="eve")


async def test_passwords_are_set_by_who_may_do_that_and_as_much(owner, acme, holding, core):
    name = f"{OWNERS}/pcs_administrator"
    with pytest.raises(PermissionDenied):
        await set_password(core, holding("platform_owner", USERS).caller, name, "long enough")
    await owner.create(OWNERS, username="jane", permissions=[USERS])
    await set_password(core, owner.caller, f"{OWNERS}/jane", "long enough")
    await authenticate(core, "pcs", "jane", "long enough")


async def test_a_level_that_may_not_be_read_is_not_provisioned(owner, acme, holding):
    await owner.create(ACME, username="boss")
    await owner.create(ALICE, username="ann")
    clerk = holding("service_provider:acme", "view_subscriber_user")
    assert clerk.names(ALICE) == [f"{ALICE}/ann".replace(":", "%3A")]
    assert clerk.names(ACME) == clerk.names("pcs/administrator") == []
    assert clerk.names("pcs/administrator", sort="username") == []
    for hidden in (f"{ACME}/boss", f"{OWNERS}/pcs_administrator"):
        with pytest.raises(NotFound):
            clerk.get(hidden)
    views = holding("platform_owner", "pcs_default:pcs_platform_owner_views")
    assert views.names("pcs/settings") == ["pcs/settings/"]
    assert views.names("pcs/subscriber") == []


async def test_groups_are_in_force_for_every_token_when_the_change_is_answered(owner, core, acme):
    await owner.create(ACME, username="jane")
    await set_password(core, owner.caller, f"{ACME}/jane", "long enough")
    first, other = [(await authenticate(core, "pcs", "jane", "long enough")).token for _ in "ab"]
    assert core.sessions.check(first).groups == ("default:service_provider",)
    core.sessions.check(other)
    await owner.update(f"{ACME}/jane", permissions=["view_subscriber"])
    for token in (first, other):
        caller = core.sessions.check(token)
        assert caller.groups == ("view_subscriber",)
        with pytest.raises(PermissionDenied):
            await Desk(core, caller).update("pcs/subscriber/acme/alice", first_name="X")
        assert Desk(core, caller).get("pcs/subscriber/acme/alice")


async def test_the_last_owner_who_may_do_all_keeps_its_groups(owner, core):
    last, jane = f"{OWNERS}/pcs_administrator", f"{OWNERS}/jane"
    await owner.create(OWNERS, username="jane", permissions=[USERS])
    await set_password(core, owner.caller, jane, "long enough")
    with pytest.raises(Invalid, match="last platform owner") as refused:
        await owner.update(last, permissions=[USERS])
    assert refused.value.errors[0].field == "permissions"
    with pytest.raises(Invalid, match="last platform owner"):
        await owner.update(last, username="root", permissions=[USERS])
    with pytest.raises(InvalidInput, match="last platform owner"):
        await owner.delete(last)
    await owner.update(jane, permissions=["default:platform_owner", USERS])
    await owner.update(last, permissions=[USERS])
    assert await groups_of(owner, last) == [USERS]


async def test_a_batch_cannot_leave_a_product_without_an_owner_either(owner, core):
    await owner.create(OWNERS, username="jane")
    await set_password(core, owner.caller, f"{OWNERS}/jane", "long enough")
    both = [
        obj("administrator", username=username, permissions=[USERS])
        for username in ("jane", "pcs_administrator")
    ]
    with pytest.raises(BatchRefused, match="last platform owner") as refused:
        await write(core, owner.caller, OWNERS, both)
    assert [each.place for each in refused.value.refusals] == [1]
    assert await write(core, owner.caller, OWNERS, both[:1])


async def test_nobody_has_the_mail_of_those_who_may_do_more(owner, holding):
    """The tokens that set their passwords would come with it."""
    group = "pcs_default:pcs_platform_owner_platform_administration"
    settings = holding("platform_owner", group)
    for change in ({"host": "mine.example"}, {"user": "mine"}, {"use_tls": True}):
        with pytest.raises(PermissionDenied):
            await settings.update("pcs/settings/", email_settings=change)
    await settings.update("pcs/settings/", web_settings={"password_length": 9})
    await owner.update("pcs/settings/", email_settings={"host": "mail.example", "password": "x"})
    held = settings.get("pcs/settings/").settings
    assert held.email_settings.host == "mail.example"
    await settings.update("pcs/settings/", email_settings=held.email_settings)
