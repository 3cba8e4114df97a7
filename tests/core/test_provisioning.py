"""Creating, reading and changing objects of every type, in both products."""

import pytest

from callscreen.core.commands.prepare import list_fields
from callscreen.core.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    NotFound,
)
from callscreen.schema import TYPES, Invalid

from .conftest import obj, tenant

RULE = {
    "personal": True,
    "global": True,
    "override": False,
    "stir_shaken": False,
    "match": "continue",
    "no_match": "next",
    "priority": 1,
}
PCS = [
    ("service_provider", "pcs/service_provider", {"name": "new"}, "pcs/service_provider/new"),
    (
        "service_selection_criteria",
        "pcs/service_selection_criteria/acme",
        {"called_ccs": ["+1"]},
        "pcs/service_selection_criteria/acme/pcs%3Aacme",
    ),
    ("screening_rule", "pcs/screening_rule/acme", {"whitelist": RULE}, "pcs/screening_rule/acme"),
    (
        "audio",
        "pcs/audio/acme",
        {"file": "hello.wav", "location": "/media", "server": "one"},
        "pcs/audio/acme/hello.wav",
    ),
    ("subscriber", "pcs/subscriber/acme", {"name": "bob"}, "pcs/subscriber/acme/bob"),
    (
        "number",
        "pcs/number/acme/alice",
        {"number": "585 555-9999"},
        "pcs/number/acme/alice/%2B15855559999",
    ),
    (
        "origination_source",
        "pcs/origination_source/acme",
        {
            "name": "sbc",
            "source_ip": ["192.0.2.7"],
            "orig_id": "o",
            "attest": "A",
            "cert_name": "c",
        },
        "pcs/origination_source/acme/sbc",
    ),
    ("settings", "pcs/settings/acme", {}, "pcs/settings/acme"),
    (
        "administrator",
        "pcs/administrator/service_provider:acme",
        {"username": "John_1"},
        "pcs/administrator/service_provider%3Aacme/john_1",
    ),
]
CIN = [
    ("service_provider", "cin/service_provider", {"name": "new"}, "cin/service_provider/new"),
    ("subscriber", "cin/subscriber/acme", {"name": "bob"}, "cin/subscriber/acme/bob"),
    (
        "number",
        "cin/number/acme/alice",
        {"number": "585 555-9999", "vip": ["585555xxxx"]},
        "cin/number/acme/alice/%2B15855559999",
    ),
    ("settings", "cin/settings/acme", {}, "cin/settings/acme"),
    (
        "administrator",
        "cin/administrator/platform_owner",
        {"username": "jane"},
        "cin/administrator/platform_owner/jane",
    ),
]


@pytest.mark.parametrize(("type_", "parent", "fields", "name"), PCS + CIN)
async def test_every_type_is_created_read_changed_and_removed(
    owner, cin, type_, parent, fields, name
):
    desk = owner if parent.startswith("pcs") else cin
    await tenant(desk, "acme", "alice", "+15855550001")
    made = await desk.create(parent, **fields)
    assert made.name == name
    assert bool(made.activation_token) is (type_ == "administrator")
    made.ClearField("activation_token")
    assert desk.get(name) == made
    assert made.name in desk.names("/".join(parent.split("/")[:2]))
    with pytest.raises(AlreadyExists):
        await desk.create(parent, **fields)
    again = await desk.update(name, **fields)
    assert again.revision == made.revision + 1
    assert again.stamps.created == made.stamps.created
    await desk.delete(name)
    with pytest.raises(NotFound):
        desk.get(name)
    assert type_ == made.WhichOneof("kind")


async def test_stamps_tell_who_and_when(owner, clock):
    made = await owner.create("pcs/service_provider", name="acme")
    clock.now += 60
    changed = await owner.update("pcs/service_provider/acme", notes="x")
    assert changed.stamps.created_by == changed.stamps.modified_by == "pcs_administrator"
    assert changed.stamps.created == made.stamps.created == made.stamps.modified
    assert changed.stamps.modified.seconds == made.stamps.modified.seconds + 60


