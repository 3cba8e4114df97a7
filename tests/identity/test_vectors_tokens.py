"""Tokens of RFCs and of other products, each as its manifest says; and r and s of Wycheproof."""

from base64 import urlsafe_b64decode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from callscreen.identity.canonical import canonical_json, strict_json
from callscreen.identity.claims import check_claims
from callscreen.identity.header import read_identity
from callscreen.identity.model import Fault, IdentityHeader

from .vectors import ABSENT, public_key, read, verifies

MANIFEST: dict[str, Any] = read("manifest.json")
TOKENS = [each for each in MANIFEST.get("tokens", ()) if "token" in each]
FULL = [each for each in TOKENS if each["expect"]["signature_valid"] is not None]
CANONICAL = MANIFEST.get("canonical", [])
GROUPS = read("wycheproof/ecdsa_secp256r1_sha256_p1363_test.json").get("testGroups", [])

# What a strict reader says of the tokens whose header and claims are not to be taken.
REFUSED = {
    "rfc8225-7.1-full": ("iat", 438),
    "rfc8225-7.1-compact": ("compact", 438),
    "rfc8946-5-div-o": ("dest", 438),
    "rfc8443-4.1-rph": ("info", 436),
    "libstirshaken-readme-3": ("orig", 438),
    "libstirshaken-passport-1": ("x5u", 436),
    "libstirshaken-passport-2": ("x5u", 436),
    "libstirshaken-spc-token": ("typ", 437),
}

pytestmark = ABSENT


def by_id(vectors: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(each, id=each["id"]) for each in vectors]


def header_of(vector: dict[str, Any]) -> bytes:
    """The Identity value, as printed or with the URL that the token itself names."""
    if "header" in vector:
        return str(vector["header"]).encode()
    return f"{vector['token']};info=<{vector.get('info') or url_of(vector['token'])}>".encode()


def url_of(token: str) -> str:
    first = token.split(".")[0]
    return str(jwt.get_unverified_header(token)["x5u"]) if first else "https://example.com/"


def taken(vector: dict[str, Any]) -> IdentityHeader:
    header = read_identity(header_of(vector))
    check_claims(header)
    return header


def test_there_is_a_word_on_every_token() -> None:
    refused = {each["id"] for each in TOKENS if not each["expect"]["accept_claims"]}
    assert refused == REFUSED.keys()
    assert len(TOKENS) >= 16


@pytest.mark.parametrize("vector", by_id(TOKENS))
def test_header_and_claims_are_taken_or_not(vector: dict[str, Any]) -> None:
    if vector["expect"]["accept_claims"]:
        header = taken(vector)
        assert header.token.decode() == vector["token"]
        return
    with pytest.raises(Fault) as caught:
        taken(vector)
    assert (caught.value.check, caught.value.code) == REFUSED[vector["id"]]


def test_claims_that_are_no_json_are_a_fault_too() -> None:
    vector = next(each for each in TOKENS if each["id"] == "rfc8443-4.1-rph")
    with pytest.raises(Fault) as caught:
        taken({"token": vector["token"]})
    assert (caught.value.check, caught.value.code) == ("claims", 438)


@pytest.mark.parametrize("vector", by_id(FULL))
def test_signatures_hold_over_the_octets_received_or_not(vector: dict[str, Any]) -> None:
    expected = vector["expect"]["signature_valid"]
    signed, _, signature = vector["token"].rpartition(".")
    octets = urlsafe_b64decode(signature + "==")
    assert verifies(public_key(vector["key"]), octets, signed.encode()) is expected
    if vector["expect"]["accept_claims"]:
        header = taken(vector)
        assert (header.signed, header.signature) == (signed.encode(), octets)


@pytest.mark.parametrize("vector", by_id(TOKENS))
def test_parts_are_canonical_or_not(vector: dict[str, Any]) -> None:
    parts = vector["token"].split(".")[:2]
    for part, name in zip(parts, ("header_canonical", "payload_canonical"), strict=True):
        if vector["expect"].get(name) is None:
            continue
        octets = urlsafe_b64decode(part + "==")
        assert (canonical_json(strict_json(octets)) == octets) is vector["expect"][name]


@pytest.mark.parametrize("vector", by_id(TOKENS))
def test_another_library_agrees_on_signature_and_claims(vector: dict[str, Any]) -> None:
    key = public_key(vector["key"])
    options: Any = {"verify_exp": False, "verify_iat": False}
    if vector["expect"]["signature_valid"] and vector["expect"]["accept_claims"]:
        claims = jwt.decode(vector["token"], key, ["ES256"], options=options)
        assert claims == taken(vector).claims
    elif vector["expect"]["signature_valid"] is False:
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(vector["token"], key, ["ES256"], options=options)


@pytest.mark.parametrize("vector", by_id(CANONICAL))
def test_what_is_written_is_what_the_standards_print(vector: dict[str, Any]) -> None:
    for name in ("header", "payload"):
        if name in vector:
            assert canonical_json(vector[f"{name}_obj"]) == vector[name].encode()


def test_r_and_s_of_wycheproof() -> None:
    """262 cases, among them signatures of other lengths than 64 octets."""
    wrong, seen = [], 0
    for group in GROUPS:
        point = bytes.fromhex(group["publicKey"]["uncompressed"])
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        for case in group["tests"]:
            seen += 1
            found = verifies(key, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
            if found is not (case["result"] == "valid"):
                wrong.append(case["tcId"])
    assert not wrong
    assert seen == 262
