"""Settings in force: each value, and where it comes from."""

import pytest

from callscreen.core.commands.effective import effective_settings, in_force
from callscreen.core.errors import InvalidInput, NotFound
from callscreen.fastpath.loader import ENGINE_FIELDS, engine_settings
from callscreen.schema import MASK, TYPES

OWN = "pcs/settings/acme"


@pytest.fixture
async def acme(owner, desk):
    await owner.create("pcs/service_provider", name="acme")
    allowed = {"web_settings": {"password_length": True}, "screening_engine": {"use_contact": True}}
    await owner.update("pcs/settings/", override=allowed)
    return desk("service_provider:acme")


def effective(desk, name=OWN):
    return effective_settings(desk.core, desk.caller, name)


async def test_defaults_until_somebody_sets_something(owner):
    found, sources = effective(owner, "pcs/settings/")
    assert found.settings == owner.get("pcs/settings/").settings
    assert set(sources.values()) == {"default"}
    assert "web_settings.default_cc" in sources
    assert "branding" in sources
    assert "calling_sources_config" in sources
    assert "email_settings.messages.recover.subject" in sources
    assert "screening_engine.sip_connection_type" not in sources  # cin's
    assert "service_provider_name" not in sources


async def test_every_setting_of_a_product_has_a_source(owner, cin):
    for desk, product in ((owner, "pcs"), (cin, "cin")):
        shown = TYPES["settings"].to_json(TYPES["settings"].message(), product)
        tops = {path.partition(".")[0] for path in effective(desk, f"{product}/settings/").sources}
        assert tops == set(shown) - {"service_provider_name"}


async def test_each_value_is_the_nearest_one(owner, acme):
    await owner.update(
        "pcs/settings/", web_settings={"password_length": 9, "help_page": "http://a"}
    )
    await acme.create(OWN, web_settings={"password_length": 12})
    found, sources = effective(acme)
    assert found.name == OWN
    assert found.settings.service_provider_name == "acme"
    web = found.settings.web_settings
    assert (web.password_length, web.help_page, web.default_cc) == (12, "http://a", "1")
    assert sources["web_settings.password_length"] == "service_provider"
    assert sources["web_settings.help_page"] == "platform"
    assert sources["web_settings.default_cc"] == "default"
    assert effective(owner, "pcs/settings/").settings.settings.web_settings.password_length == 9


async def test_a_value_counts_as_long_as_the_platform_lets_it(owner, acme):
    await acme.create(OWN, screening_engine={"use_contact": False})
    assert effective(acme).sources["screening_engine.use_contact"] == "service_provider"
    await owner.update("pcs/settings/", override={"screening_engine": {"use_contact": False}})
    found, sources = effective(acme)
    assert found.settings.screening_engine.use_contact is True
    assert sources["screening_engine.use_contact"] == "default"


async def test_secrets_are_masked(owner, acme):
    await owner.update(
        "pcs/settings/", application_password="hush", email_settings={"password": "x"}
    )
    found, sources = effective(owner, "pcs/settings/")
    assert found.settings.application_password == MASK
    assert found.settings.email_settings.password == MASK
    assert sources["application_password"] == "platform"
    assert b"hush" not in effective(acme).settings.SerializeToString()


async def test_who_may(owner, acme, desk):
    await owner.create("pcs/service_provider", name="other")
    assert effective(owner, "pcs/settings/other").sources
    for stranger in (desk("service_provider:other"), desk("platform_owner", "cin")):
        with pytest.raises(NotFound):
            effective(stranger)
    with pytest.raises(NotFound):
        effective(acme, "pcs/settings/")
    with pytest.raises(NotFound):
        effective(owner, "pcs/settings/nobody")
    with pytest.raises(InvalidInput):
        effective(owner, "pcs/service_provider/acme")


async def test_an_edge_heeds_the_same_values(owner, acme):
    every = dict.fromkeys(("egress_route", "use_contact", "sip_routing_prefix"), True)
    await owner.update("pcs/settings/", override={"screening_engine": every})
    await acme.create(OWN, screening_engine={"egress_route": "a.example", "use_contact": False})
    await owner.update("pcs/settings/", override={"screening_engine": {"egress_route": True}})
    platform, own = owner.get("pcs/settings/").settings, owner.get(OWN).settings
    edge = engine_settings(1, platform, own)
    with owner.core.store.read() as reader:
        here = in_force(reader, "pcs", "acme").settings.settings.screening_engine
    pcs = [name for name in ENGINE_FIELDS if name in {f.name for f, _ in here.ListFields()}]
    assert len(pcs) > 5
    for field in pcs:
        assert getattr(edge, field) == getattr(here, field)


async def test_what_runs_the_platform_is_the_platform_s_alone(owner, acme):
    mail = {"use_email": True, "host": "mail.example.net", "user": "robot", "port": 25}
    await owner.update("pcs/settings/", email_settings=mail)
    mine, theirs = effective(owner, "pcs/settings/"), effective(acme)
    assert mine.settings.settings.email_settings.user == "robot"
    assert mine.sources["email_settings.user"] == "platform"
    assert not theirs.settings.settings.HasField("email_settings")
    assert not theirs.settings.settings.application_username
    assert not [path for path in theirs.sources if path.startswith(("email", "security"))]
