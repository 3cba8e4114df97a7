"""An administrator made through REST gets a password, logs in, and meets its own tenant alone."""

import subprocess
import sys
from typing import Any

from .conftest import Platform, callscreen


def set_password(platform: Platform, role: str, name: str, password: str) -> tuple[int, str]:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "callscreen.cli", "password", role, name),
            *("--grpc", platform.grpc, "--data", str(platform.data)),
        ],
        input=f"{password}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


def log_in(platform: Platform, name: str, password: str) -> Any:
    return platform.rest("POST", "authenticate", {"username": name, "password": password})


def test_a_providers_administrator_sees_its_own_provider_alone(platform: Platform) -> None:
    for name in ("north", "south"):
        platform.ok("POST", "service_provider", {"name": name})
    role = "service_provider:north"
    platform.ok("POST", f"administrator/{role}", {"username": "nora"})
    assert log_in(platform, "nora", "long enough")["meta"]["code"] == 401
    assert set_password(platform, role, "nora", "short")[0] == 1
    assert set_password(platform, role, "nobody", "long enough")[0] == 1
    assert set_password(platform, role, "nora", "long enough") == (0, "")
    owner = platform.tokens["pcs"]
    try:
        platform.tokens["pcs"] = log_in(platform, "nora", "long enough")["data"][0]["token"]
        names = [row["attributes"]["name"] for row in platform.ok("GET", "service_provider")]
        assert names == ["north"]
        assert platform.ok("GET", "service_provider/south") == []
        refused = platform.rest("PUT", "service_provider/south", {"notes": "mine"})
        assert refused["meta"]["code"] == 403
        platform.ok("PUT", "service_provider/north", {"notes": "mine"})
    finally:
        platform.tokens["pcs"] = owner


def test_an_address_that_is_none_is_refused() -> None:
    for part, option in (("gateway", "--http"), ("core", "--grpc"), ("edge", "--sip")):
        for address in (":8080", "8080", "127.0.0.1", "127.0.0.1:99999", "a b:1"):
            shown = callscreen(part, option, address)
            assert shown.returncode == 2, shown.stdout
            assert "is not HOST:PORT" in shown.stderr
