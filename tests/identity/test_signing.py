"""What is signed, how it is written, and what is not signed."""

import json
import subprocess
import sys
import uuid
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.identity.canonical import canonical_json
from callscreen.identity.claims import check_claims, is_origid
from callscreen.identity.composing import origid_of
from callscreen.identity.header import read_identity
from callscreen.identity.model import FAILED, Chain, Constraints, Fault, SignRequest
from callscreen.identity.signing import NoSignature, Signer, SoftwareKey

from .tokens import CLAIMS, KEY, NOW, ORIGID, PROTECTED, URL, part, signer, token

ASKED: dict[str, Any] = {
    "cert_name": "one",
    "attest": "A",
    "orig": "12155550121",
    "dest": ("12155550131",),
}
SIGNER = signer()


def asked(**more: Any) -> SignRequest:
    return SignRequest(**{**ASKED, **more})


def claims_of(value: str) -> dict[str, Any]:
    """The claims of a signed value: read, seen to be canonical, and verified by another library."""
    header = read_identity(value.encode())
    check_claims(header)
    for text, read in zip(
        header.signed.split(b"."), (header.protected, header.claims), strict=True
    ):
        assert urlsafe_b64decode(text + b"==") == canonical_json(read)
    options: Any = {"verify_exp": False, "verify_iat": False}
    seen = jwt.decode(header.token.decode(), KEY.public_key(), ["ES256"], options=options)
    assert seen == header.claims
    return header.claims


def test_a_shaken_token_is_what_the_standards_print() -> None:
    signed = SIGNER.sign(asked(origid=ORIGID), NOW + 0.9)
    text, _, behind = signed.value.partition(";")
    assert text.rpartition(".")[0] == token().rpartition(".")[0]
    assert behind == f"info=<{URL}>;alg=ES256;ppt=shaken"
    assert (signed.origid, signed.iat, signed.certificate) == (ORIGID, NOW, "ab" * 32)
    assert claims_of(signed.value) == CLAIMS
    assert jwt.get_unverified_header(text) == PROTECTED


def test_every_call_has_a_uuid_of_its_own() -> None:
    seen = {SIGNER.sign(asked(), NOW).origid for _ in range(500)}
    assert len(seen) == 500
    assert all(uuid.UUID(each).version == 4 and str(uuid.UUID(each)) == each for each in seen)
    assert all(uuid.UUID(each).variant == uuid.RFC_4122 for each in seen)


FORKING = """
import os
from callscreen.identity.composing import fresh_uuid
fresh_uuid()
child = os.fork()
os.write(1, " ".join([*(fresh_uuid() for _ in range(63)), ""]).encode())  # all at once
os._exit(0 if child == 0 else os.waitpid(child, 0)[1])
"""


def test_a_child_process_does_not_give_the_uuids_of_its_parent() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=True
    )
    said = done.stdout.split()
    assert len(said) == len(set(said)) == 126


def test_numbers_and_uris_called_are_kept_apart_and_in_order() -> None:
    dest = ("12155550139", "sip:alice@example.com", "12155550131", "911", "urn:service:sos")
    assert claims_of(SIGNER.sign(asked(dest=dest), NOW).value)["dest"] == {
        "tn": ["12155550139", "12155550131", "911"],
        "uri": ["sip:alice@example.com", "urn:service:sos"],
    }


def test_a_priority_has_a_token_of_its_own() -> None:
    signed = SIGNER.sign(asked(rph=("ets.0", "wps.1")), NOW)
    assert signed.value.endswith(";ppt=rph")
    claims = claims_of(signed.value)
    assert claims["rph"] == {"auth": ["ets.0", "wps.1"]}
    assert claims.keys() == {"dest", "iat", "orig", "rph"}
    claims = claims_of(SIGNER.sign(asked(rph=("esnet.0",), sph="psap-callback"), NOW).value)
    assert claims["sph"] == "psap-callback"


def test_what_is_shown_is_signed_alone_or_within_shaken() -> None:
    rcd = {"nam": "Büro ☎", "icn": "https://example.com/i.png", "crn": "Rückruf"}
    card = {"nam": "Büro ☎", "icn": "https://example.com/i.png"}
    alone = SIGNER.sign(asked(attest="", rcd=rcd), NOW)
    assert alone.value.endswith(";ppt=rcd")
    claims = claims_of(alone.value)
    assert (claims["rcd"], claims["crn"]) == (card, "Rückruf")
    assert "attest" not in claims
    within = claims_of(SIGNER.sign(asked(origid=ORIGID, rcd=rcd), NOW).value)
    assert within == {**CLAIMS, "rcd": card, "crn": "Rückruf"}
    octets = urlsafe_b64decode(alone.value.split(".")[1] + "==")
    assert "Büro ☎".encode() in octets


