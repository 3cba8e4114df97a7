"""What an integrator provisions through REST decides the next INVITE, with a record of why."""

import os
import signal
import time
from pathlib import Path

import pytest

from .conftest import Platform, callscreen, eventually, invite

LIST_RULE = {"personal": True, "global": True, "override": True, "stir_shaken": False}
ALICE = "+15851239876"
STRANGER = "+15855550000"


@pytest.fixture(scope="module")
def provisioned(platform: Platform) -> Platform:
    platform.ok("POST", "service_provider", {"name": "acme", "blacklist": ["1900xxxxxxx"]})
    platform.ok("POST", "subscriber/acme", {"name": "alice", "service_provider_name": "acme"})
    platform.ok(
        "POST",
        "number/acme/alice",
        {"number": "5851239876", "subscriber_name": "alice", "service_provider_name": "acme"},
    )
    rules = {
        "whitelist": {**LIST_RULE, "match": "continue", "no_match": "next", "priority": "1"},
        "blacklist": {**LIST_RULE, "match": "terminate", "no_match": "next", "priority": "2"},
    }
    platform.ok("PUT", "screening_rule/acme", rules)
    return platform


def test_a_list_change_is_in_force_eventually(provisioned: Platform) -> None:
    eventually(lambda: "302" in provisioned.call(STRANGER, ALICE))
    number = "number/acme/alice/%2B15851239876"
    provisioned.ok("PUT", number, {"blacklist": ["585555*"]})
    eventually(lambda: "603" in provisioned.call(STRANGER, ALICE))
    provisioned.ok("PUT", number, {"whitelist": [STRANGER]})
    eventually(lambda: "302" in provisioned.call(STRANGER, ALICE))
    provisioned.ok("PUT", number, {"whitelist": [], "blacklist": []})
    eventually(lambda: "302" in provisioned.call(STRANGER, ALICE))


def test_a_mask_without_plus_has_the_default_country_code(provisioned: Platform) -> None:
    provisioned.ok("PUT", "service_provider/acme", {"blacklist": ["900xxxxxxx"]})
    eventually(lambda: "603" in provisioned.call("+19005551234", ALICE))
    assert "302" in provisioned.call("+4419005551234", ALICE)


def test_a_subscriber_may_turn_a_rule_off_and_the_service_off(provisioned: Platform) -> None:
    caller = "+19005551234"
    provisioned.ok("PUT", "service_provider/acme", {"blacklist": ["900xxxxxxx"]})
    eventually(lambda: "603" in provisioned.call(caller, ALICE))
    provisioned.ok("PUT", "subscriber/acme/alice", {"override": {"blacklist": True}})
    eventually(lambda: "302" in provisioned.call(caller, ALICE))
    provisioned.ok("PUT", "subscriber/acme/alice", {"override": {"blacklist": False}})
    eventually(lambda: "603" in provisioned.call(caller, ALICE))
    provisioned.ok("PUT", "subscriber/acme/alice", {"service_enabled": False})
    eventually(lambda: "302" in provisioned.call(caller, ALICE))
    provisioned.ok("PUT", "subscriber/acme/alice", {"service_enabled": True})
    eventually(lambda: "603" in provisioned.call(caller, ALICE))


def test_every_call_leaves_a_record_with_its_trace(provisioned: Platform) -> None:
    provisioned.ok("PUT", "service_provider/acme", {"blacklist": ["900xxxxxxx"]})
    eventually(lambda: "603" in provisioned.call("+19005557777", ALICE))
    path = "pcs_cdr/acme/alice?search=calling_number:%2B19005557777&sort=start_time:desc"
    row = eventually(lambda: provisioned.ok("GET", path))[0]["attributes"]
    assert row["called_number"] == ALICE
    assert row["service_provider_name"] == "acme"
    assert row["subscriber_name"] == "alice"
    assert "blacklist:match" in row["events"]
    (trace,) = row["additional_data"]
    assert trace["treatment"] == "terminate"
    (step,) = [step for step in trace["trace"] if step["rule"] == "blacklist"]
    assert step["entry"] == "+1900xxxxxxx"
    assert step["scope"] == "service_provider"
    assert row["start_time"] <= row["end_time"]


