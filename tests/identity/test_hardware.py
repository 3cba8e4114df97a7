"""Keys behind PKCS#11, in Debian's SoftHSM: used where they are, never read, found again."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

try:
    import pkcs11 as HARDWARE  # noqa: N812
except ImportError:
    HARDWARE = None  # type: ignore[assignment]
from cryptography.hazmat.primitives.asymmetric import ec

from callscreen.identity.composing import NoSignature, Unusable
from callscreen.identity.hardware import read_place
from callscreen.identity.keyfiles import Refused
from callscreen.identity.keystore import KeyStore
from callscreen.identity.model import SignRequest

from . import signing_certificates as made
from .test_keystore import verify

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
PIN = "4711"
REQUEST = SignRequest("acme", "A", "12155550121", ["12155550131"])


def module() -> str:
    """The path of SoftHSM's module; where CI is true its absence is a failure."""
    found = next((path for path in MODULES if Path(path).exists()), None)
    util = shutil.which("softhsm2-util")
    if HARDWARE is None and os.environ.get("CI") != "true":
        pytest.skip("python-pkcs11 is not installed")
    if (found is None or util is None) and os.environ.get("CI") == "true":
        pytest.fail("softhsm2 is not installed")
    if found is None or util is None:
        pytest.skip("softhsm2 is not installed")
    return found


def softhsm(*arguments: str) -> None:
    subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Any]]:
    """A token with keys called acme and twice; a folder whose certificate is of acme's key.

    A process reads SoftHSM's configuration once: one token serves the whole file.
    """
    so = module()
    home = tmp_path_factory.mktemp("softhsm")
    (home / "tokens").mkdir()
    (home / "softhsm2.conf").write_text(f"directories.tokendir = {home / 'tokens'}\n")
    os.environ["SOFTHSM2_CONF"] = str(home / "softhsm2.conf")
    softhsm("--init-token", "--free", "--label", "callscreen", "--so-pin", "47114711", "--pin", PIN)
    key = ec.generate_private_key(ec.SECP256R1())
    (home / "key").write_bytes(made.private(key))
    where = ("--token", "callscreen", "--pin", PIN, "--import", str(home / "key"))
    for label, number in (("acme", "01"), ("twice", "02"), ("twice", "03")):
        softhsm(*where, "--label", label, "--id", number, "--force")
    yield home, key
    import pkcs11

    pkcs11.unload(so)
    del os.environ["SOFTHSM2_CONF"]


@pytest.fixture(autouse=True)
def _logged_out() -> Iterator[None]:
    """A login holds for a process: each test begins without one."""
    yield
    if (so := next((path for path in MODULES if Path(path).exists()), "")) and HARDWARE:
        HARDWARE.lib(so).reinitialize()


def where(folder: Path, home: Path, *, name: str = "callscreen", pin: str = PIN) -> str:
    (home / "pin").write_text(pin + "\n")
    (home / "pin").chmod(0o600)
    return f"pkcs11:folder={folder};module-path={module()};token={name};pin-source={home / 'pin'}"


def store_of(place: str) -> KeyStore:
    return KeyStore(place, clock=lambda: made.SECONDS)


def certificate(folder: Path, name: str, key: Any) -> None:
    made.put(folder, name, key)
    (folder / f"{name}.key").unlink()


def test_signs_by_the_handle(token: tuple[Path, Any], tmp_path: Path) -> None:
    home, key = token
    certificate(tmp_path, "acme", key)
    signer = store_of(where(tmp_path, home)).signer("acme")
    for _ in range(3):
        verify(signer.sign(REQUEST, made.SECONDS).value, key.public_key())


