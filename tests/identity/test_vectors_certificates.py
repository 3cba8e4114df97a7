"""Every certificate of the vectors ends as their manifest says."""

from datetime import datetime
from typing import Any

import pytest

from callscreen.identity.certificates import TN_AUTH_LIST, authority_of, constraints_of, read_path
from callscreen.identity.chains import judge_chain
from callscreen.identity.model import Fault
from callscreen.identity.trust import Trust, roots_of

from .vectors import ABSENT, VECTORS, read

pytestmark = ABSENT
TODAY = 1_800_000_000.0  # 2027
ENTRIES: list[dict[str, Any]] = read("manifest.json").get("certificates", [])
ISSUERS = {
    "libstirshaken/sp.pem": "libstirshaken/ca.pem",
    "libstirshaken/wrongsp.pem": "libstirshaken/ca.pem",
    "sti-certs/leaf-spc-709J.pem": "sti-certs/issuing-ca-of-709J.pem",
    "sti-certs/leaf-spc-997E.pem": "sti-certs/issuing-ca-of-997E.pem",
}
GOOD_AT = "chain_with_issuing_ca_as_anchor_at_"


def trust_for(name: str) -> Trust:
    issuer = ISSUERS.get(name, "libstirshaken/ca.pem")
    return Trust(roots_of((VECTORS / issuer).read_bytes()))


@pytest.mark.parametrize("entry", ENTRIES, ids=[each["file"] for each in ENTRIES])
def test_certificate(entry: dict[str, Any]) -> None:
    name, expect = entry["file"], entry["expect"]
    path = read_path((VECTORS / name).read_bytes())
    leaf = path[0]
    assert leaf.not_valid_before_utc == datetime.fromisoformat(entry["not_before"])
    assert leaf.not_valid_after_utc == datetime.fromisoformat(entry["not_after"])
    held = [each.value.value for each in leaf.extensions if each.oid == TN_AUTH_LIST]
    listed = entry["tnauthlist_der_hex"]
    assert [each.hex() for each in held] == ([listed] if listed else [])
    if isinstance(expect.get("tnauthlist"), list):
        found = authority_of(leaf)
        assert found is not None
        assert [["spc", code] for code in found.spc] == expect["tnauthlist"]
        assert found.numbers == ()
    elif "tnauthlist" in expect:
        with pytest.raises(Fault):
            authority_of(leaf)
    else:
        assert authority_of(leaf) is None
    if "ejwt_claim_constraints" in expect:
        wanted, limits = expect["ejwt_claim_constraints"], constraints_of(leaf)
        assert limits is not None
        assert list(limits.must_include) == wanted["mustInclude"]
        assert {k: list(v) for k, v in limits.permitted} == wanted["permittedValues"]
        assert list(limits.must_exclude) == wanted["mustExclude"]


@pytest.mark.parametrize("entry", ENTRIES, ids=[each["file"] for each in ENTRIES])
def test_chain(entry: dict[str, Any]) -> None:
    name, expect = entry["file"], entry["expect"]
    path = read_path((VECTORS / name).read_bytes())
    trust = trust_for(name)
    for key in expect:
        if key.startswith(GOOD_AT):
            day = key.removeprefix(GOOD_AT).replace("_", "-")
            then = datetime.fromisoformat(day + "T00:00:00+00:00").timestamp()
            assert list(judge_chain(path, trust, then).spc) == [expect["tnauthlist"][0][1]]
    for now in (TODAY, path[0].not_valid_before_utc.timestamp() + 1):
        if now != TODAY and any(key.startswith(GOOD_AT) for key in expect):
            continue
        with pytest.raises(Fault) as caught:
            judge_chain(path, trust, now)
        assert caught.value.code == 437
