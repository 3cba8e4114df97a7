"""What is in place before the core serves."""

import pytest

from callscreen.core.access import service
from callscreen.core.commands.authenticate import authenticate
from callscreen.core.commands.credentials import drop_credential, owners
from callscreen.core.commands.set_password import set_password
from callscreen.core.errors import CallscreenError, InvalidInput, Unauthenticated
from callscreen.core.private import credential_key
from callscreen.core.server import first_start
from callscreen.core.store.contract import Batch, Key, Put
from callscreen.schema import TYPES, Invalid
from callscreen.v1.object_pb2 import Change, Object

from .conftest import PASSWORD


async def test_both_products_have_settings_and_an_administrator(inside):
    assert inside.names("pcs/administrator") == [
        "pcs/administrator/platform_owner/pcs_administrator"
    ]
    for product, default in (("pcs", "(ddd) ddd-dddd"), ("cin", "{+DDD }(DDD) DDD-DDDD")):
        settings = inside.get(f"{product}/settings/").settings
        assert settings.web_settings.number_mask == default
        TYPES["settings"].validate(settings, product)


async def test_a_later_start_changes_nothing(core):
    before = core.store.revision
    await first_start(core, "another password")
    assert core.store.revision == before


async def test_a_later_start_fills_in_what_is_new_and_keeps_what_is_set(core, owner):
    await owner.update("pcs/settings/", csr_location="sip:x@y")
    key = Key("pcs", "settings", ("",))
    old = Object.FromString(core.store.get(key))
    old.settings.web_settings.ClearField("help_page")
    core.store.commit(
        Batch([Put(key, old.SerializeToString())], lambda n: Change(revision=n).SerializeToString())
    )
    await first_start(core, PASSWORD)
    now = owner.get("pcs/settings/")
    assert now.settings.web_settings.help_page == "http://www.imsworkx.com"
    assert now.settings.csr_location == "sip:x@y"
    assert now.stamps.created == old.stamps.created


async def lose_passwords(core, product="pcs"):
    """As in data that came without them: nobody can log in."""

    def work(draft):
        for username in list(owners(draft, product)):
            drop_credential(draft, product, username)

    await core.write(service("test"), work)


async def test_an_owner_who_cannot_log_in_is_none(core, owner, inside):
    await owner.create("pcs/administrator/platform_owner", username="jane")
    await first_start(core, "another password")
    with pytest.raises(Unauthenticated):
        await authenticate(core, "pcs", "pcs_administrator", "another password")
    await lose_passwords(core)
    await first_start(core, "another password")
    (log,) = (core.data / "audit" / "pcs").iterdir()
    last = log.read_text().splitlines()[-1]
    assert "platform_owner/pcs_administrator,password," in last
    assert await authenticate(core, "pcs", "pcs_administrator", "another password")
    assert await authenticate(core, "cin", "cin_administrator", PASSWORD)
    await lose_passwords(core)
    await owner.delete("pcs/administrator/platform_owner/pcs_administrator")
    await first_start(core, PASSWORD)
    assert await authenticate(core, "pcs", "pcs_administrator", PASSWORD)
    assert len(inside.names("pcs/administrator")) == 2


async def test_another_role_s_administrator_of_that_name_keeps_its_own(core, owner, inside):
    await owner.create("pcs/service_provider", name="acme")
    await lose_passwords(core)
    await owner.delete("pcs/administrator/platform_owner/pcs_administrator")
    role = "service_provider:acme"
    await owner.create(f"pcs/administrator/{role}", username="pcs_administrator")
    await first_start(core, PASSWORD)
    assert await authenticate(core, "pcs", "pcs_administrator2", PASSWORD)
    with pytest.raises(Unauthenticated):
        await authenticate(core, "pcs", "pcs_administrator", PASSWORD)


async def test_the_last_owner_who_can_log_in_stays(core, owner, inside):
    name = "pcs/administrator/platform_owner/pcs_administrator"
    jane = "pcs/administrator/platform_owner/jane"
    await owner.create("pcs/service_provider", name="acme")
    await owner.create("pcs/administrator/platform_owner", username="jane")
    for desk in (owner, inside):
        with pytest.raises(InvalidInput, match="last platform owner who can log in"):
            await desk.delete(name)
        with pytest.raises(Invalid, match=r"^Administrator\(\): Field 'role_id' cannot be changed"):
            await desk.update(name, role_id="service_provider:acme")
    await set_password(core, owner.caller, jane, "a password of jane's")
    await owner.delete(name)
    await owner.update(jane, username="joan")
    assert await authenticate(core, "pcs", "joan", "a password of jane's")


@pytest.mark.parametrize("given", ["seven77", "x" * 1025])
async def test_a_password_that_is_too_short_or_too_long_is_refused(core, given):
    before = core.store.revision
    await first_start(core, given)  # not needed: not looked at
    assert core.store.revision == before
    await lose_passwords(core)
    with pytest.raises(CallscreenError, match=r"^CALLSCREEN_ADMIN_PASSWORD must have 8 to 1024"):
        await first_start(core, given)
    assert core.store.revision == before + 1


async def test_a_password_that_was_made_is_printed_and_a_given_one_is_not(core, capsys):
    for given in (None, "given one"):
        await lose_passwords(core)
        capsys.readouterr()
        await first_start(core, given)
        printed = capsys.readouterr().out
        assert printed.startswith("administrator password: ") is (given is None)


async def test_a_password_is_told_before_it_is_in_force(core, capsys, monkeypatch):
    """A core that dies in between has told one that was never in force, and tells another."""
    await lose_passwords(core)
    capsys.readouterr()

    def die(work, dear=False):
        raise SystemExit

    monkeypatch.setattr(core.committer, "submit", die)
    with pytest.raises(SystemExit):
        await first_start(core, None)
    assert capsys.readouterr().out.startswith("administrator password: ")
    with core.store.read() as reader:
        assert reader.private(credential_key("pcs", "pcs_administrator")) is None


async def test_a_start_that_makes_no_administrator_hashes_nothing(core, monkeypatch):
    monkeypatch.setattr(core.passwords, "hash_now", None)
    await first_start(core, PASSWORD)
