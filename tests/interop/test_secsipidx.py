"""secsipidx, whose library Kamailio signs and checks with: its tokens for us, and ours for it."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from callscreen.identity.claims import check_claims
from callscreen.identity.header import read_identity
from callscreen.identity.model import Chain, Fault, IdentityHeader, SignRequest
from callscreen.identity.signing import Signer, SoftwareKey

from ..identity.vectors import verifies
from .peers import needed

URL = "https://certificates.example.com/one.pem"
ORIGID = "123e4567-e89b-12d3-a456-426655440000"
ASKED: dict[str, Any] = {"cert_name": "one", "orig": "12155550121", "dest": ("12155550131",)}
CALL = ("-orig-tn", "12155550121", "-dest-tn", "12155550131", "-orig-id", ORIGID, "-x5u", URL)
FRESH = ("-expire", "60")  # seconds


class Peer:
    """Runs secsipidx, with a key that both of us have."""

    def __init__(self, folder: Path) -> None:
        self.program = needed("secsipidx", "secsipidx")
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.private, self.public = folder / "key.pem", folder / "public.pem"
        self.private.write_bytes(
            self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        )
        self.public.write_bytes(
            self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )

    def run(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            [self.program, *words], capture_output=True, text=True, timeout=20, check=False
        )
        return done.returncode, done.stdout.strip()

    def sign(self, *words: str) -> str:
        result, said = self.run("-sign-full", "-k", str(self.private), *words)
        assert result == 0
        return said

    def takes(self, value: str) -> bool:
        path = self.folder / "identity"
        path.write_text(value)
        result, said = self.run("-check", "-p", str(self.public), "-fidentity", str(path), *FRESH)
        assert (result == 0) is (said.splitlines()[-1] == "ok")
        return result == 0

    def signer(self) -> Signer:
        return Signer(SoftwareKey(self.key), Chain(self.key.public_key(), "one"), URL)


@pytest.fixture
def peer(tmp_path: Path) -> Peer:
    return Peer(tmp_path)


def taken(peer: Peer, value: str) -> IdentityHeader:
    """What we read of its value, once it was verified."""
    header = read_identity(value.encode())
    check_claims(header)
    assert verifies(peer.key.public_key(), header.signature, header.signed)
    return header


@pytest.mark.parametrize(
    "more",
    [
        {"attest": "A"},
        {"attest": "B", "origid": ORIGID},
        {"attest": "C", "dest": ("12155550131", "12155550132")},
        {"attest": "A", "dest": ("911",)},
        {"attest": "A", "rcd": {"nam": "Büro ☎", "crn": "Rückruf"}},
    ],
)
def test_it_takes_what_we_sign(peer: Peer, more: dict[str, Any]) -> None:
    signed = peer.signer().sign(SignRequest(**{**ASKED, **more}), time.time())
    assert peer.takes(signed.value)


def test_it_takes_neither_another_call_nor_an_old_one(peer: Peer) -> None:
    """So that what it takes says something."""
    now = time.time()
    signed = peer.signer().sign(SignRequest(**ASKED, attest="A"), now)
    first, _, rest = signed.value.partition(".")
    _, _, last = rest.partition(".")
    other = peer.signer().sign(SignRequest(**ASKED, attest="B"), now).value.split(".")[1]
    assert not peer.takes(f"{first}.{other}.{last}")
    assert not peer.takes(peer.signer().sign(SignRequest(**ASKED, attest="A"), now - 120).value)


@pytest.mark.parametrize("attest", ["A", "B", "C"])
def test_we_take_what_it_signs(peer: Peer, attest: str) -> None:
    before = int(time.time())
    header = taken(peer, peer.sign(*CALL, "-attest", attest))
    iat = header.claims["iat"]
    assert before <= iat <= time.time()
    assert header.claims == {
        "attest": attest,
        "dest": {"tn": ["12155550131"]},
        "iat": iat,
        "orig": {"tn": "12155550121"},
        "origid": ORIGID,
    }
    assert header.protected == {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": URL}


def test_its_octets_are_ours(peer: Peer) -> None:
    """The same call in the same second: only the signature, which is random, differs."""
    theirs = peer.sign(*CALL, "-attest", "A")
    iat = read_identity(theirs.encode()).claims["iat"]
    request = SignRequest(**ASKED, attest="A", origid=ORIGID, iat=iat)
    ours = peer.signer().sign(request, iat).value
    assert ours.rpartition(".")[0].startswith(theirs.rpartition(".")[0][:100])
    assert [part(ours, place) for place in (0, 1)] == [part(theirs, place) for place in (0, 1)]
    assert ours.partition(";")[2] == theirs.partition(";")[2]


def part(value: str, place: int) -> str:
    return value.partition(";")[0].split(".")[place]


@pytest.mark.parametrize(
    ("words", "check"),
    [
        (("-attest", "Z"), "attest"),
        (("-orig-tn", "Bob"), "orig"),
        (("-dest-tn", "+12155550131"), "dest"),
        (("-orig-id", "x"), "origid"),
        (("-x5u", "http://certificates.example.com/one.pem"), "x5u"),
    ],
)
def test_we_refuse_what_it_signs_against_the_standards(
    peer: Peer, words: tuple[str, ...], check: str
) -> None:
    with pytest.raises(Fault) as caught:
        taken(peer, peer.sign(*CALL, "-attest", "A", *words))
    assert caught.value.check == check


def test_we_take_a_diversion_that_it_signs(peer: Peer) -> None:
    protected = {"alg": "ES256", "ppt": "div", "typ": "passport", "x5u": URL}
    claims = {
        "dest": {"tn": ["12155550141"]},
        "div": {"tn": "12155550131"},
        "iat": int(time.time()),
        "orig": {"tn": "12155550121"},
    }
    texts = ("-header", json.dumps(protected), "-payload", json.dumps(claims))
    result, token = peer.run("-sign", "-k", str(peer.private), *texts)
    assert result == 0
    header = taken(peer, f"{token};info=<{URL}>;ppt=div")
    assert (header.ppt, header.claims) == ("div", claims)
