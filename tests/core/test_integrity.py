"""What binds an object to others, and what is kept of its secrets."""

import pytest

from callscreen.core.errors import InvalidInput
from callscreen.core.pins import pin_matches
from callscreen.schema import Invalid

from .conftest import tenant


async def test_what_is_referred_to_must_exist(owner):
    with pytest.raises(Invalid) as refused:
        await owner.create("pcs/subscriber/nobody", name="alice")
    assert refused.value.errors[0][:2] == ("service_provider_name", "reference")
    with pytest.raises(Invalid) as refused:
        await owner.create("pcs/administrator/subscriber:a:b", username="x")
    assert refused.value.errors[0][:2] == ("role_id", "reference")


async def test_a_unique_value_is_taken_until_it_is_freed(owner):
    await tenant(owner, "acme", "alice", "+15855550001")
    await tenant(owner, "other", "bob", "+15855550002")
    with pytest.raises(Invalid) as refused:
        await owner.create("pcs/number/other/bob", number="5855550001")
    assert refused.value.errors[0] == (
        "number",
        "unique",
        "Number(): Field 'number' must be unique.",
    )
    await owner.delete("pcs/number/acme/alice/+15855550001")
    await owner.create("pcs/number/other/bob", number="5855550001")


async def test_a_user_name_is_unique_whatever_the_role(owner):
    await owner.create("pcs/service_provider", name="acme")
    await owner.create("pcs/administrator/platform_owner", username="jane")
    with pytest.raises(Invalid) as refused:
        await owner.create("pcs/administrator/service_provider:acme", username="JANE")
    assert refused.value.errors[0][:2] == ("username", "unique")


async def test_the_default_country_code_is_the_product_s_setting(owner, cin):
    web = {"default_cc": "44"}
    await cin.update("cin/settings/", web_settings=web)
    for desk, number in ((owner, "+12079460000"), (cin, "+442079460000")):
        await tenant(desk, "acme", "alice", "2079460000")
        product = desk.caller.product
        assert desk.get(f"{product}/number/acme/alice/2079460000").number.number == number


async def test_a_name_made_up_is_told(owner):
    await owner.create("pcs/service_provider", name="acme")
    made = await owner.create("pcs/origination_source/acme", orig_id="o", attest="A", cert_name="c")
    source = made.origination_source
    assert source.name.startswith("origination_source_")
    assert owner.get(f"pcs/origination_source/acme/{source.name}") == made


async def test_a_secret_is_masked_and_the_mask_keeps_it(owner, core):
    await owner.update("pcs/settings/", application_password="hidden")
    shown = owner.get("pcs/settings/")
    assert shown.settings.application_password == "********"
    body = shown.settings
    await owner.update(
        "pcs/settings/", application_password=body.application_password, csr_location="sip:x@y"
    )
    stored = core.store.scan("pcs", "settings")[0][1]
    assert b"hidden" in stored
    assert b"hidden" not in b"".join(record for _, record in core.store.tail(0))


async def test_a_pin_is_stored_as_a_keyed_hash(cin, core):
    await tenant(cin, "acme", "alice", "+1585")
    shown = await cin.update("cin/number/acme/alice/+1585", ivr_pin="1234")
    assert shown.number.ivr_pin == "********"
    stored = type(shown).FromString(core.store.scan("cin", "number")[0][1]).number.ivr_pin
    assert stored.startswith("hmac-sha256$")
    assert pin_matches(core.means.pepper, stored, "1234")
    assert not pin_matches(core.means.pepper, stored, "1235")
    kept = await cin.update("cin/number/acme/alice/+1585", ivr_pin="********", nickname="n")
    assert kept.number.nickname == "n"
    assert stored.encode() in core.store.scan("cin", "number")[0][1]
    with pytest.raises(Invalid):
        await cin.update("cin/number/acme/alice/+1585", ivr_pin="hmac-sha256$00$00")


async def test_a_provider_s_settings_hold_nothing_but_its_own(owner):
    await owner.create("pcs/service_provider", name="acme")
    await owner.update("pcs/settings/", override={"screening_engine": {"egress_route": True}})
    made = await owner.create("pcs/settings/acme", screening_engine={"egress_route": "a.example"})
    assert [field.name for field, _ in made.settings.ListFields()] == [
        "service_provider_name",
        "screening_engine",
    ]


async def test_the_platform_s_settings_stay(owner):
    with pytest.raises(InvalidInput):
        await owner.delete("pcs/settings/")
    await owner.create("pcs/service_provider", name="acme")
    with pytest.raises(Invalid):
        await owner.update("pcs/settings/", service_provider_name="acme")
    assert owner.names("pcs/settings") == ["pcs/settings/"]