def diverted(**more: Any) -> SignRequest:
    original = SIGNER.sign(asked(origid=ORIGID), NOW).value.encode()
    given = {"attest": "", "div": "12155550131", "dest": ("12155550141",), "original": original}
    return asked(**{**given, **more})


def test_a_diversion_keeps_the_caller_and_the_time_of_its_original() -> None:
    signed = SIGNER.sign(diverted(), NOW + 60)
    assert signed.value.endswith(";ppt=div")
    assert signed.iat == NOW
    assert claims_of(signed.value) == {
        "dest": {"tn": ["12155550141"]},
        "div": {"tn": "12155550131"},
        "iat": NOW,
        "orig": {"tn": "12155550121"},
    }
    again = diverted(
        div="12155550141", dest=("sip:a@example.com",), original=signed.value.encode(), orig=""
    )
    assert claims_of(SIGNER.sign(again, NOW).value)["dest"] == {"uri": ["sip:a@example.com"]}


@pytest.mark.parametrize("later", [61, 1000, -61])
def test_a_diversion_of_an_original_that_is_not_fresh(later: int) -> None:
    with pytest.raises(NoSignature, match="60 seconds off"):
        SIGNER.sign(diverted(), NOW + later)


@pytest.mark.parametrize("iat", [10**400, -(10**400), 1 << 63], ids=["most", "least", "int64"])
def test_a_time_beyond_all_times(iat: int) -> None:
    with pytest.raises(NoSignature, match="60 seconds off"):
        SIGNER.sign(asked(iat=iat), NOW + 0.5)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"original": b""}, "without its original"),
        ({"original": b"..abc;info=<x>"}, "original of a div"),
        ({"div": "12155550132"}, "another dest"),
        ({"div": "sip:a@b"}, "another dest"),
        ({"div": "Alice"}, "neither a number nor a URI"),
        ({"orig": "12155550122"}, "another orig"),
        ({"dest": ()}, "1 to 32 numbers"),
        ({"attest": "N"}, "attestation N"),
    ],
)
def test_a_diversion_that_does_not_fit_its_original(more: dict[str, Any], why: str) -> None:
    with pytest.raises(NoSignature, match=why):
        SIGNER.sign(diverted(**more), NOW)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"attest": "N"}, "attestation N"),
        ({"attest": "N", "rph": ("ets.0",)}, "attestation N"),
        ({"attest": ""}, "no attestation"),
        ({"attest": "a"}, "no attestation"),
        ({"attest": "D"}, "no attestation"),
        ({"orig": ""}, r"not one of E\.164"),
        ({"orig": "anonymous"}, r"not one of E\.164"),
        ({"orig": "+12155550121"}, r"not one of E\.164"),
        ({"orig": "911"}, r"not one of E\.164"),
        ({"orig": "01256700600", "rph": ("ets.0",)}, r"not one of E\.164"),
        ({"dest": ()}, "1 to 32 numbers"),
        ({"dest": ("1",) * 33}, "1 to 32 numbers"),
        ({"dest": ("alice",)}, "neither a number nor a URI"),
        ({"dest": ("12155550131", "")}, "neither a number nor a URI"),
        ({"dest": ('1"}',)}, "neither a number nor a URI"),
        ({"origid": "x"}, "no UUID"),
        ({"iat": NOW - 61}, "60 seconds off"),
        ({"iat": NOW + 61}, "60 seconds off"),
        ({"iat": -1}, "60 seconds off"),
        ({"rph": ("ets",)}, "no priority"),
        ({"sph": "psap-callback"}, "rph has what is no array"),
        ({"rph": ("ets.0",), "sph": "x"}, "psap-callback"),
        ({"rcd": {"apn": "1"}}, "no nam"),
        ({"rcd": {"nam": "a", "jcd": [1.0]}}, "no canonical JSON"),
        ({"rcd": {"nam": "\ud800"}}, "no canonical JSON"),
        ({"attest": "", "rcd": {"rcdi": {"/nam": "x"}}}, "neither rcd nor crn"),
    ],
)
def test_what_is_not_signed(more: dict[str, Any], why: str) -> None:
    with pytest.raises(NoSignature, match=why):
        SIGNER.sign(asked(**more), NOW)


