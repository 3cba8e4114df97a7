"""What operators see of real processes: metrics, health, logs; and how a start is broken off."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from callscreen.serve_command import port_after

from ..collector import Collector, otlp
from .conftest import PASSWORD, Platform, callscreen, eventually, running

REQUEST_ID = "integrator-4711"
SECRETS = ("battery staple", "smtp secret 99", "wrong guess 77")


def get(address: str, path: str) -> tuple[int, str]:
    """The status and the text of a page."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


class Watched(NamedTuple):
    """A platform with its admin endpoints by part, and its log."""

    platform: Platform
    admin: dict[str, str]
    log: Path

    def get(self, part: str, path: str) -> tuple[int, str]:
        return get(self.admin[part], path)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def value(self, part: str, sample: str) -> float:
        """A sample, named with its labels; 0.0 where there is none."""
        for line in self.get(part, "/metrics")[1].splitlines():
            name, _, value = line.rpartition(" ")
            if name == sample:
                return float(value)
        return 0.0


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    options = ("--metrics", "127.0.0.1:0", "--log-level", "debug", "--log-format", "json")
    path = folder / "log"
    with path.open("w") as log, running(folder / "data", *options, log=log.fileno()) as platform:
        lines = [line.removeprefix("metrics ") for line in platform.lines if "metrics " in line]
        yield Watched(platform, dict(line.split("=") for line in lines), path)


@pytest.mark.parametrize("part", ["core", "gateway", "edge"])
def test_every_part_shows_itself(watched: Watched, part: str) -> None:
    assert watched.get(part, "/healthz") == (200, "ok\n")
    assert watched.get(part, "/readyz") == (200, "ready\n")
    status, text = watched.get(part, "/metrics")
    assert status == 200
    assert f'callscreen_build_info{{part="{part}",' in text
    assert f"callscreen_{part}_" in text


def test_the_gateway_answers_for_its_health_in_public_and_not_for_its_metrics(
    watched: Watched,
) -> None:
    for path, status in (("/healthz", 200), ("/readyz", 200), ("/metrics", 404)):
        assert get(watched.platform.http, path)[0] == status


def test_a_call_is_counted_on_its_way(watched: Watched) -> None:
    platform = watched.platform
    platform.ok("POST", "service_provider", {"name": "acme"})
    eventually(
        lambda: (
            watched.value("edge", "callscreen_edge_index_revision")
            == watched.value("core", "callscreen_core_revision")
        )
    )
    platform.call("+15855550000", "+15855550001")
    assert watched.value("edge", "callscreen_edge_call_duration_seconds_count") == 1
    eventually(lambda: watched.value("edge", "callscreen_edge_records_sent_total") == 1)
    # A call to a number that nobody has is kept in both products.
    for product in ("pcs", "cin"):
        assert watched.value("core", f'callscreen_core_records{{product="{product}"}}') == 1
    assert watched.value("core", "callscreen_core_watchers") == 1
    host, _, port = platform.http.rpartition(":")
    with socket.create_connection((host, int(port))):
        eventually(lambda: watched.value("gateway", "callscreen_gateway_connections") >= 1)
    request = 'code="200",method="POST",object="service_provider",product="pcs"'
    assert watched.value("gateway", f"callscreen_gateway_requests_total{{{request}}}") == 1


