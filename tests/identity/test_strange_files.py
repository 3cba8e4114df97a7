"""Files that are none, or hold what nobody thought of: told, passed over, never waited for."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import DuplicateExtension, UnsupportedGeneralNameType

from callscreen.identity import kept as shelf
from callscreen.identity.keyfiles import read_certificate
from callscreen.identity.keystore import KeyStore

from . import signing_certificates as made
from .authority import TN_AUTH_LIST
from .test_keeping import URL, Kept, refused
from .test_keystore import Clock, refusal


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_a_pipe_in_the_place_of_a_key_holds_nobody(tmp_path: Path) -> None:
    made.put(tmp_path, "acme")
    (tmp_path / "acme.key").unlink()
    os.mkfifo(tmp_path / "acme.key", 0o600)
    assert refusal(tmp_path) == "acme.key: no regular file"


def test_a_folder_in_the_place_of_a_path(tmp_path: Path) -> None:
    made.put(tmp_path, "acme")
    made.put(tmp_path, "other")
    (tmp_path / "acme.pem").unlink()
    (tmp_path / "acme.pem").mkdir()
    assert refusal(tmp_path) == "acme.pem: no regular file"
    assert KeyStore(str(tmp_path), clock=Clock()).signer("other")


def test_a_key_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made.put(tmp_path, "acme")
    owner = os.geteuid()
    if owner == 0:
        os.chown(tmp_path / "acme.key", 4711, 4711)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert "acme.key belongs to another user" in refusal(tmp_path)


UNKNOWN_KEY = bytes.fromhex("300f020100300606042a0304050402 0500".replace(" ", ""))


def test_a_key_of_an_unknown_kind_keeps_no_other_away(tmp_path: Path, clock: Clock) -> None:
    made.put(tmp_path, "acme")
    made.put(tmp_path, "other")
    text = base64.b64encode(UNKNOWN_KEY).decode()
    pem = f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"
    (tmp_path / "acme.key").write_text(pem)
    assert "no private key in PEM" in refusal(tmp_path)
    assert KeyStore(str(tmp_path), clock=clock).signer("other")


def test_what_nobody_thought_of_keeps_no_other_away(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.put(tmp_path, "acme")
    made.put(tmp_path, "other")

    def strange(folder: Path, name: str) -> Any:
        if name == "acme":
            raise UnsupportedGeneralNameType("strange", 9)
        return read_certificate(folder, name)

    monkeypatch.setattr("callscreen.identity.keystore.read_certificate", strange)
    store = KeyStore(str(tmp_path), clock=clock)
    assert store.signer("other")
    assert ["strange" in state.problem for state in store.states()] == [True, False]


async def test_what_stands_in_the_place_of_a_file_is_passed_over(kept: Kept) -> None:
    kept.web.answers[URL] = kept.root.leaf().pem
    await kept.want()
    (kept.cache / "x5u" / "0").mkdir()
    os.mkfifo(kept.cache / "x5u" / "1")
    kept.again()
    assert kept.certificates.chain_of(URL, "")
    assert not (kept.cache / "x5u" / "1").exists()


async def test_a_path_that_brings_an_error_of_its_own_costs_no_call(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strange(*_: object) -> None:
        raise DuplicateExtension("twice", TN_AUTH_LIST)

    kept.web.answers[URL] = kept.root.leaf().pem
    await kept.want()
    monkeypatch.setattr(shelf, "judge_chain", strange)
    assert (refused(kept).code, refused(kept).detail) == (437, "cannot be judged: twice")


def test_pipes_in_the_place_of_roots_and_crl_hold_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "crl")
    kept = Kept(tmp_path, crl=str(tmp_path / "crl"))
    assert kept.trusts.failing == 1
    os.mkfifo(kept.folder / "other.pem")
    kept.trusts.look()
    assert kept.trusts.failing == 2
    assert kept.trusts.trust("pa").roots == kept.root.roots  # the last good ones stay


def test_a_folder_of_roots_that_goes_away_changes_nothing(kept: Kept) -> None:
    kept.folder.rename(kept.folder.with_name("away"))
    kept.trusts.look()
    assert kept.trusts.failing == 1
    assert kept.trusts.trust("pa").roots == kept.root.roots
    kept.folder.with_name("away").rename(kept.folder)
    kept.trusts.look()
    assert kept.trusts.failing == 0
