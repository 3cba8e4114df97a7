"""A tenant sees and changes nothing of another: every type, every verb, both products."""

import pytest

from callscreen.core.commands import (
    append_records,
    query_records,
    replicate,
    screen,
    set_password,
)
from callscreen.core.errors import NotFound, PermissionDenied
from callscreen.schema import TYPES
from callscreen.v1 import provisioning_pb2, replication_pb2, rules_pb2
from callscreen.v1.screening_pb2 import Call

from .conftest import tenant
from .test_provisioning import RULE

NAMES = {
    "service_provider": "{0}",
    "service_selection_criteria": "{0}/pcs%3A{0}",
    "screening_rule": "{0}",
    "audio": "{0}/hello.wav",
    "subscriber": "{0}/bob",
    "number": "{0}/bob/%2B15855550002",
    "origination_source": "{0}/sbc",
    "settings": "{0}",
    "administrator": "service_provider%3A{0}/ann",
}


@pytest.fixture
async def theirs(owner):
    """A provider with something of every type."""
    await tenant(owner, "acme", "alice", "+15855550001")
    await tenant(owner, "other", "bob", "+15855550002")
    await owner.create("pcs/service_selection_criteria/other", called_ccs=["1"])
    await owner.create("pcs/screening_rule/other", whitelist=RULE)
    await owner.create("pcs/audio/other", file="hello.wav", location="/", server="s")
    await owner.create(
        "pcs/origination_source/other", name="sbc", orig_id="o", attest="A", cert_name="c"
    )
    await owner.create("pcs/settings/other")
    await owner.create("pcs/administrator/service_provider:other", username="ann")
    for type_, name in NAMES.items():
        assert owner.get(f"pcs/{type_}/{name.format('other')}")
    return owner


ROLES = ["service_provider:acme", "subscriber:acme:alice", "subscriber:other:eve"]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("type_", sorted(TYPES))
async def test_nothing_of_another_tenant_is_seen_or_changed(theirs, desk, core, role, type_):
    caller, before = desk(role), core.store.revision
    name = f"pcs/{type_}/{NAMES[type_].format('other')}"
    with pytest.raises(NotFound) as hidden:
        caller.get(name)
    with pytest.raises(NotFound) as absent:
        caller.get(name.replace("other", "nobody"))
    assert str(hidden.value) == str(absent.value)
    parent = name.rpartition("/")[0]
    for below in (f"pcs/{type_}", parent):
        assert name not in caller.names(below)
    assert name not in caller.names(f"pcs/{type_}", sort="modified")
    assert name not in caller.names(f"pcs/{type_}", like="e")
    for write in (
        caller.update(name),
        caller.update(name, allow_missing=True),
        caller.update(name.replace("other", "nobody")),
        caller.delete(name),
        caller.delete(name.replace("other", "nobody")),
    ):
        with pytest.raises(PermissionDenied):
            await write
    assert core.store.revision == before


@pytest.mark.parametrize("role", [*ROLES, "platform_owner"])
@pytest.mark.parametrize("type_", sorted(TYPES))
async def test_nothing_of_the_other_product_is_seen_or_changed(
    inside, cin, desk, core, role, type_
):
    await tenant(cin, "acme", "alice", "+15855550001")
    if "cin" not in TYPES[type_].products:
        return
    caller, before = desk(role), core.store.revision
    assert caller.names(f"cin/{type_}") == []
    name = (
        f"cin/{type_}/"
        + {
            "service_provider": "acme",
            "subscriber": "acme/alice",
            "number": "acme/alice/+15855550001",
            "settings": "",
            "administrator": "platform_owner/cin_administrator",
        }[type_]
    )
    assert inside.get(name)
    with pytest.raises(NotFound):
        caller.get(name)
    for write in (caller.update(name), caller.delete(name), caller.create(f"cin/{type_}")):
        with pytest.raises(PermissionDenied):
            await write
    assert core.store.revision == before


