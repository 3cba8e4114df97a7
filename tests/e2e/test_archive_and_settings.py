"""Settings and the archive as an integrator meets them: the next call heeds what was answered."""

import urllib.request
from dataclasses import replace

import pytest

from .conftest import PASSWORD, Platform, eventually, invite

ALICE = "+15851239876"
STRANGER = "+15855550000"
NUMBER = "number/acme/alice/%2B15851239876"


@pytest.fixture(scope="module")
def provisioned(platform: Platform) -> Platform:
    platform.ok("POST", "service_provider", {"name": "acme", "blacklist": [STRANGER]})
    platform.ok("POST", "subscriber/acme", {"name": "alice"})
    platform.ok("POST", "number/acme/alice", {"number": ALICE})
    rule = {"personal": True, "global": True, "override": True, "stir_shaken": False}
    rule |= {"match": "terminate", "no_match": "next", "priority": 1}
    platform.ok("PUT", "screening_rule/acme", {"blacklist": rule})
    return platform


def administrator(platform: Platform) -> Platform:
    """The same platform, as an administrator of the provider meets it."""
    made = platform.ok("POST", "administrator/service_provider:acme", {"username": "ann"})
    words = {"token": made[0]["meta"]["activation_token"], "password": PASSWORD}
    platform.ok("POST", "password", words)
    login = {"username": "ann", "password": PASSWORD}
    token = platform.ok("POST", "authenticate", login)[0]["token"]
    return replace(platform, tokens={"pcs": token})


def route(platform: Platform) -> str:
    """Where a call that goes on is sent."""
    lines = invite(platform.sip, "+15855550001", ALICE)
    return next((line for line in lines if line.startswith("Contact:")), lines[0])


def test_a_change_of_settings_reaches_the_edge_without_a_restart(provisioned: Platform) -> None:
    engine = {"use_contact": False, "egress_route": "one.example"}
    provisioned.ok("PUT", "settings/", {"screening_engine": engine})
    eventually(lambda: "@one.example" in route(provisioned))
    places = {"screening_engine": {"egress_route": True}}
    provisioned.ok("PUT", "settings/", {"__override__": places})
    acme = administrator(provisioned)
    acme.ok("PUT", "settings/", {"screening_engine": {"egress_route": "own.example"}})
    eventually(lambda: "@own.example" in route(provisioned))
    assert "own.example" in str(acme.ok("GET", "settings/?effective=true"))
    provisioned.ok("PUT", "settings/", {"__override__": {}})
    eventually(lambda: "@one.example" in route(provisioned))
    assert "one.example" in str(acme.ok("GET", "settings/?effective=true"))
    assert "own.example" in str(acme.ok("GET", "settings/"))


def test_what_is_archived_decides_no_call_until_it_is_restored(provisioned: Platform) -> None:
    eventually(lambda: "603" in provisioned.call(STRANGER, ALICE))
    provisioned.ok("DELETE", "service_provider/acme")
    eventually(lambda: "302" in provisioned.call(STRANGER, ALICE))
    assert provisioned.ok("GET", NUMBER) == []
    (found,) = provisioned.ok("GET", f"{NUMBER}?archive=true")
    assert found["attributes"]["number"] == ALICE
    provisioned.ok("DELETE", "service_provider/acme?restore=true")
    eventually(lambda: "603" in provisioned.call(STRANGER, ALICE))
    (found,) = provisioned.ok("GET", NUMBER)
    assert found["attributes"]["number"] == ALICE
    provisioned.ok("DELETE", NUMBER)
    provisioned.ok("DELETE", f"{NUMBER}?archive=true")
    assert provisioned.rest("DELETE", f"{NUMBER}?restore=true")["meta"]["code"] == 404


def test_a_file_that_is_uploaded_comes_back(provisioned: Platform) -> None:
    login = {"username": "pcs_administrator", "password": PASSWORD}
    token = provisioned.ok("POST", "authenticate", login)[0]["token"]
    samples = bytes(1600)
    header = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\x07\0\x01\0"
    header += (8000).to_bytes(4, "little") * 2 + b"\x01\0\x08\0data"
    octets = header + len(samples).to_bytes(4, "little") + samples
    url = f"http://{provisioned.http}/pcs/api/audio/acme/hello.wav"
    headers = {"Authorization": f"Basic {token}", "Content-Type": "audio/wav"}
    request = urllib.request.Request(url, data=octets, method="PUT", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        assert b'"code":200' in response.read().replace(b" ", b"")
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.read() == octets
