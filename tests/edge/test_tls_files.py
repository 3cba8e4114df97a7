"""TLS files of an edge: those that change, are lost or cannot be used, and a certificate's end."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from callscreen.edge.streaming import StreamConfig
from callscreen.edge.tls import TlsConfig, TlsContext
from callscreen.ops import Instruments

from .listening import call, issue, listening, peer, trusting
from .running import edge, provision
from .test_shown import values

DAY = 86_400.0  # seconds
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


async def test_a_new_certificate_is_taken_without_a_restart(
    authority: trustme.CA, tmp_path: Path
) -> None:
    config = issue(authority, tmp_path)
    context = TlsContext(config)

    async def serial(port: int) -> str:
        async with peer(port, ssl=trusting(authority)) as sbc:
            shown = sbc.writer.get_extra_info("peercert")
            return str(shown["serialNumber"])

    async with (
        listening(context=context) as edge,
        peer(edge.port, ssl=trusting(authority)) as standing,
    ):
        before = await serial(edge.port)
        assert not context.reload()
        config.key.write_bytes(b"no key")
        assert not context.reload()
        assert not context.reload()
        assert context.failures == 1
        assert await serial(edge.port) == before
        issue(authority, tmp_path)
        assert context.reload()
        assert await serial(edge.port) != before
        assert (await standing.ask(call(1))).status == 302
    config.certificate.unlink()
    assert not context.reload()


async def test_files_of_another_size_are_other_files_whatever_their_time(
    authority: trustme.CA, tmp_path: Path
) -> None:
    config = issue(authority, tmp_path)
    context = TlsContext(config)
    good, stamp = config.certificate.read_bytes(), config.certificate.stat().st_mtime_ns

    def write(octets: bytes) -> None:
        config.certificate.write_bytes(octets)
        os.utime(config.certificate, ns=(stamp, stamp))

    write(good[:100])  # as of somebody who is still writing
    assert not context.reload()
    assert context.failures == 1
    write(good)
    context.reload()
    write(good[:90])
    assert not context.reload()
    assert context.failures == 2


async def test_files_that_are_lost_again_are_told_again(
    authority: trustme.CA, tmp_path: Path
) -> None:
    config = issue(authority, tmp_path)
    context = TlsContext(config)
    away = tmp_path / "away.pem"
    for failures in (1, 2):
        config.certificate.rename(away)
        assert not context.reload()
        assert not context.reload()
        assert context.failures == failures
        away.rename(config.certificate)
        context.reload()


def test_a_key_with_a_pass_phrase_is_refused_and_nobody_is_asked_for_it(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = issue(authority, tmp_path)
    key = load_pem_private_key(config.key.read_bytes(), None)
    config.key.write_bytes(
        key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a pass phrase")
        )
    )
    with pytest.raises(ValueError, match="pass phrase"):
        TlsContext(config)


async def test_a_key_that_becomes_one_with_a_pass_phrase_is_not_taken(
    authority: trustme.CA, tmp_path: Path
) -> None:
    config = issue(authority, tmp_path)
    context = TlsContext(config)
    key = load_pem_private_key(config.key.read_bytes(), None)
    config.key.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )
    assert not context.reload()
    assert context.failures == 1


def issued(authority: trustme.CA, folder: Path, days: float) -> TlsConfig:
    """A certificate that ends so many days from now."""
    config = TlsConfig(folder / "edge.pem", folder / "edge.key")
    made = authority.issue_cert(
        "127.0.0.1", not_after=datetime.now(UTC) + timedelta(days=days), not_before=LONG_AGO
    )
    config.certificate.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    config.key.write_bytes(made.private_key_pem.bytes())
    return config


def test_the_end_is_that_of_the_certificate_in_use(authority: trustme.CA, tmp_path: Path) -> None:
    context = TlsContext(issued(authority, tmp_path, 90))
    assert context.end.until == pytest.approx(time.time() + 90 * DAY, abs=60)
    config = issued(authority, tmp_path, 60)
    config.key.write_bytes(b"no key")
    assert not context.reload()
    assert context.end.until == pytest.approx(time.time() + 90 * DAY, abs=60)
    issued(authority, tmp_path, 30)
    assert context.reload()
    assert context.end.until == pytest.approx(time.time() + 30 * DAY, abs=60)


def test_the_end_is_told_30_7_and_1_days_before_and_once_it_came(
    authority: trustme.CA, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = [time.time()]
    context = TlsContext(issued(authority, tmp_path, 90), clock=lambda: now[0])
    end = context.end.until
    assert end is not None
    told = []
    for left in (90, 31, 29.9, 29, 8, 6.9, 2, 0.9, 0.5, -0.1, -5):
        now[0] = end - left * DAY
        caplog.clear()
        context.end.tell()
        context.end.tell()
        told += [(left, each.levelname) for each in caplog.records]
        assert all("edge.pem" in each.message for each in caplog.records)
    assert told == [(29.9, "WARNING"), (6.9, "WARNING"), (0.9, "ERROR"), (-0.1, "ERROR")]
    issued(authority, tmp_path, 90)
    now[0] = time.time()
    assert context.reload()
    caplog.clear()
    context.end.tell()
    assert not caplog.records
    now[0] += 85 * DAY  # another one: it is told anew
    context.end.tell()
    assert len(caplog.records) == 1


async def test_the_end_is_told_while_an_edge_runs_and_shown(
    core: Any,
    authority: trustme.CA,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    eventually: Callable[..., Any],
) -> None:
    provision(core)
    config = issued(authority, tmp_path, 3)
    instruments = Instruments("edge", "1")
    files = {"certificate": str(config.certificate), "key": str(config.key)}
    streams = StreamConfig(sips="127.0.0.1:0", **files)
    async with edge(core, instruments=instruments, streams=streams):
        await eventually(lambda: "in less than 7 days" in caplog.text)
        end = values(instruments)["callscreen_edge_tls_certificate_end_timestamp_seconds"]
        assert end == {(str(config.certificate),): pytest.approx(time.time() + 3 * DAY, abs=60)}


def test_an_end_that_cannot_be_read_is_told_and_the_certificate_used(
    authority: trustme.CA, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = issue(authority, tmp_path)
    octets = config.certificate.read_bytes()
    # Of OpenSSL's own form, which holds what it is trusted for besides.
    config.certificate.write_bytes(octets.replace(b" CERTIFICATE--", b" TRUSTED CERTIFICATE--"))
    context = TlsContext(config)
    assert context.end.until is None
    context.end.tell()
    assert "is not known" in caplog.text
