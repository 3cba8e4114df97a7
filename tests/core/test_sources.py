"""Two origination sources never claim the same prefix: which signs would be anybody's guess."""

import pytest

from callscreen.schema import Invalid

SIGNING = {"orig_id": "o", "attest": "A", "cert_name": "c"}


@pytest.fixture
async def acme(owner):
    """Two providers, of which one has a source."""
    for provider in ("acme", "other"):
        await owner.create("pcs/service_provider", name=provider)
    taken = ["192.0.2.1", "198.51.100.0/24"]
    await owner.create("pcs/origination_source/acme", name="sbc", source_ip=taken, **SIGNING)


@pytest.mark.parametrize("provider", ["acme", "other"])
@pytest.mark.parametrize(
    "tie",
    ["192.0.2.1", "192.0.2.1/32", "::ffff:192.0.2.1", "198.51.100.7/24", "::ffff:198.51.100.9/120"],
)
async def test_a_tie_is_refused_however_it_is_written(owner, acme, desk, provider, tie):
    own = {**SIGNING, "cert_name": f"{provider}_1"}  # no other provider's certificate
    tenant = desk(f"service_provider:{provider}")
    with pytest.raises(Invalid) as refused:
        await tenant.create(
            f"pcs/origination_source/{provider}", name="mine", source_ip=[tie], **own
        )
    assert [(each.field, each.code) for each in refused.value.errors] == [("source_ip", "unique")]
    made = await tenant.create(f"pcs/origination_source/{provider}", name="mine", **own)
    with pytest.raises(Invalid, match="must be unique"):
        await owner.update(made.name, source_ip=[tie])


async def test_a_longer_or_shorter_prefix_is_no_tie(owner, acme):
    near = ["198.51.100.0/25", "198.51.0.0/16", "192.0.2.2"]
    await owner.create("pcs/origination_source/other", name="mine", source_ip=near, **SIGNING)
    await owner.delete("pcs/origination_source/acme/sbc")
    await owner.update("pcs/origination_source/other/mine", source_ip=[*near, "192.0.2.1"])
