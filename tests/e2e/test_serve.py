"""`callscreen serve`: what it prints, how it ends, what it leaves behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import PASSWORD, callscreen, eventually, running


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_it_says_ready_ends_on_sigterm_and_leaves_no_process(tmp_path: Path) -> None:
    with running(tmp_path / "data") as platform:
        ready = platform.lines[-1].split()
        assert ready[0] == "ready"
        assert [part.partition("=")[0] for part in ready[1:]] == ["http", "grpc", "sip"]
        children = platform.children()
        assert len(children) == 3
        started = time.monotonic()
        assert platform.stop() == 0
        assert time.monotonic() - started < 5
        assert not any(alive(pid) for pid in children)


def test_children_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    with running(tmp_path / "data") as platform:
        children = platform.children()
        platform.process.kill()
        platform.process.wait()
        eventually(lambda: not any(alive(pid) for pid in children))


def test_a_killed_part_is_started_again_at_the_same_address(tmp_path: Path) -> None:
    with running(tmp_path / "data") as platform:
        before = platform.child("edge")
        os.kill(before, signal.SIGKILL)

        def answers() -> bool:
            try:
                return platform.call("+15855550000", "+15855550001").startswith("SIP/2.0 302")
            except OSError:
                return False

        eventually(answers)
        assert platform.child("edge") != before


def test_without_a_password_one_is_made_and_printed_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    environment = {key: value for key, value in os.environ.items() if "PASSWORD" not in key}

    def first_lines() -> list[str]:
        command = [sys.executable, "-m", "callscreen.cli", "core", "--data", str(data)]
        process = subprocess.Popen(
            [*command, "--grpc", "127.0.0.1:0"],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("ready "):
                break
        process.terminate()
        rest, _ = process.communicate(timeout=10)
        assert process.returncode == 0
        return lines + rest.splitlines()

    first = [line for line in first_lines() if "password" in line]
    assert len(first) == 1
    assert len(first[0].split(": ")[1]) >= 16
    assert not [line for line in first_lines() if "password" in line]


def test_a_taken_port_ends_it_with_a_clear_line(tmp_path: Path) -> None:
    with running(tmp_path / "data") as platform:
        other = ("--data", str(tmp_path / "other"), "--http", platform.http)
        free = ("--grpc", "127.0.0.1:0", "--sip", "127.0.0.1:0")
        second = callscreen("serve", *other, *free, CALLSCREEN_ADMIN_PASSWORD=PASSWORD)
        assert second.returncode == 1
        assert "callscreen: gateway ended" in second.stderr
        assert "Traceback" not in second.stderr


def test_a_second_core_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with running(tmp_path / "data"):
        second = callscreen("core", "--data", data, "--grpc", "127.0.0.1:0")
        assert second.returncode == 1
        assert "Traceback" not in second.stderr
        assert second.stderr.strip().splitlines()[-1].startswith("callscreen: ")


@pytest.mark.parametrize("command", ["serve", "core", "gateway", "edge", "screen", "load"])
def test_every_command_explains_itself(command: str) -> None:
    shown = callscreen(command, "--help")
    assert shown.returncode == 0
    assert shown.stdout.startswith("Usage:")
    assert "CALLSCREEN_" in shown.stdout
