"""What gRPC must not be spoken with, or in the clear."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from callscreen.ops import renewed
from callscreen.ops.grpc_tls import ClientTls, ServerTls
from callscreen.ops.serving_tls import TlsFiles, serving_files
from callscreen.ops.transport import advised, check_clear, credentials, open_blocking

from ..grpc_files import Files

DAY = 86_400.0


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "tls")


@pytest.mark.parametrize(
    "address", ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[0:0::1]:1", "localhost:1"]
)
def test_on_loopback_it_may_go_in_the_clear(address: str) -> None:
    check_clear(address, allowed=False)
    assert credentials(address, ClientTls()) is None
    assert serving_files(address, ServerTls()) is None


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0:1", "192.0.2.1:1", "[::]:1", "core.example:1", "localhost.example:1"),
        *("127.0.0.1.example:1", "127.1:1", "2130706433:1", "localhost.:1", "[::2]:1"),
        *("::1:1", "[127.0.0.1]:1", "[localhost]:1", "127.0.0.1", "localhost", ":1", ""),
        *("unix:/run/core", "unix:1", "unix-abstract:1", "vsock:1", "ipv4:127.0.0.1:1"),
        *("ipv6:[::1]:1", "dns:///localhost:1", "dns://192.0.2.1/localhost:1", "xds:///core:1"),
        *("127.0.0.1:1,192.0.2.1:1", "127.0.0.1@192.0.2.1:1", "localhost:1\n"),
    ],
)
def test_beyond_loopback_it_may_not_unless_that_was_said(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValueError, match="--grpc-in-clear"):
        credentials(address, ClientTls())
    with pytest.raises(ValueError, match="--grpc-in-clear"):
        serving_files(address, ServerTls())
    assert credentials(address, ClientTls(in_clear=True)) is None
    assert not caplog.messages
    assert serving_files(address, ServerTls(in_clear=True)) is None
    assert "goes in the clear" in caplog.text


def test_what_does_not_go_together_is_refused(files: Files) -> None:
    certificate, key = files.write("one", "localhost")
    other, _ = files.write("two", "localhost")
    _, locked = files.write("three", "localhost")
    Path(locked).chmod(0o640)
    sealed, empty = sealed_key(files, key), files.folder / "empty"
    empty.touch(0o600)
    authorities = str(files.authorities)
    clients: list[tuple[ClientTls, str]] = [
        (ClientTls(authorities, certificate), "goes with its key"),
        (ClientTls(authorities, key=key), "goes with its key"),
        (ClientTls(certificate=certificate, key=key), "needs the authorities"),
        (ClientTls(name="core"), "needs the authorities"),
        (ClientTls(key), "holds no certificate"),
        (ClientTls(str(empty)), "holds no certificate"),
        (ClientTls(authorities, certificate, locked), "read by others"),
        (ClientTls(authorities, other, key), "holds no key of the first certificate"),
        (ClientTls(authorities, key, key), "holds no certificate"),
        (ClientTls(authorities, certificate, sealed), "pass phrase"),
    ]
    for client, why in clients:
        with pytest.raises(ValueError, match=why):
            credentials("127.0.0.1:1", client)
    servers: list[tuple[ServerTls, str]] = [
        (ServerTls(certificate), "goes with its key"),
        (ServerTls(key=key), "goes with its key"),
        (ServerTls(client_authorities=authorities), "need TLS"),
        (ServerTls(other, key), "holds no key of the first certificate"),
        (ServerTls(certificate, locked), "read by others"),
        (ServerTls(certificate, sealed), "pass phrase"),
        (ServerTls(certificate, str(empty)), "holds no key"),
        (ServerTls(certificate, key, str(empty)), "holds no certificate"),
        (ServerTls(certificate, key, key), "(?i)pem"),
    ]
    for server, why in servers:
        with pytest.raises(ValueError, match=why):
            serving_files("127.0.0.1:1", server)
    for missing in (ClientTls("/none"), ClientTls(authorities, "/none", key)):
        with pytest.raises(OSError, match="/none"):
            credentials("127.0.0.1:1", missing)


def sealed_key(files: Files, key: str) -> str:
    """The same key behind a pass phrase."""
    found = load_pem_private_key(Path(key).read_bytes(), None)
    sealed = files.folder / "sealed.key"
    sealed.touch(0o600)
    locked = BestAvailableEncryption(b"secret")
    sealed.write_bytes(found.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    return str(sealed)


def test_no_proxy_of_the_environment_sees_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    for name in ("grpc_proxy", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with open_blocking(f"127.0.0.1:{port}", ClientTls()) as channel:
        grpc.channel_ready_future(channel).result(timeout=20)
    server.stop(None).wait()


def test_a_host_is_never_a_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """gRPC takes unix:1 for the socket 1 of this folder."""
    monkeypatch.chdir(tmp_path)
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_insecure_port("unix:1")
    server.start()
    with open_blocking("unix:1", ClientTls(in_clear=True)) as channel:
        call = channel.unary_unary("/any/thing")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"", timeout=20)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE  # not UNIMPLEMENTED, by the socket
    server.stop(None).wait()


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("failed to connect to all addresses; last error: Socket closed", "--grpc-ca"),
        ("failed to connect to all addresses; last error: refused", ""),
        ("Socket closed", ""),
        ("a provider that has expired", ""),
    ],
)
def test_advice_is_of_connections_alone(said: str, advice: str) -> None:
    told = advised(said)
    assert told.startswith(said)
    assert advice in told
    assert bool(advice) == (told != said)


def serving(files: Files, clock: list[float], **more: Any) -> TlsFiles:
    return TlsFiles(ServerTls(*files.write("core", "localhost"), **more), clock=lambda: clock[0])


def test_changed_files_are_taken_and_bad_ones_not(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    found = serving(files, [0.0])
    first = found.fetch()
    assert found.fetch() is first
    files.write("core", "localhost")
    second = found.fetch()
    assert second is not first
    (files.folder / "core.pem").write_bytes(b"nothing")
    for _ in range(3):
        assert found.fetch() is second
    (files.folder / "core.key").unlink()
    assert found.fetch() is second
    assert found.failures == 2
    told = [each.message for each in caplog.records if each.levelname == "ERROR"]
    assert len(told) == 2
    assert all("the last good one stays" in each for each in told)
    files.write("core", "localhost")
    assert found.fetch() is not second


def test_a_key_is_taken_once_it_is_its_owner_s_alone(files: Files) -> None:
    found = serving(files, [0.0])
    first = found.fetch()
    files.write("core", "localhost")
    key = files.folder / "core.key"
    key.chmod(0o644)
    assert found.fetch() is first
    key.chmod(0o600)
    assert found.fetch() is not first


def test_what_failed_for_a_while_is_tried_again(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = serving(files, [0.0])
    first = found.fetch()
    files.write("core", "localhost")
    monkeypatch.setattr(renewed, "RETRY_SECONDS", 1e9)
    with monkeypatch.context() as failing:

        def full(*_: Any) -> None:
            raise OSError(errno.EMFILE, "too many open files")

        failing.setattr(Path, "open", full)
        assert found.fetch() is first
    assert found.fetch() is first, "so soon it is not read again"
    monkeypatch.setattr(renewed, "RETRY_SECONDS", 0.0)
    os.utime(files.folder / "core.key")  # from here on
    with monkeypatch.context() as failing:
        failing.setattr(Path, "open", full)
        assert found.fetch() is first
    assert found.fetch() is not first


def test_key_and_certificate_are_replaced_one_after_the_other(files: Files) -> None:
    found = serving(files, [0.0])
    first = found.fetch()
    certificate, key = (files.folder / f"core.{end}" for end in ("pem", "key"))
    other = [Path(each).read_bytes() for each in files.write("other", "localhost")]
    for path, octets in ((certificate, other[0]), (key, other[1])):
        assert found.fetch() is first
        path.write_bytes(octets)
    assert found.fetch() is not first


def test_what_is_lost_again_is_told_again(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    found = serving(files, [0.0])
    key, aside = files.folder / "core.key", files.folder / "aside"
    for _ in range(2):
        key.rename(aside)
        found.fetch()
        aside.rename(key)
        found.fetch()
    assert [each.levelname for each in caplog.records].count("ERROR") == 2


async def test_its_end_is_told_once_each_time(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [0.0]
    found = serving(files, clock)
    shown: dict[str, float] = {}
    found.show(lambda name, value, *_: shown.update({name: float(value)}))
    until = shown["callscreen_core_certificate_expiry_seconds"]
    for left, word in ((40, ""), (29, "30"), (6, "7"), (0.5, "1"), (-1, "expired")):
        clock[0] = until - left * DAY
        caplog.clear()
        for _ in range(2):
            await found.look()
        assert len(caplog.messages) == bool(word)
        assert not word or word in caplog.messages[0]
    found.show(lambda name, value, *_: shown.update({name: float(value)}))
    assert shown["callscreen_core_certificate_expiry_seconds"] == -DAY
