"""`callscreen stir`: what it prints of headers, and the status it ends with."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509

from callscreen.cli import main

from .identity import signing_certificates as made
from .identity.authority import Authority

NUMBERS = ("--orig", "+12155550121", "--dest", "+12155550131")
AT = ("--at", str(int(made.SECONDS)))


def run(*words: str, text: str = "") -> Result:
    return CliRunner().invoke(main, ["stir", *words], input=text)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    made.put(tmp_path, "acme")
    (tmp_path / "root").write_bytes(made.pem(made.root()))
    return tmp_path


def sign(keys: Path, *more: str) -> Result:
    own = ("--stir-keys", str(keys), "--name", "acme", "--attest", "A")
    return run("sign", *own, *NUMBERS, *AT, *more)


def verify(keys: Path, value: str, *more: str) -> Result:
    path = ("--stir-roots", str(keys / "root"), "--certificate", str(keys / "acme.pem"))
    return run("verify", value, *NUMBERS, *path, *(more or AT))


def test_what_is_signed_is_valid(keys: Path) -> None:
    signed = sign(keys)
    assert signed.exit_code == 0, signed.output
    found = verify(keys, signed.output.strip())
    assert found.exit_code == 0, found.output
    assert found.output.startswith("valid")
    assert "TN-Validation-Passed" in found.output
    assert "1234" in found.output
    assert verify(keys, f"Identity: {signed.output}").exit_code == 0


def test_a_time_may_be_written_out(keys: Path) -> None:
    value = sign(keys).output.strip()
    assert verify(keys, value, "--at", "2026-03-01T00:00:30").exit_code == 0
    assert verify(keys, value, "--at", "2026-03-01T01:00:30+01:00").exit_code == 0
    assert verify(keys, value, "--at", "yesterday").exit_code == 2


def test_what_is_stale_is_invalid(keys: Path) -> None:
    found = verify(keys, sign(keys).output.strip(), "--at", str(int(made.SECONDS) + 61))
    assert found.exit_code == 1
    assert "403 Stale Date" in found.output


def test_another_number_and_another_signature_are_invalid(keys: Path) -> None:
    value = sign(keys).output.strip()
    other = run(
        *("verify", value, "--orig", "+12155550199", "--dest", "+12155550131", *AT),
        *("--stir-roots", str(keys / "root"), "--certificate", str(keys / "acme.pem")),
    )
    assert other.exit_code == 1
    assert "438" in other.output
    head, _, tail = value.partition(";")
    forged = f"{head[:-8]}{'A' * 7}{head[-1]};{tail}"
    assert verify(keys, forged).exit_code == 1


def test_without_its_root_it_is_not_valid(keys: Path, tmp_path: Path) -> None:
    value = sign(keys).output.strip()
    found = run("verify", value, *NUMBERS, *AT, "--certificate", str(keys / "acme.pem"))
    assert found.exit_code == 2
    assert "--stir-roots" in found.output


def test_a_certificate_at_hand_may_have_been_revoked(keys: Path) -> None:
    value = sign(keys).output.strip()
    leaf = x509.load_pem_x509_certificate((keys / "acme.pem").read_bytes())
    administrator = Authority("STI-PA")
    (keys / "pa").write_bytes(administrator.pem)
    crl = ("--stir-crl", str(keys / "crl"))
    signers = (*crl, "--stir-trust-list-ca", str(keys / "pa"))
    (keys / "crl").write_bytes(administrator.crl())
    assert verify(keys, value, *AT, *signers).exit_code == 0
    assert verify(keys, value, *AT, *crl).exit_code == 2  # by whom is it signed?
    (keys / "crl").write_bytes(administrator.crl([leaf]))
    found = verify(keys, value, *AT, *signers)
    assert found.exit_code == 1
    assert "revoked" in found.output
    for other in ("https://pa.example.org/crl", str(keys / "away")):
        assert verify(keys, value, *AT, "--stir-crl", other).exit_code == 2


def test_where_the_certificate_cannot_be_fetched_nothing_is_told(keys: Path) -> None:
    made.put(keys, "near")
    (keys / "near.url").write_text("https://127.0.0.1:8443/near.pem")
    own = ("--stir-keys", str(keys), "--name", "near", "--attest", "C")
    value = run("sign", *own, *NUMBERS, *AT).output.strip()
    found = run("verify", value, *NUMBERS, *AT, "--stir-roots", str(keys / "root"))
    assert found.exit_code == 4, found.output
    assert "436" in found.output


@pytest.mark.parametrize(
    "words",
    [("--budget", "nan"), ("--budget", "inf"), ("--budget", "-1"), ("--freshness", "-1")],
)
def test_what_is_no_time_is_refused(keys: Path, words: tuple[str, str]) -> None:
    found = verify(keys, sign(keys).output.strip(), *AT, *words)
    assert found.exit_code == 2, found.output
    assert words[0] in found.output


def test_what_is_not_signed_says_why(keys: Path) -> None:
    found = sign(keys, "--name", "other")
    assert found.exit_code == 1
    assert "no certificate of this name" in found.output
    assert sign(keys, "--orig", "anonymous").exit_code == 1
    assert sign(keys, "--attest", "N").exit_code == 2
    assert sign(keys, "--stir-keys", "/nowhere").exit_code == 2


def test_inspects(keys: Path) -> None:
    found = run("inspect", "-", text=sign(keys).output)
    assert found.exit_code == 0, found.output
    assert 'header  ppt = "shaken"' in found.output
    assert 'claims  orig = {"tn":"12155550121"}' in found.output
    assert "made    2026-03-01T00:00:00+00:00" in found.output


@pytest.mark.parametrize("value", ["", "x", "a.b.c;info=<https://a.example/>", "\x1b[31m", "-"])
def test_what_is_no_identity(value: str) -> None:
    found = run("inspect", "--", value) if value != "-" else run("inspect", "-")
    assert found.exit_code == 1, found.output
    assert found.output.startswith("refused ")
    assert "\x1b" not in found.output


@pytest.mark.parametrize("way", ["argument", "input"])
def test_octets_that_are_no_text_are_refused(way: str, tmp_path: Path) -> None:
    octets = b"Identity: \xff.\xfe.x;info=<https://a.example/>"
    value = octets if way == "argument" else b"-"
    words = ("inspect", "--", value), ("verify", "--orig", b"\xff", "--dest", "1", "--", value)
    (tmp_path / "root").write_bytes(made.pem(made.root()))
    for command, *more in words:
        roots = ("--stir-roots", str(tmp_path / "root")) if command == "verify" else ()
        ran = subprocess.run(
            [sys.executable, "-m", "callscreen", "stir", command, *roots, *more],
            input=octets,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (ran.returncode, b"Traceback" in ran.stderr) == (1, False), ran.stderr
        assert ran.stdout.isascii()


@pytest.mark.parametrize("command", ["sign", "verify", "inspect"])
def test_help_says_how_it_ends(command: str) -> None:
    found = run(command, "--help")
    assert found.exit_code == 0
    assert "Exit status:" in found.output


def test_it_is_loaded_without_what_it_needs_later() -> None:
    module = importlib.import_module("callscreen.stir_commands")
    assert not hasattr(module, "KeyStore")
