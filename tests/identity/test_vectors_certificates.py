"""Certificates made by others, each as its manifest says."""

import datetime
from typing import Any

import pytest

from callscreen.identity.certificates import authority_of, constraints_of, read_path
from callscreen.identity.chains import judge_chain
from callscreen.identity.model import Fault
from callscreen.identity.trust import Trust

from .vectors import ABSENT, VECTORS, read

pytestmark = ABSENT
CERTIFICATES = {
    each["file"]: each["expect"] for each in read("manifest.json").get("certificates", [])
}
CHAINS = [  # leaf, root, day, whether it is believed then
    ("sti-certs/leaf-spc-709J.pem", "sti-certs/issuing-ca-of-709J.pem", "2022-10-15", True),
    ("sti-certs/leaf-spc-709J.pem", "sti-certs/issuing-ca-of-709J.pem", "2026-11-23", False),
    ("sti-certs/leaf-spc-997E.pem", "sti-certs/issuing-ca-of-997E.pem", "2021-01-01", True),
    ("sti-certs/leaf-spc-997E.pem", "sti-certs/issuing-ca-of-997E.pem", "2026-11-23", False),
    ("sti-certs/leaf-spc-709J.pem", "sti-certs/issuing-ca-of-997E.pem", "2022-10-15", False),
    ("libstirshaken/sp.pem", "libstirshaken/ca.pem", "2026-11-23", False),
    ("libstirshaken/wrongsp.pem", "libstirshaken/ca.pem", "2026-11-23", False),
    ("rfc/rfc9118-fig1-cert.pem", "libstirshaken/ca.pem", "2021-10-01", False),
]


def certificate(name: str) -> Any:
    return read_path((VECTORS / name).read_bytes())[0]


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_list_of_numbers_is_read_or_refused(name: str) -> None:
    expected = CERTIFICATES[name].get("tnauthlist")
    if isinstance(expected, str):
        assert expected.startswith("malformed")
        with pytest.raises(Fault, match="TNAuthList"):
            authority_of(certificate(name))
    elif expected is None:
        assert authority_of(certificate(name)) is None
    else:
        found = authority_of(certificate(name))
        assert found is not None
        assert [["spc", code] for code in found.spc] == expected
        assert found.numbers == ()


@pytest.mark.parametrize("name", CERTIFICATES)
def test_claim_constraints_are_read(name: str) -> None:
    expected = CERTIFICATES[name].get("ejwt_claim_constraints")
    found = constraints_of(certificate(name))
    if expected is None:
        assert found is None
        return
    assert found is not None
    assert list(found.must_include) == expected["mustInclude"]
    assert {key: list(values) for key, values in found.permitted} == expected["permittedValues"]
    assert list(found.must_exclude) == expected["mustExclude"]


@pytest.mark.parametrize(("leaf", "root", "day", "good"), CHAINS)
def test_a_chain_is_believed_in_its_time(leaf: str, root: str, day: str, good: bool) -> None:
    moment = datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()
    trust = Trust((certificate(root),))
    if good:
        expected = [code for _, code in CERTIFICATES[leaf]["tnauthlist"]]
        assert list(judge_chain([certificate(leaf)], trust, moment).spc) == expected
        return
    with pytest.raises(Fault) as caught:
        judge_chain([certificate(leaf)], trust, moment)
    assert caught.value.code == 437
    assert not caught.value.unknown
