"""A provider's own settings hold what the platform lets it hold, and nothing else."""

import pytest

from callscreen.core.commands import write
from callscreen.schema import Invalid

from .conftest import obj

OWN = "pcs/settings/acme"
EGRESS = {"egress_route": "a.example"}
REFUSED = r"^Settings\(\): Field 'screening_engine.egress_route' may not be overridden\.$"


@pytest.fixture
async def acme(owner, desk):
    await owner.create("pcs/service_provider", name="acme")
    return desk("service_provider:acme")


async def allow(owner, **places):
    await owner.update("pcs/settings/", override=places)


async def test_what_the_platform_has_not_enabled_is_refused_however_it_comes(owner, acme, core):
    await allow(owner, screening_engine={"use_contact": True, "egress_route": False})
    before = core.store.revision
    for desk in (owner, acme):
        with pytest.raises(Invalid, match=REFUSED) as refused:
            await desk.create(OWN, screening_engine=EGRESS)
        assert refused.value.errors[0][:2] == ("screening_engine.egress_route", "read_only")
        with pytest.raises(Invalid, match=REFUSED):
            await desk.update(OWN, allow_missing=True, screening_engine=EGRESS)
        body = obj("settings", service_provider_name="acme", screening_engine=EGRESS)
        with pytest.raises(write.BatchRefused, match=REFUSED):
            await write.write(core, desk.caller, "pcs/settings", [body])
    assert core.store.revision == before


async def test_every_refused_setting_is_named(owner, acme):
    await allow(owner, screening_engine={"use_contact": True})
    with pytest.raises(Invalid) as refused:
        await acme.create(
            OWN,
            screening_engine={**EGRESS, "use_contact": True},
            web_settings={"password_length": 9},
        )
    assert {error.field for error in refused.value.errors} == {
        "web_settings.password_length",
        "screening_engine.egress_route",
    }


async def test_what_the_platform_has_enabled_is_held(owner, acme):
    await allow(owner, screening_engine={"egress_route": True})
    made = await acme.create(OWN, screening_engine=EGRESS)
    assert made.settings.screening_engine.egress_route == "a.example"
    with pytest.raises(Invalid):
        await acme.update(OWN, web_settings={"password_length": 9})


async def test_what_is_no_longer_enabled_stays_or_goes_and_does_not_change(owner, acme):
    await allow(owner, screening_engine={"egress_route": True})
    await acme.create(OWN, screening_engine=EGRESS)
    await allow(owner)
    await acme.update(OWN, screening_engine=EGRESS)
    with pytest.raises(Invalid, match=REFUSED):
        await acme.update(OWN, screening_engine={"egress_route": "b.example"})
    cleared = await acme.update(OWN, mask=("screening_engine",))
    assert not cleared.settings.HasField("screening_engine")
    with pytest.raises(Invalid, match=REFUSED):
        await acme.update(OWN, screening_engine=EGRESS)
