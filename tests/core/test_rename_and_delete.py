"""Moving and removing objects with everything below them."""

import pytest

from callscreen.core.errors import AlreadyExists, InvalidInput, NotFound, TooMuch
from callscreen.schema import Invalid
from callscreen.v1.object_pb2 import Change

from .conftest import tenant

SOURCE = {
    "name": "sbc",
    "source_ip": ["192.0.2.7"],
    "orig_id": "o",
    "attest": "A",
    "cert_name": "c",
}


@pytest.fixture
async def acme(owner):
    """A provider with something of every type below it, and a neighbour whose name is longer."""
    await tenant(owner, "acme", "alice", "+15855550001")
    await tenant(owner, "acme2", "alice", "+15855550002")
    await owner.update("pcs/settings/", override={"web_settings": {"password_length": True}})
    await owner.create("pcs/settings/acme", web_settings={"password_length": 9})
    numbers = [
        {
            "service_provider_name": "acme",
            "source_name": "sbc",
            "numbers_n": ["+1585"],
            "orig_id_n": "o",
            "attest_n": "B",
            "cert_name_n": "c",
            "priority": 1,
        }
    ]
    await owner.create("pcs/origination_source/acme", **SOURCE, source_numbers=numbers)
    await owner.create("pcs/administrator/service_provider:acme", username="ann")
    await owner.create("pcs/administrator/subscriber:acme:alice", username="alice")
    return owner


NAMES = [
    "pcs/administrator/service_provider%3A{0}/ann",
    "pcs/administrator/subscriber%3A{0}%3Aalice/alice",
    "pcs/number/{0}/alice/%2B15855550001",
    "pcs/origination_source/{0}/sbc",
    "pcs/service_provider/{0}",
    "pcs/settings/{0}",
    "pcs/subscriber/{0}/alice",
]


def everything(desk, place):
    """The names of all objects below a provider."""
    types = (
        "administrator",
        "number",
        "origination_source",
        "service_provider",
        "settings",
        "subscriber",
    )
    names = [name for type_ in types for name in desk.names(f"pcs/{type_}")]
    return [name for name in names if place in name.replace("%3A", "/").split("/")]


async def test_a_provider_takes_all_that_is_below_it_to_its_new_name(acme, core):
    before = acme.get("pcs/number/acme/alice/+15855550001")
    await acme.update("pcs/service_provider/acme", name="zeta")
    assert everything(acme, "zeta") == [name.format("zeta") for name in NAMES]
    assert everything(acme, "acme") == []
    assert len(everything(acme, "acme2")) == 3
    moved = acme.get("pcs/number/zeta/alice/+15855550001")
    assert moved.number.service_provider_name == "zeta"
    assert moved.stamps.created == before.stamps.created
    source = acme.get("pcs/origination_source/zeta/sbc").origination_source
    assert source.source_numbers[0].service_provider_name == "zeta"
    assert core.engine.screen(1, "+15855550001", "", False, "").service_provider_name == "zeta"


async def test_a_rename_is_one_revision(acme, core):
    revision = core.store.revision
    await acme.update("pcs/service_provider/acme", name="zeta")
    assert core.store.revision == revision + 1
    change = Change.FromString(core.store.tail(revision)[0][1])
    removed = [each.name for each in change.mutations if not each.HasField("put")]
    put = [each.name for each in change.mutations if each.HasField("put")]
    assert sorted(put) == [name.format("zeta") for name in NAMES if "administrator" not in name]
    assert sorted(removed) == [name.format("acme") for name in NAMES if "administrator" not in name]


async def test_a_name_that_is_taken_stays_as_it_is(acme):
    with pytest.raises(AlreadyExists):
        await acme.update("pcs/service_provider/acme", name="acme2")
    assert len(everything(acme, "acme")) == len(NAMES)