def test_an_iat_within_a_minute_is_kept() -> None:
    for iat in (NOW - 60, NOW + 60):
        signed = SIGNER.sign(asked(iat=iat), NOW)
        assert (signed.iat, claims_of(signed.value)["iat"]) == (iat, iat)


def test_an_expired_certificate_signs_nothing() -> None:
    one = signer(until=NOW + 10.0)
    assert one.sign(asked(), NOW + 9.9).value
    with pytest.raises(NoSignature, match="expired"):
        one.sign(asked(), NOW + 10.0)


def limited(authority: Callable[..., None] | None, **limits: Any) -> Signer:
    chain = Chain(KEY.public_key(), "limited", **limits)
    return Signer(SoftwareKey(KEY), chain, URL, authority=authority)


def test_what_a_certificate_forbids_is_not_signed() -> None:
    seen = []

    def authority(chain: Chain, claims: dict[str, Any], ppt: str) -> None:
        seen.append((chain.name, claims, ppt))
        if claims["attest"] != "B":
            raise Fault("constraints", 437, FAILED, "attest is not B")

    limits = {"constraints": (Constraints(permitted=(("attest", ("B",)),)),)}
    one = limited(authority, **limits)
    assert one.sign(asked(attest="B", origid=ORIGID), NOW).value
    assert seen == [("limited", {**CLAIMS, "attest": "B"}, "shaken")]
    with pytest.raises(NoSignature, match="does not allow it: constraints: attest is not B"):
        one.sign(asked(), NOW)
    for other in (limits, {"numbers": (("12155550000", "12155559999"),)}):
        with pytest.raises(ValueError, match="constraints"):
            limited(None, **other)


@pytest.mark.parametrize("url", ["", "http://a/b", "https://a/b?c", "https://a/b>;alg=none"])
def test_a_url_that_no_verifier_takes(url: str) -> None:
    with pytest.raises(ValueError, match="no https URL"):
        Signer(SoftwareKey(KEY), SIGNER.certificate, url)


def test_only_keys_of_p256() -> None:
    with pytest.raises(ValueError, match="not of P-256"):
        SoftwareKey(ec.generate_private_key(ec.SECP384R1()))


class SmallKey:
    """A key whose r and s begin with zeros, which one signature in 128 does."""

    curve = ec.SECP256R1()

    def sign(self, octets: bytes, how: Any) -> bytes:
        return encode_dss_signature(1, 1 << 200)


def test_r_and_s_are_64_octets_though_they_begin_with_nothing() -> None:
    small: Any = SmallKey()
    assert SoftwareKey(small).sign(b"") == (1).to_bytes(32, "big") + (1 << 200).to_bytes(32, "big")
    assert {len(SoftwareKey(KEY).sign(bytes([n]))) for n in range(200)} == {64}


def test_of_another_library_a_token_is_read_alike() -> None:
    """pyjwt signs the octets that we would, where none of them is beyond ASCII."""
    text = jwt.encode(dict(CLAIMS), KEY, "ES256", headers={**PROTECTED}, sort_headers=True)
    header = read_identity(f"{text};info=<{URL}>;ppt=shaken".encode())
    check_claims(header)
    assert (header.protected, header.claims) == (PROTECTED, CLAIMS)


@given(
    st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True),
    st.lists(st.from_regex(r"[0-9#*]{1,32}", fullmatch=True), min_size=1, max_size=3),
    st.sampled_from("ABC"),
    st.uuids(),
)
@settings(max_examples=50)
def test_what_is_signed_has_one_form(orig: str, dest: list[str], attest: str, origid: Any) -> None:
    request = asked(orig=orig, dest=dest, attest=attest, origid=str(origid))
    value = SIGNER.sign(request, NOW).value
    plain = {
        "attest": attest,
        "dest": {"tn": dest},
        "iat": NOW,
        "orig": {"tn": orig},
        "origid": str(origid),
    }
    assert value.split(".")[1] == part(json.dumps(plain, separators=(",", ":")))
    assert claims_of(value) == plain


def test_a_source_s_orig_id_becomes_a_uuid_that_leads_back_to_it() -> None:
    made = origid_of("abc-433444-xyz", "acme")
    assert is_origid(made)
    assert made == origid_of("abc-433444-xyz", "acme")
    assert made != origid_of("abc-433444-xyz", "beta")
    assert origid_of(ORIGID, "acme") == ORIGID
    assert origid_of("", "acme") == ""