def test_threads_share_a_signer(token: tuple[Path, Any], tmp_path: Path) -> None:
    home, key = token
    certificate(tmp_path, "acme", key)
    signer = store_of(where(tmp_path, home)).signer("acme")
    values: list[str] = []

    def work() -> None:
        values.extend(signer.sign(REQUEST, made.SECONDS).value for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(values) == 200
    for value in values:
        verify(value, key.public_key())


def problem(place: str, name: str = "acme") -> str:
    store = store_of(place)
    with pytest.raises(NoSignature):
        store.signer(name)
    return next(state.problem for state in store.states() if state.name == name)


def test_a_label_that_is_not_there(token: tuple[Path, Any], tmp_path: Path) -> None:
    home, key = token
    certificate(tmp_path, "other", key)
    found = problem(where(tmp_path, home), "other")
    assert found == "no private key of elliptic curves is called other"


def test_a_label_that_is_there_twice(token: tuple[Path, Any], tmp_path: Path) -> None:
    home, key = token
    certificate(tmp_path, "twice", key)
    assert problem(where(tmp_path, home), "twice") == "several private keys are called twice"


def test_a_key_that_does_not_fit(token: tuple[Path, Any], tmp_path: Path) -> None:
    home, _ = token
    certificate(tmp_path, "acme", ec.generate_private_key(ec.SECP256R1()))
    assert problem(where(tmp_path, home)) == "the key does not fit the certificate"


def test_a_key_that_could_be_read(token: tuple[Path, Any], tmp_path: Path) -> None:
    from pkcs11 import Attribute, KeyType, lib
    from pkcs11.util.ec import encode_named_curve_parameters

    home, key = token
    certificate(tmp_path, "open", key)
    with lib(module()).get_token(token_label="callscreen").open(rw=True, user_pin=PIN) as session:
        curve = session.create_domain_parameters(
            KeyType.EC,
            {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")},
            local=True,
        )
        curve.generate_keypair(
            label="open",
            store=True,
            private_template={Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True},
        )
    assert problem(where(tmp_path, home), "open") == "the key open can be read out of its token"


def test_a_token_that_is_not_there(token: tuple[Path, Any], tmp_path: Path) -> None:
    home, key = token
    certificate(tmp_path, "acme", key)
    assert "the token away: " in problem(where(tmp_path, home, name="away"))


def test_a_module_that_is_not_there(token: tuple[Path, Any], tmp_path: Path) -> None:
    home, key = token
    certificate(tmp_path, "acme", key)
    place = where(tmp_path, home).replace(module(), str(tmp_path / "none.so"))
    assert problem(place).startswith("the token callscreen: ")


def test_a_wrong_pin_and_then_the_right_one(token: tuple[Path, Any], tmp_path: Path) -> None:
    home, key = token
    certificate(tmp_path, "acme", key)
    store = store_of(where(tmp_path, home, pin="0000"))
    state = store.states()[0]
    assert state.problem == "the token callscreen: PinIncorrect"
    assert "0000" not in state.problem
    where(tmp_path, home)
    assert store.look()
    verify(store.signer("acme").sign(REQUEST, made.SECONDS).value, key.public_key())


def test_a_pin_that_others_may_read(token: tuple[Path, Any], tmp_path: Path) -> None:
    home, key = token
    certificate(tmp_path, "acme", key)
    place = where(tmp_path, home)
    (home / "pin").chmod(0o644)
    assert "chmod 600" in problem(place)


def test_a_session_that_ended_is_opened_again(token: tuple[Path, Any], tmp_path: Path) -> None:
    home, key = token
    certificate(tmp_path, "acme", key)
    store = store_of(where(tmp_path, home))
    signer = store.signer("acme")
    verify(signer.sign(REQUEST, made.SECONDS).value, key.public_key())
    assert store._token is not None
    store._token.run(lambda session: session.close(), 5.0)
    with pytest.raises(Unusable, match="the token callscreen: "):
        signer.sign(REQUEST, made.SECONDS)
    verify(signer.sign(REQUEST, made.SECONDS).value, key.public_key())


def test_a_token_that_hangs_holds_nobody_and_is_told_once(
    token: tuple[Path, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home, key = token
    certificate(tmp_path, "acme", key)
    store = store_of(where(tmp_path, home))
    signer, hanging, end = store.signer("acme"), store._token, threading.Event()
    assert hanging is not None
    begun = threading.Event()

    def hang(_: Any) -> None:
        begun.set()
        end.wait(20)

    while not begun.is_set():  # where it had not begun it was taken back
        with pytest.raises(Refused, match="does not answer"):
            hanging.run(hang, 0.01)
    threads = threading.active_count()
    for _ in range(20):  # each at once
        with pytest.raises(Unusable, match="the token callscreen does not answer"):
            signer.sign(REQUEST, made.SECONDS)
    assert threading.active_count() == threads
    certificate(tmp_path, "other", key)
    assert store.look()  # nor does the look at files hang
    assert {state.name: state.problem for state in store.states()} == {
        "acme": "",
        "other": "the token callscreen does not answer",
    }
    told = [each.message for each in caplog.records if "does not answer: nothing" in each.message]
    assert len(told) == 1
    end.set()
    assert hanging._line._hanging is not None
    with hanging._line._hanging.running:  # it has come back
        pass
    verify(signer.sign(REQUEST, made.SECONDS).value, key.public_key())


def test_where_a_token_is(tmp_path: Path) -> None:
    place = read_place("pkcs11:folder=/a%20b;token=x%3By?module-path=/m.so&pin-source=file:/pin")
    assert (str(place.folder), place.token, place.module) == ("/a b", "x;y", "/m.so")
    assert str(place.pin) == "/pin"


@pytest.mark.parametrize(
    "text",
    [
        "pkcs11:",
        "pkcs11:folder=/a;token=b;module-path=/m.so",
        "pkcs11:folder=/a;token=b;module-path=/m.so;pin-value=4711",
        "pkcs11:folder=/a;token=b;token=c;module-path=/m.so;pin-source=/p",
        "pkcs11:folder=;token=b;module-path=/m.so;pin-source=/p",
        "pkcs11:folder",
    ],
)
def test_what_says_not_where_a_token_is(text: str) -> None:
    with pytest.raises(ValueError, match="pkcs11:"):
        read_place(text)
