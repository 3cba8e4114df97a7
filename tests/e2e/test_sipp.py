"""sipp, a peer that is not ours, meets what REST provisioned, through the whole platform."""

import subprocess
from pathlib import Path

from .conftest import Platform, eventually

SCENARIOS = Path(__file__).parent.parent / "edge" / "sipp"
CALLED, CALLER = "+15551230001", "+15852220000"  # the scenario expects this Contact


def goes(sipp: str, platform: Platform, folder: Path, scenario: str) -> bool:
    """Whether one call ends as the scenario has it."""
    done = subprocess.run(
        [
            *(sipp, platform.sip, "-sf", str(SCENARIOS / f"{scenario}.xml"), "-m", "1"),
            *("-s", CALLED, "-key", "calling", CALLER, "-i", "127.0.0.1"),
            *("-nostdin", "-timeout", "5s", "-timeout_error", "-recv_timeout", "3000"),
        ],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=30,
    )
    return done.returncode == 0


def test_the_next_invite_is_answered_as_provisioned_and_recorded(
    platform: Platform, sipp: str, tmp_path: Path
) -> None:
    number = "number/sip/carol/%2B15551230001"
    rule = {"personal": True, "global": False, "override": False, "stir_shaken": False}
    platform.ok("POST", "service_provider", {"name": "sip"})
    platform.ok("POST", "subscriber/sip", {"name": "carol", "service_provider_name": "sip"})
    lists = {"match": "terminate", "no_match": "next", "priority": 1}
    platform.ok("PUT", "screening_rule/sip", {"blacklist": {**rule, **lists}})
    owner = {"subscriber_name": "carol", "service_provider_name": "sip"}
    platform.ok("PUT", number, {**owner, "blacklist": []})
    eventually(lambda: goes(sipp, platform, tmp_path, "redirected"))
    platform.ok("PUT", number, {"blacklist": [CALLER]})
    eventually(lambda: goes(sipp, platform, tmp_path, "declined"))

    def records() -> list[str]:
        path = "pcs_cdr/sip/carol?search=calling_number:%2B15852220000&sort=start_time:asc"
        return [row["attributes"]["events"] for row in platform.ok("GET", path)] or [""]

    events = eventually(lambda: found if "blacklist:match" in (found := records())[-1] else None)
    assert "blacklist:no_match" in events[0]