async def test_a_tenant_cannot_climb(theirs, desk):
    acme = desk("service_provider:acme")
    await acme.create("pcs/administrator/service_provider:acme", username="own")
    mine = "pcs/administrator/service_provider:acme/own"
    for role in ("platform_owner", "service_provider:other", "subscriber:other:bob"):
        with pytest.raises(PermissionDenied):
            await acme.create("pcs/administrator", username="x", role_id=role)
        with pytest.raises(PermissionDenied):
            await acme.update(mine, role_id=role)
    with pytest.raises(PermissionDenied):
        await acme.update("pcs/service_provider/acme", name="acme3")
    with pytest.raises(PermissionDenied):
        await acme.update("pcs/subscriber/acme/alice", service_provider_name="other")
    alice = desk("subscriber:acme:alice")
    with pytest.raises(PermissionDenied):
        await alice.update("pcs/subscriber/acme/alice", name="bob")
    with pytest.raises(PermissionDenied):
        await alice.create("pcs/number/acme/alice", number="+1999")
    with pytest.raises(PermissionDenied):
        await alice.update("pcs/number/acme/alice/+15855550001", number="+1999")


async def test_a_tenant_works_on_its_own(theirs, desk):
    acme, alice = desk("service_provider:acme"), desk("subscriber:acme:alice")
    await acme.update("pcs/service_provider/acme", whitelist=["+1"])
    await acme.create("pcs/number/acme/alice", number="+1999")
    await alice.update("pcs/number/acme/alice/+1999", blacklist=["+18"])
    assert alice.names("pcs/number") == acme.names("pcs/number/acme")
    assert acme.names("pcs/service_provider") == ["pcs/service_provider/acme"]
    await acme.delete("pcs/subscriber/acme/alice")


async def test_of_another_tenant_s_number_a_verdict_says_nothing(theirs, desk, core):
    for called in ("+15855550002", "+19995550000"):
        call = Call(called=called, calling="+1777")
        verdict = screen.screen(core, desk("service_provider:acme").caller, call)
        assert (verdict.reason, verdict.service_provider_name) == ("not_provisioned", "")
        assert not verdict.trace
    own = Call(called="+15855550001")
    verdict = screen.screen(core, desk("service_provider:acme").caller, own)
    assert verdict.subscriber_name == "alice"
    with pytest.raises(PermissionDenied):
        screen.screen(core, desk("subscriber:acme:alice").caller, own)
    with pytest.raises(PermissionDenied):
        screen.screen(core, theirs.caller, Call(product=rules_pb2.CIN, called="+1"))


@pytest.mark.parametrize("role", [*ROLES, "platform_owner"])
async def test_what_is_for_internal_services_is_for_them_alone(theirs, desk, core, role):
    caller = desk(role).caller
    with pytest.raises(PermissionDenied):
        replicate.snapshot(core, caller)
    with pytest.raises(PermissionDenied):
        replicate.watch(core, caller, replication_pb2.ResumeToken())
    with pytest.raises(PermissionDenied):
        await append_records.append(core, caller, b"")
    if role != "platform_owner":
        with pytest.raises(PermissionDenied):
            await set_password.set_password(
                core, caller, "pcs/administrator/service_provider:acme/x", "long enough"
            )
    query = provisioning_pb2.TableQuery()
    assert query_records.query(core, caller, "cin/cdr", query).total == 0


async def test_a_tenant_cannot_claim_the_calls_of_another(theirs, desk):
    acme = desk("service_provider:acme")
    for claim in ({"source_ips": ["0.0.0.0/0"]}, {"called_ccs": ["1"]}):
        with pytest.raises(PermissionDenied):
            await acme.create("pcs/service_selection_criteria/acme", **claim)
    await theirs.create("pcs/service_selection_criteria/acme", source_ips=["192.0.2.1"])
    name = "pcs/service_selection_criteria/acme/pcs%3Aacme"
    assert acme.get(name)
    with pytest.raises(PermissionDenied):
        await acme.update(name, source_ips=["0.0.0.0/0"])