def ask(watched: Watched, method: str, path: str, body: Any, **headers: str) -> dict[str, Any]:
    platform = watched.platform
    request = urllib.request.Request(
        f"http://{platform.http}/pcs/api/{path}",
        data=json.dumps(body).encode(),
        method=method,
        headers={"Authorization": f"Basic {platform.tokens.get('pcs', '')}", **headers},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.headers["x-request-id"] == headers.get("X-Request-ID", REQUEST_ID)
        answer: dict[str, Any] = json.load(response)
    return answer


def test_the_request_id_runs_through_both_logs(watched: Watched) -> None:
    watched.platform.ok("GET", "settings")  # logs in
    ask(watched, "PUT", "service_provider/acme", {}, **{"X-Request-ID": REQUEST_ID})
    told = [line for line in watched.lines() if line.get("request_id") == REQUEST_ID]
    assert {line["part"] for line in told} == {"core", "gateway"}
    assert any("Provisioning/" in line["event"] for line in told if line["part"] == "core")


def test_no_secret_is_logged_at_whatever_severity(watched: Watched) -> None:
    platform = watched.platform
    named = {"X-Request-ID": "secrets"}
    platform.ok("GET", "settings")
    login = {"username": "pcs_administrator", "password": SECRETS[2]}
    assert ask(watched, "POST", "authenticate", login, **named)["meta"]["code"] == 401
    body = {"username": "helper", "email": "helper@example.net", "role_id": "platform_owner"}
    made = ask(watched, "POST", "administrator/platform_owner", body, **named)
    activation = made["data"][0]["meta"]["activation_token"]
    settings = {"email_settings": {"password": SECRETS[1]}}
    for method, path, sent in (
        ("POST", "password", {"token": activation, "password": SECRETS[0]}),
        ("PUT", "settings/", settings),
        ("POST", "authenticate", {"username": "helper", "password": SECRETS[0]}),
    ):
        answer = ask(watched, method, path, sent, **named)
        assert answer["meta"]["code"] == 200, answer
    assert len(activation) > 16
    log = watched.log.read_text()
    assert "login refused" in log
    kept = (platform.data / "pepper").read_text().strip()
    tokens = (platform.service_token, kept, *platform.tokens.values())
    assert all(tokens)
    for secret in (*SECRETS, *tokens, activation, PASSWORD):
        assert secret not in log


def test_lines_of_the_log_are_objects_in_utc(watched: Watched) -> None:
    lines = watched.lines()
    assert {line["part"] for line in lines} >= {"core", "gateway", "edge"}
    assert all(line["time"].endswith("Z") and line["event"] for line in lines)


def heeds_sigterm(pid: int) -> bool:
    """Whether a process has its own way of ending: before, the interpreter itself starts."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("part", ["core", "gateway", "edge", "serve"])
@pytest.mark.parametrize("seconds", [0.0, 0.4])
def test_a_stop_during_the_start_is_no_fault(tmp_path: Path, part: str, seconds: float) -> None:
    free = {f"CALLSCREEN_{name}": "127.0.0.1:0" for name in ("HTTP", "SIP")}
    free["CALLSCREEN_GRPC"] = "127.0.0.1:1" if part == "edge" else "127.0.0.1:0"
    process = subprocess.Popen(
        [sys.executable, "-m", "callscreen", part],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={
            **os.environ,
            **free,
            "CALLSCREEN_DATA": str(tmp_path / "data"),
            "CALLSCREEN_TOKEN": "none",
            "CALLSCREEN_ADMIN_PASSWORD": PASSWORD,
        },
    )
    eventually(lambda: heeds_sigterm(process.pid))
    time.sleep(seconds)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert "Traceback" not in err


SLOW_START = """
import sys, time
from callscreen.core import server

def build(config, stack):
    stack.callback(lambda: print("unwound", flush=True))
    print("building", flush=True)
    time.sleep(60)

server.build = build
from callscreen.cli import main
main(["core", "--grpc", "127.0.0.1:0", "--data", sys.argv[1]])
"""


def test_a_stop_breaks_off_a_start_that_takes_long(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_START, str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "building\n"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "unwound\n", "")


def test_ports_of_the_parts_follow_one_another() -> None:
    assert port_after("127.0.0.1:9464", 2) == "127.0.0.1:9466"
    assert port_after("[::1]:9464", 0) == "[::1]:9464"
    assert port_after("127.0.0.1:0", 2) == "127.0.0.1:0"
    with pytest.raises(SystemExit):
        port_after("127.0.0.1:65534", 2)


def test_an_admin_address_that_is_taken_ends_a_part_in_a_line(watched: Watched) -> None:
    taken = watched.admin["core"]
    ended = callscreen("gateway", "--http", "127.0.0.1:0", "--metrics", taken)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(f"callscreen: The address {taken} cannot be")
    assert "Traceback" not in ended.stderr


def test_a_trace_runs_through_the_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = Collector()
    with otlp(collector) as url:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")  # milliseconds
        with running(tmp_path / "data") as platform:
            platform.ok("POST", "service_provider", {"name": "acme"})
            names = "POST /pcs/api", "callscreen.v1.Provisioning/Create", "commit"
            eventually(lambda: {*names} <= {*collector.spans})
            # The last of each name is this request's.
            eventually(lambda: len({collector.spans[name].trace_id for name in names}) == 1)
            assert platform.stop() == 0