def test_delete_takes_a_number_out_of_service(provisioned: Platform) -> None:
    body = {"subscriber_name": "alice", "service_provider_name": "acme", "blacklist": ["+1*"]}
    provisioned.ok("PUT", "number/acme/alice/%2B15857770000", body)
    eventually(lambda: "603" in provisioned.call(STRANGER, "+15857770000"))
    provisioned.ok("DELETE", "number/acme/alice/%2B15857770000")
    eventually(lambda: "302" in provisioned.call(STRANGER, "+15857770000"))


def test_call_intercept(provisioned: Platform) -> None:
    cin = {"product": "cin"}
    provisioned.ok("POST", "service_provider", {"name": "acme"}, **cin)
    bob = {"name": "bob", "service_provider_name": "acme", "voicemail": "vm.example.net"}
    provisioned.ok("POST", "subscriber/acme", bob, **cin)
    number = {"number": "+15851230000", "vip": ["+15855551111"], "blocked": ["+1800*"]}
    owner = {"subscriber_name": "bob", "service_provider_name": "acme"}
    provisioned.ok("POST", "number/acme/bob", {**number, **owner}, **cin)
    eventually(lambda: "vm.example.net" in "".join(calls(provisioned, "+18005551234")))
    assert "302" in calls(provisioned, "+15855551111")[0]
    contact = next(line for line in calls(provisioned, STRANGER) if line.startswith("Contact:"))
    assert "12345" in contact


def calls(platform: Platform, calling: str) -> list[str]:
    return invite(platform.sip, calling, "+15851230000")


def test_the_command_line_asks_and_prints_readably(provisioned: Platform) -> None:
    core = ("--grpc", provisioned.grpc, "--data", str(provisioned.data))
    shown = callscreen("screen", "--from", STRANGER, "--to", ALICE, *core).stdout.splitlines()
    assert shown[0].startswith("continue: ")
    assert any("Whitelist: " in line for line in shown)
    assert any("acme/alice" in line for line in shown)


def test_a_file_is_loaded_whole_or_not_and_refused_lines_are_named(
    provisioned: Platform, tmp_path: Path
) -> None:
    good = [f"+1585600{n:04},alice,acme,,,+1900*;+1866xxxxxxx" for n in range(1200)]
    good[700] = "not a number,alice,acme"
    good[900] = "+15856019999,nobody,acme"
    path = tmp_path / "numbers.csv"
    header = "number,subscriber_name,service_provider_name,nickname,whitelist,blacklist"
    path.write_text("\n".join([header, *good]) + "\n")
    core = ("--grpc", provisioned.grpc, "--data", str(provisioned.data))
    done = callscreen("load", str(path), *core)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("0 loaded (0 new, 0 changed), 2 refused")
    assert "numbers.csv:702:" in done.stderr
    assert "numbers.csv:902:" in done.stderr
    assert provisioned.ok("GET", "number/acme?search=number:15856000001") == []
    good[700], good[900] = "+15856017777,alice,acme,,,", "+15856019999,alice,acme,,,"
    path.write_text("\n".join([header, *good]) + "\n")
    done = callscreen("load", str(path), *core)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1200 loaded (1200 new, 0 changed), 0 refused")
    eventually(lambda: "603" in provisioned.call("+18665550000", "+15856001199"))


def test_answers_go_on_while_the_core_is_gone_and_catch_up_after(provisioned: Platform) -> None:
    provisioned.ok("PUT", "service_provider/acme", {"blacklist": ["900xxxxxxx"]})
    eventually(lambda: "603" in provisioned.call("+19005551234", ALICE))
    os.kill(provisioned.child("core"), signal.SIGKILL)
    for _ in range(20):
        assert "603" in provisioned.call("+19005551234", ALICE)
        time.sleep(0.01)

    def put() -> bool:
        answer = provisioned.rest("PUT", "service_provider/acme", {"blacklist": []})
        return bool(answer["meta"]["code"] == 200)

    eventually(put)
    eventually(lambda: "302" in provisioned.call("+19005551234", ALICE))
