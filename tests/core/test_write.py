"""Bulk writes: all or nothing."""

import pytest

from callscreen.core.commands.write import BatchRefused, write
from callscreen.core.errors import InvalidInput, PermissionDenied
from callscreen.core.limits import BATCH_OBJECTS

from .conftest import obj, tenant


async def test_a_batch_is_one_revision_and_may_refer_to_itself(owner, core):
    await owner.create("pcs/service_provider", name="acme")
    before = core.store.revision
    people = [obj("subscriber", name=f"s{n}", service_provider_name="acme") for n in range(500)]
    assert await write(core, owner.caller, "pcs/subscriber", people) == before + 1
    numbers = [obj("number", number=f"585555{n:04}", subscriber_name=f"s{n}") for n in range(500)]
    assert await write(core, owner.caller, "pcs/number/acme", numbers) == before + 2
    assert owner.list("pcs/number/acme").total == 500
    verdict = core.engine.screen(1, "+15855550007", "", False, "")
    assert verdict.subscriber_name == "s7"


async def test_an_object_that_exists_is_replaced_whole(owner, core, clock):
    made = await owner.create("pcs/service_provider", name="acme", notes="gone")
    clock.now += 5
    await write(core, owner.caller, "pcs/service_provider", [obj("service_provider", name="acme")])
    now = owner.get("pcs/service_provider/acme")
    assert not now.service_provider.HasField("notes")
    assert now.stamps.created == made.stamps.created
    assert now.stamps.modified != made.stamps.modified


async def test_one_refused_object_refuses_the_batch_and_each_is_named(owner, core):
    batch = [
        obj("service_provider", name="a"),
        obj("service_provider"),
        obj("service_provider", name="b"),
        obj("subscriber", name="c"),
        obj("service_provider", name="x" * 65),
    ]
    before = core.store.revision
    with pytest.raises(BatchRefused) as refused:
        await write(core, owner.caller, "pcs/service_provider", batch)
    assert [each.place for each in refused.value.refusals] == [1, 3, 4]
    assert refused.value.refusals[0].message == (
        "ServiceProvider(): Field 'name' is required, but missing."
    )
    assert core.store.revision == before
    assert owner.names("pcs/service_provider") == []


async def test_a_unique_value_is_unique_inside_a_batch_too(owner, core):
    await tenant(owner, "acme", "alice", "+1585")
    await owner.create("pcs/subscriber/acme", name="bob")
    twice = [obj("number", number="1", subscriber_name=name) for name in ("alice", "bob")]
    with pytest.raises(BatchRefused) as refused:
        await write(core, owner.caller, "pcs/number/acme", twice)
    assert [each.place for each in refused.value.refusals] == [1]


async def test_a_masked_secret_is_kept(cin, core):
    await tenant(cin, "acme", "alice", "+1585")
    await cin.update("cin/number/acme/alice/+1585", ivr_pin="1234")
    shown = cin.get("cin/number/acme/alice/+1585")
    stored = core.store.scan("cin", "number")[0][1]
    await write(core, cin.caller, "cin/number", [shown])
    kept = type(shown).FromString(core.store.scan("cin", "number")[0][1])
    assert kept.number == type(shown).FromString(stored).number


async def test_a_batch_has_a_limit_and_an_empty_one_does_nothing(owner, core):
    many = [obj("service_provider", name=str(n)) for n in range(BATCH_OBJECTS + 1)]
    with pytest.raises(InvalidInput):
        await write(core, owner.caller, "pcs/service_provider", many)
    before = core.store.revision
    assert await write(core, owner.caller, "pcs/service_provider", []) == before


async def test_another_tenant_s_objects_are_out_of_reach(owner, core, desk):
    await tenant(owner, "acme", "alice", "+1585")
    await tenant(owner, "other", "bob", "+1586")
    acme = desk("service_provider:acme").caller
    theirs = obj("number", number="+1587", subscriber_name="bob", service_provider_name="other")
    with pytest.raises(BatchRefused) as refused:
        await write(core, acme, "pcs/number", [theirs])
    assert refused.value.refusals[0].message.startswith("You do not have permission")
    with pytest.raises(PermissionDenied):
        await write(core, acme, "pcs/service_provider", [])
