"""The certificates and keys that calls are signed with: what is taken, refused, told and kept."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from callscreen.identity.composing import NoSignature, Unusable
from callscreen.identity.header import read_identity
from callscreen.identity.keystore import ALARM_DAYS, KeyStore
from callscreen.identity.model import SignRequest

from . import signing_certificates as made

DAY = 86_400
REQUEST = SignRequest("acme", "A", "12155550121", ["12155550131"])


class Clock:
    def __init__(self) -> None:
        self.now = made.SECONDS

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refusal(folder: Path, name: str = "acme", clock: Any = None) -> str:
    store = KeyStore(str(folder), clock=clock or Clock())
    with pytest.raises(NoSignature) as caught:
        store.signer(name)
    problems = {state.name: state.problem for state in store.states()}
    if name in problems:
        assert problems[name] == str(caught.value)
    return str(caught.value)


def verify(value: str, public: Any) -> None:
    header = read_identity(value.encode())
    r, s = header.signature[:32], header.signature[32:]
    der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    public.verify(der, header.signed, ec.ECDSA(SHA256()))


def test_signs_with_the_named_certificate(tmp_path: Path, clock: Clock) -> None:
    keys = {name: made.put(tmp_path, name) for name in ("acme", "other.2")}
    store = KeyStore(str(tmp_path), clock=clock)
    for name, key in keys.items():
        signed = store.signer(name).sign(REQUEST, clock())
        verify(signed.value, key.public_key())
        assert f"info=<{made.URL}>" in signed.value
        state = next(each for each in store.states() if each.name == name)
        assert state.fingerprint == signed.certificate
        assert (state.problem, state.until) == ("", made.SECONDS + 365 * DAY)
    assert store.signer("acme").certificate.spc == ("1234",)


def test_without_a_folder_nothing_is_signed() -> None:
    store = KeyStore("")
    assert store.states() == []
    with pytest.raises(NoSignature, match="no certificate of this name"):
        store.signer("acme")


def test_a_name_that_is_there_but_does_not_do_is_told_apart(tmp_path: Path, clock: Clock) -> None:
    """What is wrong with a file is for who runs the core: a tenant learns that something is."""
    key = made.put(tmp_path, "acme")
    made.put_key(tmp_path, "acme", key, 0o644)
    store = KeyStore(str(tmp_path), clock=clock)
    with pytest.raises(Unusable):
        store.signer("acme")
    with pytest.raises(NoSignature) as caught:
        store.signer("nobody")
    assert not isinstance(caught.value, Unusable)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no folder"):
        KeyStore(str(tmp_path / "away"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o677])
def test_a_key_that_others_may_read(tmp_path: Path, mode: int) -> None:
    key = made.put(tmp_path, "acme")
    made.put_key(tmp_path, "acme", key, mode)
    assert "chmod 600" in refusal(tmp_path)


def test_a_key_that_does_not_fit(tmp_path: Path) -> None:
    made.put(tmp_path, "acme")
    made.put_key(tmp_path, "acme", ec.generate_private_key(ec.SECP256R1()))
    assert refusal(tmp_path) == "the key does not fit the certificate"


def test_a_key_of_another_curve(tmp_path: Path) -> None:
    made.put(tmp_path, "acme")
    made.put_key(tmp_path, "acme", ec.generate_private_key(ec.SECP384R1()))
    assert refusal(tmp_path) == "acme.key is no key of P-256"


def test_a_certificate_of_another_curve(tmp_path: Path) -> None:
    made.put(tmp_path, "acme", ec.generate_private_key(ec.SECP384R1()))
    assert "P-256" in refusal(tmp_path)


@pytest.mark.parametrize("text", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n", b"\xff" * 99])
def test_what_is_no_key(tmp_path: Path, text: bytes) -> None:
    made.put(tmp_path, "acme")
    (tmp_path / "acme.key").write_bytes(text)
    assert "no private key in PEM" in refusal(tmp_path)


def test_a_key_beyond_the_limit(tmp_path: Path) -> None:
    made.put(tmp_path, "acme")
    (tmp_path / "acme.key").write_bytes(b"x" * 65_537)
    assert "more than 65536 octets" in refusal(tmp_path)


def test_no_service_provider_code(tmp_path: Path) -> None:
    made.put(tmp_path, "acme", spc=b"")
    assert "service provider code" in refusal(tmp_path)


def test_numbers_alone_are_no_service_provider_code(tmp_path: Path) -> None:
    made.put(tmp_path, "acme", spc=bytes.fromhex("300fa20d160b") + b"12155550121")
    assert "service provider code" in refusal(tmp_path)


def test_no_certificate_in_the_file(tmp_path: Path) -> None:
    made.put(tmp_path, "acme")
    (tmp_path / "acme.pem").write_bytes(b"nothing of the kind")
    assert refusal(tmp_path).startswith("acme.pem: ")


def test_no_path(tmp_path: Path) -> None:
    key = made.put(tmp_path, "acme")
    leaf = made.leaf(key, begins=-30)
    (tmp_path / "acme.pem").write_bytes(made.pem(leaf, leaf, made.root()))
    assert refusal(tmp_path) == "the certificates are no path, leaf first"


def test_a_path_of_names_that_fit_and_signatures_that_do_not(tmp_path: Path) -> None:
    key, other = made.put(tmp_path, "acme"), ec.generate_private_key(ec.SECP256R1())
    root = made.made(other, "Root", 3650, True, {}, -30)
    (tmp_path / "acme.pem").write_bytes(made.pem(made.leaf(key, begins=-30), root))
    assert refusal(tmp_path) == "the certificates are no path, leaf first"


@pytest.mark.parametrize("suffix", ["key", "url"])
def test_a_file_that_is_missing(tmp_path: Path, suffix: str) -> None:
    made.put(tmp_path, "acme")
    (tmp_path / f"acme.{suffix}").unlink()
    assert refusal(tmp_path) == f"acme.{suffix} is missing"


@pytest.mark.parametrize(
    "url", ["", "http://a.example/c", "https://a.example:99/c", "https://a/#b"]
)
def test_a_url_that_no_verifier_takes(tmp_path: Path, url: str) -> None:
    made.put(tmp_path, "acme")
    (tmp_path / "acme.url").write_text(url)
    assert "no https URL" in refusal(tmp_path)


def test_dates(tmp_path: Path, clock: Clock) -> None:
    made.put(tmp_path, "acme", days=10, begins=1)
    store = KeyStore(str(tmp_path), clock=clock)
    with pytest.raises(NoSignature, match="does not hold yet"):
        store.signer("acme")
    clock.now += DAY
    assert store.states()[0].problem == ""
    signer = store.signer("acme")
    clock.now += 9 * DAY
    assert store.states()[0].problem == "the certificate has expired"
    with pytest.raises(NoSignature, match="expired"):
        store.signer("acme")
    with pytest.raises(NoSignature, match="expired"):
        signer.sign(REQUEST, clock())


# JWTClaimConstraints: [0] mustInclude, [1] permittedValues (RFC 8226 section 8).
PERMITS_A_ONLY = bytes.fromhex("3013a111300f300d1606") + b"attest" + bytes.fromhex("30030c0141")
PERMITS_NOTHING = bytes.fromhex("3013a111300f300d1606") + b"attest" + bytes.fromhex("30030c014e")


def test_constraints_are_kept(tmp_path: Path, clock: Clock) -> None:
    made.put(tmp_path, "acme", constraints=PERMITS_A_ONLY)
    signer = KeyStore(str(tmp_path), clock=clock).signer("acme")
    assert signer.sign(REQUEST, clock()).value
    with pytest.raises(NoSignature, match="does not allow it"):
        signer.sign(SignRequest("acme", "B", "12155550121", ["12155550131"]), clock())


def test_constraints_that_no_call_could_keep_to(tmp_path: Path) -> None:
    made.put(tmp_path, "acme", constraints=PERMITS_NOTHING)
    assert refusal(tmp_path) == "the certificate permits no attestation"


@pytest.mark.parametrize(
    "name", ["../acme", "/etc/passwd", "..", ".", "", "a/b", "acme.", "a\0b", "x" * 101, "acmé"]
)
def test_a_name_that_would_leave_the_folder(tmp_path: Path, name: str) -> None:
    made.put(tmp_path, "acme")
    inside = tmp_path / "keys"
    inside.mkdir()
    assert refusal(inside, name) == "no certificate of this name"


def test_one_that_fails_leaves_the_others(tmp_path: Path, clock: Clock) -> None:
    made.put(tmp_path, "acme")
    made.put(tmp_path, "bad", spc=b"")
    store = KeyStore(str(tmp_path), clock=clock)
    assert store.signer("acme")
    assert [(s.name, bool(s.problem)) for s in store.states()] == [("acme", False), ("bad", True)]


def test_reload_in_place(tmp_path: Path, clock: Clock) -> None:
    store = KeyStore(str(tmp_path), clock=clock)
    assert not store.look()
    first = made.put(tmp_path, "acme")
    assert store.look()
    assert not store.look()
    verify(store.signer("acme").sign(REQUEST, clock()).value, first.public_key())
    held = store.signer("acme")
    second = made.put(tmp_path, "acme")
    assert store.look()
    verify(store.signer("acme").sign(REQUEST, clock()).value, second.public_key())
    verify(held.sign(REQUEST, clock()).value, first.public_key())
    (tmp_path / "acme.pem").unlink()
    assert store.look()
    with pytest.raises(NoSignature, match="no certificate of this name"):
        store.signer("acme")


def test_what_does_not_do_is_not_taken(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    first = made.put(tmp_path, "acme")
    store = KeyStore(str(tmp_path), clock=clock)
    made.put_key(tmp_path, "acme", ec.generate_private_key(ec.SECP256R1()))
    with caplog.at_level(logging.INFO, "callscreen.identity"):
        assert store.look()
        assert not store.look()
    assert [r.message for r in caplog.records] == [
        "the certificate acme is not taken: the key does not fit the certificate;"
        " the last good one signs on"
    ]
    verify(store.signer("acme").sign(REQUEST, clock()).value, first.public_key())
    assert store.states()[0].problem == "the key does not fit the certificate"
    made.put_key(tmp_path, "acme", first)
    assert store.look()
    assert store.states()[0].problem == ""


def test_a_key_taken_away_signs_no_more(tmp_path: Path, clock: Clock) -> None:
    made.put(tmp_path, "acme")
    store = KeyStore(str(tmp_path), clock=clock)
    (tmp_path / "acme.key").unlink()
    assert store.look()
    with pytest.raises(NoSignature, match=r"acme\.key is missing"):
        store.signer("acme")


def test_alarms_before_the_end(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    made.put(tmp_path, "acme", days=40)
    made.put(tmp_path, "long", days=400)
    store = KeyStore(str(tmp_path), clock=clock)
    told = {}
    with caplog.at_level(logging.WARNING, "callscreen.identity"):
        for hour in range(41 * 24):
            clock.now = made.SECONDS + hour * 3600
            store.look()
            for record in caplog.records:
                told[hour / 24] = (record.levelname, record.message)
            caplog.clear()
    ends = "2026-04-10 00:00 UTC"
    assert told == {
        40 - days: (
            "ERROR" if days == 1 else "WARNING",
            f"the certificate acme ends on {ends}, in less than {days} days",
        )
        for days in ALARM_DAYS
    } | {40: ("ERROR", f"the certificate acme expired on {ends}")}


def test_a_name_asked_for_in_vain_is_told_once(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    store = KeyStore(str(tmp_path), clock=clock)
    for _ in range(3):
        with pytest.raises(NoSignature):
            store.signer("acme\nforged")
    assert [r.message for r in caplog.records] == [
        "calls are not signed: certificate 'acme\\nforged': no certificate of this name"
    ]


def test_a_folder_that_goes_away_is_told(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    made.put(folder, "acme")
    store = KeyStore(str(folder), clock=clock)
    os.rename(folder, tmp_path / "away")
    assert store.look()
    assert store.states() == []
    assert not store.look()
    with pytest.raises(NoSignature):
        store.signer("acme")
    assert "calls are not signed" in caplog.text
