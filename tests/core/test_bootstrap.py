"""What is in place before the core serves."""

import pytest

from callscreen.core.server import first_start
from callscreen.core.store.contract import Batch, Key, Put
from callscreen.schema import TYPES
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


async def test_a_product_that_has_lost_every_owner_gets_one_again(core, owner, inside):
    await owner.create("pcs/administrator/platform_owner", username="jane")
    await owner.delete("pcs/administrator/platform_owner/pcs_administrator")
    await first_start(core, PASSWORD)
    assert inside.names("pcs/administrator") == ["pcs/administrator/platform_owner/jane"]
    await owner.delete("pcs/administrator/platform_owner/jane")
    await first_start(core, PASSWORD)
    assert inside.names("pcs/administrator") == [
        "pcs/administrator/platform_owner/pcs_administrator"
    ]


async def test_a_password_that_was_made_is_printed_and_a_given_one_is_not(core, owner, capsys):
    for given in (None, "given one"):
        await owner.delete(owner.names("pcs/administrator")[0])
        capsys.readouterr()
        await first_start(core, given)
        printed = capsys.readouterr().out
        assert printed.startswith("administrator password: ") is (given is None)


async def test_a_password_is_told_before_it_is_in_force(core, owner, inside, capsys, monkeypatch):
    """A core that dies in between has told one that was never in force, and tells another."""
    await owner.delete(owner.names("pcs/administrator")[0])
    capsys.readouterr()

    def die(reader):
        raise SystemExit

    monkeypatch.setattr(core.committer, "submit", die)
    with pytest.raises(SystemExit):
        await first_start(core, None)
    assert capsys.readouterr().out.startswith("administrator password: ")
    assert inside.names("pcs/administrator") == []


async def test_a_start_that_makes_no_administrator_hashes_nothing(core, monkeypatch):
    monkeypatch.setattr(core.passwords, "hash_now", None)
    await first_start(core, PASSWORD)
