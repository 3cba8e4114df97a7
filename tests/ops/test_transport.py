"""What gRPC must not be spoken with, or in the clear."""

from pathlib import Path
from typing import Any

import pytest

from callscreen.ops.grpc_tls import ClientTls, ServerTls
from callscreen.ops.serving_tls import TlsFiles, serving_files
from callscreen.ops.transport import check_clear, credentials

from ..grpc_files import Files

DAY = 86_400.0


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "tls")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"])
def test_on_loopback_it_may_go_in_the_clear(address: str) -> None:
    check_clear(address, allowed=False)
    assert credentials(address, ClientTls()) is None
    assert serving_files(address, ServerTls()) is None


@pytest.mark.parametrize(
    "address", ["0.0.0.0:1", "192.0.2.1:1", "[::]:1", "core.example:1", "localhost.example:1"]
)
def test_beyond_loopback_it_may_not_unless_that_was_said(address: str) -> None:
    with pytest.raises(ValueError, match="--grpc-in-clear"):
        credentials(address, ClientTls())
    with pytest.raises(ValueError, match="--grpc-in-clear"):
        serving_files(address, ServerTls())
    assert credentials(address, ClientTls(in_clear=True)) is None
    assert serving_files(address, ServerTls(in_clear=True)) is None


def test_what_does_not_go_together_is_refused(files: Files) -> None:
    certificate, key = files.write("one", "localhost")
    other, _ = files.write("two", "localhost")
    _, locked = files.write("three", "localhost")
    Path(locked).chmod(0o640)
    authorities = str(files.authorities)
    clients: list[tuple[ClientTls, str]] = [
        (ClientTls(authorities, certificate), "goes with its key"),
        (ClientTls(authorities, key=key), "goes with its key"),
        (ClientTls(certificate=certificate, key=key), "needs the authorities"),
        (ClientTls(name="core"), "needs the authorities"),
        (ClientTls(key), "holds no certificate"),
        (ClientTls(authorities, certificate, locked), "read by others"),
    ]
    for client, why in clients:
        with pytest.raises(ValueError, match=why):
            credentials("127.0.0.1:1", client)
    servers: list[tuple[ServerTls, str]] = [
        (ServerTls(certificate), "goes with its key"),
        (ServerTls(key=key), "goes with its key"),
        (ServerTls(client_authorities=authorities), "need TLS"),
        (ServerTls(other, key), "(?i)mismatch"),
        (ServerTls(certificate, locked), "read by others"),
        (ServerTls(certificate, key, key), "(?i)pem"),
    ]
    for server, why in servers:
        with pytest.raises(ValueError, match=why):
            serving_files("127.0.0.1:1", server)
    for missing in (ClientTls("/none"), ClientTls(authorities, "/none", key)):
        with pytest.raises(OSError, match="/none"):
            credentials("127.0.0.1:1", missing)


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
