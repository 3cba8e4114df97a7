"""The whole platform with TLS between its parts, and parts that are not let in."""

import subprocess
import sys
from pathlib import Path

import pytest

from ..grpc_files import Files
from .conftest import callscreen, eventually, running


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "tls")


def test_parts_and_commands_speak_tls(tmp_path: Path, files: Files) -> None:
    certificate, key = files.write("core", "127.0.0.1")
    shown, its_key = files.write("part", "part")
    authorities = str(files.authorities)
    asking = (f"--grpc-ca={authorities}", f"--grpc-client-certificate={shown}")
    asking += (f"--grpc-client-key={its_key}",)
    serving = (f"--grpc-certificate={certificate}", f"--grpc-key={key}")
    serving += (f"--grpc-client-ca={authorities}",)
    with running(tmp_path / "data", *serving, *asking) as platform:
        platform.ok("POST", "service_provider", {"name": "acme"})
        platform.ok("POST", "subscriber/acme", {"name": "alice"})
        platform.ok("POST", "number/acme/alice", {"number": "+15855550001"})
        platform.ok("PUT", "settings", {"screening_engine": {"default_treatment": "terminate"}})
        eventually(lambda: "603" in platform.call("+15855550002", "+15855550001"))
        asked = ("--to", "+15855550001", "--grpc", platform.grpc, "--data", str(platform.data))
        answer = callscreen("screen", *asked, *asking)
        assert answer.returncode == 0, answer.stderr
        assert "acme/alice" in answer.stdout
        for other, why in (((), "--grpc-ca"), (asking[:1], "--grpc-client-certificate")):
            answer = callscreen("screen", *asked, *other)
            assert answer.returncode == 1, other
            (line,) = answer.stderr.splitlines()
            assert why in line


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("gateway", "--grpc", "192.0.2.1:50051"), "--grpc-in-clear"),
        (("edge", "--grpc", "core.example:50051", "--token", "x"), "--grpc-in-clear"),
        (("core", "--grpc", "0.0.0.0:0"), "--grpc-in-clear"),
        (("gateway", "--grpc-ca", "/none.pem"), "/none.pem"),
        (("gateway", "--grpc-ca", "/"), "Is a directory"),
        (("core", "--grpc-certificate", "/", "--grpc-key", "/"), "/"),
        (("serve", "--grpc-certificate", "a", "--grpc-key", "b"), "--grpc-ca"),
        (("serve", "--grpc-ca", "a"), "--grpc-certificate"),
        (
            ("serve", *(f"--grpc-{each}=a" for each in ("certificate", "key", "ca", "client-ca"))),
            "--grpc-client-certificate",
        ),
        (("edge", "--grpc-client-key", "a", "--token", "x"), "goes with its key"),
        (("screen", "--to", "1", "--grpc", "192.0.2.1:1", "--token", "x"), "--grpc-in-clear"),
        (("backup", "--to", "-", "--grpc", "192.0.2.1:1", "--token", "x"), "--grpc-in-clear"),
    ],
)
def test_what_must_not_be_ends_in_a_line(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    at = {"gateway": "--http", "edge": "--sip"}.get(words[0])
    more = (at, "127.0.0.1:0") if at else ()
    answer = subprocess.run(
        [sys.executable, "-m", "callscreen.cli", *words, *more],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert answer.returncode == 1
    assert why in answer.stderr
    assert "Traceback" not in answer.stderr
