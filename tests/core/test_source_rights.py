"""A provider names addresses of its own as its calls' source, and no part of another's."""

import pytest

from callscreen.schema import Invalid

SOURCE = {"orig_id": "o", "attest": "A", "cert_name": "c"}


@pytest.fixture
async def providers(owner):
    for name in ("acme", "beta"):
        await owner.create("pcs/service_provider", name=name)
    return owner


async def named(desk, provider, *blocks, name="one"):
    return await desk.create(
        f"pcs/origination_source/{provider}", name=name, source_ip=list(blocks), **SOURCE
    )


@pytest.mark.parametrize(
    ("held", "part"),
    [
        ("192.0.2.0/24", "192.0.2.7"),
        ("192.0.2.0/24", "192.0.2.128/25"),
        ("192.0.0.0/16", "192.0.2.0/24"),
        ("0.0.0.0/0", "192.0.2.7"),
        ("2001:db8::/32", "2001:db8::7"),
    ],
)
async def test_a_part_of_another_s_block_is_refused(providers, desk, held, part):
    await named(providers, "acme", held)
    with pytest.raises(Invalid, match="another provider"):
        await named(desk("service_provider:beta"), "beta", part)
    await named(desk("service_provider:acme"), "acme", part, name="two")
    await named(providers, "beta", "198.51.100.0/24", name="mine")


async def test_the_platform_owner_shares_a_block_out(providers, desk):
    await named(providers, "acme", "192.0.2.0/24")
    await named(providers, "beta", "192.0.2.7")
    beta = desk("service_provider:beta")
    await beta.update("pcs/origination_source/beta/one", ("attest",), attest="B")
    with pytest.raises(Invalid):
        await beta.update(
            "pcs/origination_source/beta/one", ("source_ip",), source_ip=["192.0.2.7", "192.0.2.8"]
        )


@pytest.mark.parametrize(
    ("wide", "narrow"), [("10.0.0.0/23", "10.0.0.0/24"), ("fd00::/47", "fd00::/48")]
)
async def test_a_wide_block_is_the_platform_owner_s_to_name(providers, desk, wide, narrow):
    acme = desk("service_provider:acme")
    with pytest.raises(Invalid, match="platform owner"):
        await named(acme, "acme", wide)
    await named(acme, "acme", narrow)
    await named(providers, "acme", wide, name="wide")


async def test_another_s_certificate_is_refused(providers, desk):
    own = {**SOURCE, "cert_name": "acme-1"}
    await providers.create("pcs/origination_source/acme", name="one", **own)
    beta = desk("service_provider:beta")
    with pytest.raises(Invalid, match="another provider's certificate"):
        await beta.create("pcs/origination_source/beta", name="one", **own)
    group = {
        "numbers_n": ["+1585xxxxxxx"],
        "orig_id_n": "o",
        "attest_n": "A",
        "cert_name_n": "acme-1",
        "priority": 1,
    }
    mine = {**SOURCE, "cert_name": "beta-1"}
    with pytest.raises(Invalid, match="another provider's certificate"):
        await beta.create("pcs/origination_source/beta", name="one", source_numbers=[group], **mine)
    await beta.create("pcs/origination_source/beta", name="one", **mine)
    await desk("service_provider:acme").create("pcs/origination_source/acme", name="two", **own)
    # What the platform owner shares out stays.
    await providers.update("pcs/origination_source/beta/one", ("cert_name",), cert_name="acme-1")
    await beta.update("pcs/origination_source/beta/one", ("attest",), attest="B")
    await beta.create("pcs/origination_source/beta", name="two", **own)


async def test_another_s_certificate_signs_no_diversion(providers, desk):
    engine = {"screening_engine": {"divert_cert_name": True}}
    await providers.update("pcs/settings/", ("override",), override=engine)
    own = {**SOURCE, "cert_name": "acme-1"}
    await providers.create("pcs/origination_source/acme", name="one", **own)
    beta = desk("service_provider:beta")

    async def wish(who, provider, name):
        wished = {"divert_cert_name": name}
        await who.create("pcs/settings", service_provider_name=provider, screening_engine=wished)

    with pytest.raises(Invalid, match="another provider's certificate"):
        await wish(beta, "beta", "acme-1")
    await wish(beta, "beta", "beta-1")
    await wish(desk("service_provider:acme"), "acme", "acme-1")
    # and the other way round
    with pytest.raises(Invalid, match="another provider's certificate"):
        await desk("service_provider:acme").create(
            "pcs/origination_source/acme", name="two", **{**SOURCE, "cert_name": "beta-1"}
        )
