"""An edge whose core speaks TLS: it restarts, it is asked amiss, and certificates are replaced."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from callscreen.ops import renewing
from callscreen.ops.grpc_tls import ClientTls, ServerTls
from callscreen.ops.serving_tls import TlsFiles
from callscreen.ops.transport import open_channel

from ..grpc_files import Files
from .objects import FRIEND
from .running import edge, phone, provision

Eventually = Callable[..., Any]
LOST = "the core is not followed: "


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "tls")


async def restarted(core: Any, tls: ServerTls | None) -> None:
    await core.stop()
    core.credentials = None if tls is None else TlsFiles(tls).credentials
    await core.start()


async def test_it_goes_on_after_the_core_s_restart_with_another_certificate(
    core: Any, files: Files, eventually: Eventually
) -> None:
    provision(core)
    await restarted(core, ServerTls(*files.write("core", "127.0.0.1")))
    async with edge(core, tls=ClientTls(str(files.authorities))) as address, phone(address) as sbc:
        assert (await sbc.call(FRIEND)).status == 302
        await eventually(lambda: core.records)
        await restarted(core, ServerTls(*files.write("core", "127.0.0.1")))
        taken, watches = len(core.records), core.watches
        assert (await sbc.call(FRIEND)).status == 302
        await eventually(lambda: core.watches > watches and len(core.records) > taken)
        assert core.snapshots == 1


@pytest.mark.parametrize(
    ("serving", "asking", "advice"),
    [
        (False, True, "speaks no TLS"),
        (True, False, "--grpc-ca"),
    ],
)
async def test_tls_on_one_side_alone_is_a_line_that_says_what_to_do(
    core: Any,
    files: Files,
    eventually: Eventually,
    caplog: pytest.LogCaptureFixture,
    serving: bool,
    asking: bool,
    advice: str,
) -> None:
    provision(core)
    good = ServerTls(*files.write("core", "127.0.0.1"))
    tls = ClientTls(str(files.authorities)) if asking else ClientTls()
    await restarted(core, good if asking else None)
    caplog.set_level(logging.DEBUG, "callscreen.edge")
    async with edge(core, tls=tls) as address, phone(address) as sbc:
        caplog.clear()
        await restarted(core, good if serving else None)

        def lost() -> list[logging.LogRecord]:
            return [each for each in caplog.records if each.message.startswith(LOST)]

        await eventually(lambda: any(advice in each.message for each in lost()))
        await eventually(lambda: len(lost()) > 3)
        assert (await sbc.call(FRIEND)).status == 302
        loud = [each for each in caplog.records if each.levelno >= logging.WARNING]
        assert len([each for each in loud if each.message.startswith(LOST)]) == 1
        assert len(loud) <= 2  # the other: call records wait
        watches = core.watches
        await restarted(core, good if asking else None)
        await eventually(lambda: core.watches > watches)


async def test_client_files_are_taken_without_a_restart(
    core: Any,
    files: Files,
    eventually: Eventually,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Another authority for both sides; the stream that stands is not touched."""
    monkeypatch.setattr(renewing, "LOOK_SECONDS", 0.01)
    provision(core)
    later = Files(tmp_path / "later")
    here = ServerTls(*files.write("core", "127.0.0.1"), str(files.authorities))
    await restarted(core, here)
    authorities = files.folder / "trusted.pem"
    authorities.write_bytes(files.authorities.read_bytes())
    shown = files.write("edge", "edge-1")
    async with edge(core, tls=ClientTls(str(authorities), *shown)) as address:
        await eventually(lambda: core.watches)
        caplog.set_level(logging.DEBUG, "callscreen")
        for name, other in zip(shown, later.write("edge", "edge-1"), strict=True):
            shutil.copyfile(other, name)
        shutil.copyfile(later.authorities, authorities)
        await eventually(lambda: "are in use" in caplog.text)
        assert core.watches == 1
        there = ServerTls(*later.write("core", "127.0.0.1"), str(later.authorities))
        await restarted(core, there)
        await eventually(lambda: core.watches == 2)
        async with phone(address) as sbc:
            assert (await sbc.call(FRIEND)).status == 302
        await restarted(core, replace(here, client_authorities=""))
        await eventually(lambda: "its certificate is not of --grpc-ca" in caplog.text)
        assert core.watches == 2


async def test_files_of_a_client_that_do_not_fit_are_not_taken(
    core: Any, files: Files, caplog: pytest.LogCaptureFixture, eventually: Eventually
) -> None:
    provision(core)
    await restarted(core, ServerTls(*files.write("core", "127.0.0.1")))
    shown = files.write("edge", "edge-1")
    tls = ClientTls(str(files.authorities), *shown)
    async with open_channel(f"127.0.0.1:{core.port}", tls, ()) as channel:
        assert isinstance(channel, renewing.RenewingChannel)
        first = channel.line
        (files.folder / "edge.key").write_bytes(b"half a key")
        for _ in range(3):
            await channel.look()
        assert channel.line is first
        assert caplog.text.count("the last good one stays") == 1
        stream = channel.unary_unary("/none")(b"")
        files.write("edge", "edge-1")
        await channel.look()
        assert channel.line is not first
        with pytest.raises(grpc.aio.AioRpcError, match="UNIMPLEMENTED"):
            await stream  # it began before, and is not cut off
        await eventually(lambda: closed(first.channel))
        with pytest.raises(grpc.aio.AioRpcError, match="UNIMPLEMENTED"):
            await channel.unary_unary("/none")(b"")


def closed(channel: grpc.aio.Channel) -> bool:
    try:
        return channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN
    except grpc.aio.UsageError:
        return True


async def test_the_end_of_what_a_client_shows_is_told(
    files: Files, caplog: pytest.LogCaptureFixture, eventually: Eventually
) -> None:
    tls = ClientTls(str(files.authorities), *files.expired("edge", "edge-1"))
    async with open_channel("127.0.0.1:1", tls, ()):
        await eventually(lambda: "expired on 2020-01-01" in caplog.text)