async def test_a_mask_clears_what_the_body_leaves_out_and_nothing_else(owner):
    await owner.create(
        "pcs/service_provider", name="acme", notes="kept", whitelist=["+15"], blacklist=["+16"]
    )
    changed = await owner.update(
        "pcs/service_provider/acme", mask=("whitelist", "email"), notes="x"
    )
    assert list(changed.service_provider.whitelist) == []
    assert list(changed.service_provider.blacklist) == ["+16"]
    assert changed.service_provider.notes == "kept"
    assert not changed.service_provider.HasField("email")


async def test_without_a_mask_what_is_set_is_changed(owner):
    await owner.create("pcs/service_provider", name="acme", notes="kept", whitelist=["+15"])
    changed = await owner.update("pcs/service_provider/acme", whitelist=["+17"])
    assert list(changed.service_provider.whitelist) == ["+17"]
    assert changed.service_provider.notes == "kept"


async def test_a_star_replaces_the_whole_object_but_its_name(owner):
    await owner.create("pcs/service_provider", name="acme", notes="gone", whitelist=["+15"])
    changed = await owner.update("pcs/service_provider/acme", mask=("*",), email="a@b")
    assert (
        changed.service_provider
        == obj("service_provider", name="acme", email="a@b").service_provider
    )


@pytest.mark.parametrize("path", ["nothing", "whitelist.0", "", "name,notes"])
async def test_a_mask_names_fields_or_is_refused(owner, path):
    await owner.create("pcs/service_provider", name="acme")
    with pytest.raises(InvalidInput) as refused:
        await owner.update("pcs/service_provider/acme", mask=(path,), notes="x")
    assert refused.value.errors[0].field == "update_mask"


async def test_a_rule_that_is_given_replaces_the_whole_rule(owner):
    await owner.create("pcs/service_provider", name="acme")
    black = {**RULE, "match": "terminate", "priority": 2}
    await owner.create("pcs/screening_rule/acme", whitelist=RULE, blacklist=black)
    changed = await owner.update("pcs/screening_rule/acme", whitelist={**RULE, "priority": 9})
    assert changed.screening_rule.whitelist.priority == 9
    assert changed.screening_rule.blacklist.priority == 2
    with pytest.raises(Invalid) as refused:
        await owner.update("pcs/screening_rule/acme", whitelist={"priority": 3})
    assert refused.value.errors[0].field == "whitelist.personal"
    removed = await owner.update("pcs/screening_rule/acme", mask=("whitelist",))
    assert not removed.screening_rule.HasField("whitelist")


async def test_a_missing_field_is_told_in_the_documented_words(owner):
    with pytest.raises(Invalid) as refused:
        await owner.create("pcs/service_provider", last_name="x")
    assert str(refused.value) == "ServiceProvider(): Field 'name' is required, but missing."
    assert owner.names("pcs/service_provider") == []


async def test_the_parent_fills_the_key_and_must_not_contradict_it(owner):
    await tenant(owner, "acme", "alice", "+1585")
    made = await owner.create(
        "pcs/number", number="1", subscriber_name="alice", service_provider_name="acme"
    )
    assert made.name == "pcs/number/acme/alice/%2B11"
    with pytest.raises(Invalid) as refused:
        await owner.create("pcs/number/acme/alice", number="2", subscriber_name="bob")
    assert refused.value.errors[0].field == "subscriber_name"
    same = await owner.create("pcs/number/acme/alice/3", number="+13")
    assert same.name == "pcs/number/acme/alice/%2B13"


async def test_an_update_creates_what_is_missing_only_where_told_to(owner):
    with pytest.raises(NotFound):
        await owner.update("pcs/service_provider/acme", notes="x")
    made = await owner.update("pcs/service_provider/acme", allow_missing=True, notes="x")
    assert made.service_provider.name == "acme"