async def test_a_subscriber_moves_to_another_provider_with_its_numbers(acme):
    await acme.update("pcs/subscriber/acme/alice", service_provider_name="acme2", name="al")
    assert "pcs/number/acme2/al/%2B15855550001" in everything(acme, "acme2")
    assert "pcs/administrator/subscriber%3Aacme2%3Aal/alice" in everything(acme, "acme2")
    with pytest.raises(Invalid):
        await acme.update("pcs/subscriber/acme2/al", service_provider_name="nobody")


async def test_a_number_that_moves_stays_unique(acme):
    await acme.update("pcs/number/acme/alice/+15855550001", number="+15855550003")
    with pytest.raises(Invalid):
        await acme.update("pcs/number/acme2/alice/+15855550002", number="+15855550003")
    await acme.update("pcs/number/acme2/alice/+15855550002", number="+15855550001")


async def test_what_is_removed_takes_all_below_it_in_one_revision(acme, core):
    revision = core.store.revision
    assert await acme.delete("pcs/service_provider/acme") == revision + 1
    assert everything(acme, "acme") == []
    assert len(everything(acme, "acme2")) == 3
    assert core.engine.screen(1, "+15855550001", "", False, "").reason == "not_provisioned"
    await tenant(acme, "again", "x", "+15855550001")
    await acme.create("pcs/origination_source/again", **SOURCE)
    with pytest.raises(NotFound):
        await acme.delete("pcs/service_provider/acme")


async def test_a_subscriber_takes_only_its_own(acme):
    await acme.delete("pcs/subscriber/acme/alice")
    left = everything(acme, "acme")
    assert left == [name.format("acme") for name in NAMES if "alice" not in name]


async def test_more_than_one_transaction_holds_is_refused_whole(acme, monkeypatch):
    monkeypatch.setattr("callscreen.core.commands.rename.DESCENDANTS", 5)
    with pytest.raises(TooMuch):
        await acme.delete("pcs/service_provider/acme")
    monkeypatch.undo()
    monkeypatch.setattr("callscreen.core.commands.draft.CHANGE_BYTES", 50)
    with pytest.raises(TooMuch):
        await acme.update("pcs/service_provider/acme", name="zeta")
    assert len(everything(acme, "acme")) == len(NAMES)


@pytest.fixture
async def named(acme):
    """acme is named in a list of acme2."""
    numbers = [
        {
            "service_provider_name": "acme",
            "numbers_n": ["+1585"],
            "orig_id_n": "o",
            "attest_n": "B",
            "cert_name_n": "c",
            "priority": 1,
        }
    ]
    source = {**SOURCE, "name": "s2", "source_ip": ["192.0.2.8"], "source_numbers": numbers}
    await acme.create("pcs/origination_source/acme2", **source)
    return acme


async def test_what_another_object_names_stays_while_it_is_named(named):
    with pytest.raises(InvalidInput, match="pcs/origination_source/acme2/s2"):
        await named.delete("pcs/service_provider/acme")
    assert len(everything(named, "acme")) == len(NAMES)
    await named.update("pcs/origination_source/acme2/s2", mask=("source_numbers",))
    await named.delete("pcs/service_provider/acme")


async def test_a_name_in_another_object_follows_a_rename(named):
    await named.update("pcs/service_provider/acme", name="zeta")
    source = named.get("pcs/origination_source/acme2/s2").origination_source
    assert source.source_numbers[0].service_provider_name == "zeta"
    await named.delete("pcs/service_provider/acme2")


async def test_what_is_out_of_reach_does_not_exist_for_a_reference(named, desk):
    numbers = {
        "numbers_n": ["+1585"],
        "orig_id_n": "o",
        "attest_n": "B",
        "cert_name_n": "c",
        "priority": 1,
    }
    said = set()
    for other in ("acme", "nobody"):
        listed = [{**numbers, "service_provider_name": other}]
        with pytest.raises(Invalid) as refused:
            await desk("service_provider:acme2").update(
                "pcs/origination_source/acme2/s2", source_numbers=listed
            )
        said.add(str(refused.value))
    assert len(said) == 1