async def test_a_revision_expected_and_not_found_changes_nothing(owner):
    made = await owner.create("pcs/service_provider", name="acme")
    await owner.update("pcs/service_provider/acme", revision=made.revision, notes="one")
    with pytest.raises(Conflict):
        await owner.update("pcs/service_provider/acme", revision=made.revision, notes="two")
    with pytest.raises(Conflict):
        await owner.delete("pcs/service_provider/acme", revision=made.revision)
    assert owner.get("pcs/service_provider/acme").service_provider.notes == "one"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "pcs",
        "nowhere/number/a",
        "pcs//a",
        "pcs/number",
        "pcs/number/a/b/c/d",
        "pcs/number/%ff/b/c",
        "pcs/service_provider/" + "x" * 9000,
    ],
)
async def test_what_is_no_name_is_refused(owner, name):
    with pytest.raises(InvalidInput) as refused:
        owner.get(name)
    assert refused.value.errors[0].field == "name"


@pytest.mark.parametrize("name", ["pcs/nothing/a", "cin/screening_rule/a", "cin/audio/a/b.wav"])
async def test_what_is_no_type_of_the_product_is_not_found(inside, name):
    with pytest.raises(NotFound):
        inside.get(name)


async def test_an_object_of_another_type_is_refused(owner, core):
    from callscreen.core.commands import create

    for wrong in (obj("subscriber", name="x"), type(obj("subscriber"))()):
        with pytest.raises(InvalidInput):
            await create.create(core, owner.caller, "pcs/service_provider", wrong)


async def test_fields_that_nobody_knows_are_not_stored(owner, core):
    from callscreen.core.commands import create

    body = obj("service_provider", name="acme")
    body.service_provider.MergeFromString(b"\xfa\xff\x03\x06hidden")
    await create.create(core, owner.caller, "pcs/service_provider", body)
    assert b"hidden" not in core.store.scan("pcs", "service_provider")[0][1]


async def test_what_was_there_at_that_revision_and_is_gone_is_not_made_again(owner):
    made = await owner.create("pcs/service_provider", name="acme")
    await owner.delete("pcs/service_provider/acme")
    with pytest.raises(Conflict):
        await owner.update(
            "pcs/service_provider/acme", allow_missing=True, revision=made.revision, notes="x"
        )
    assert owner.names("pcs/service_provider") == []


async def test_lists_that_a_change_leaves_alone_are_not_judged_again(owner, monkeypatch):
    lists = {"whitelist": ["+1585*", "+15855550001"], "blacklist": ["+1900xxxxxxx"]}
    await owner.create("pcs/service_provider", name="acme", **lists)
    kind, judged = TYPES["service_provider"], []
    normalise = kind.normalise

    def noted(body, product, country_code):
        judged.append((list(body.whitelist), list(body.blacklist)))
        normalise(body, product, country_code)

    monkeypatch.setattr(kind, "normalise", noted)
    await owner.update("pcs/service_provider/acme", notes="new", blacklist=["1900"])
    assert judged == [([], ["1900"])]
    held = owner.get("pcs/service_provider/acme").service_provider
    assert list(held.whitelist) == lists["whitelist"]
    assert (list(held.blacklist), held.notes) == (["+11900"], "new")


def test_a_list_of_numbers_may_be_empty_and_has_no_default():
    """Else leaving an unchanged one out of the judgement would change it."""
    fields = [
        (kind, field)
        for kind in TYPES.values()
        for field in kind.fields
        if field.name in list_fields(kind)
    ]
    assert {field.name for _, field in fields} == {"whitelist", "blacklist", "vip", "blocked"}
    for kind, field in fields:
        assert not field.rules.required
        for product in kind.products:
            body = kind.message()
            kind.complete(body, product)
            assert not getattr(body, field.name)
