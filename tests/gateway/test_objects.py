"""Each object of the references through its life: put, read, changed, removed."""

import pytest

from ..references import (
    LISTS,
    NUMBER,
    ORIGINATION_SOURCE,
    OVERRIDE,
    PROVIDER,
    SCREENING_RULE,
    SUBSCRIBER,
    integers,
)
from .conftest import Caller
from .examples import NUMBERS, SUBSCRIBERS, accepted, refused

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("provisioned"),
]


async def test_a_provider(owner: Caller) -> None:
    found = await owner.attributes("service_provider/exampleserviceprovider")
    assert found == PROVIDER | (LISTS if owner.product == "pcs" else {})


async def test_a_provider_s_lists(pcs: Caller) -> None:
    lists = {"whitelist": ["5855551234"], "blacklist": ["5859879876", "+44 20 7946 0000"]}
    found = accepted(await pcs.put("service_provider/exampleserviceprovider", lists))
    assert found["whitelist"] == ["+15855551234"]
    assert found["blacklist"] == ["+15859879876", "+442079460000"]


async def test_cin_has_no_provider_s_lists(cin: Caller) -> None:
    answer = await cin.put("service_provider/exampleserviceprovider", {"whitelist": []})
    assert "'whitelist'" in refused(answer, 400)


async def test_a_subscriber_of_pcs(pcs: Caller) -> None:
    body = SUBSCRIBER | LISTS | {"override": OVERRIDE}
    accepted(await pcs.put(f"{SUBSCRIBERS}/examplesubscriber", body))
    found = await pcs.attributes(f"{SUBSCRIBERS}/examplesubscriber")
    assert found == body
    assert list(found) == list(body)


@pytest.mark.parametrize("none", ["", [], None])
async def test_a_subscriber_of_cin(cin: Caller, none: object) -> None:
    body = SUBSCRIBER | {"voicemail": none}
    found = accepted(await cin.put(f"{SUBSCRIBERS}/examplesubscriber", body))
    assert not found["voicemail"]
    assert found | {"voicemail": ""} == SUBSCRIBER


@pytest.mark.parametrize(
    "spelling", ["5851239876", "+15851239876", "%2B15851239876", "(585)%20123-9876"]
)
async def test_a_number_is_found_however_it_is_written(owner: Caller, spelling: str) -> None:
    found = await owner.attributes(f"{NUMBERS}/{spelling}")
    assert found["number"] == "+15851239876"
    accepted(await owner.put(f"{NUMBERS}/{spelling}", {"nickname": spelling}))
    assert (await owner.get(NUMBERS))["meta"]["records_total"] == 1
    assert (await owner.delete(f"{NUMBERS}/{spelling}"))["meta"]["code"] == 200
    assert (await owner.get(NUMBERS))["data"] == []


async def test_a_number_of_pcs(pcs: Caller) -> None:
    lists = {"whitelist": ["+15855550001"], "blacklist": ["585555xxxx", "+1900*"]}
    found = accepted(await pcs.put(f"{NUMBERS}/5851239876", lists))
    expected = NUMBER | {"number": "+15851239876"} | lists
    assert found == expected | {"blacklist": ["+1585555xxxx", "+1900*"]}


async def test_a_number_of_cin_keeps_its_pins_to_itself(cin: Caller) -> None:
    body = {"ivr_pin": "1111", "override_pin": "2222", "vip": ["5855550001"], "blocked": []}
    stored = accepted(await cin.put(f"{NUMBERS}/5851239876", body))
    assert stored["ivr_pin"] == stored["override_pin"] == "********"
    assert stored["vip"] == ["+15855550001"]
    again = accepted(await cin.put(f"{NUMBERS}/5851239876", stored))
    assert again == stored
    cleared = accepted(await cin.put(f"{NUMBERS}/5851239876", {"ivr_pin": None}))
    assert (cleared["ivr_pin"], cleared["override_pin"]) == (None, "********")
    message = refused(await cin.put(f"{NUMBERS}/5851239876", {"ivr_pin": "123"}), 400)
    assert message.startswith("Number(): Field 'ivr_pin' ")


async def test_every_number_in_reach_is_listed(owner: Caller) -> None:
    for path in ("number", "number/exampleserviceprovider", NUMBERS):
        rows = (await owner.get(path))["data"]
        assert [row["attributes"]["number"] for row in rows] == ["+15851239876"]
        assert [row["scope"] for row in rows] == ["number"]


async def test_an_administrator(owner: Caller) -> None:
    body = {
        "username": "John_Doe_admin",
        "role_id": "service_provider:exampleserviceprovider",
        "first_name": "John",
        "last_name": "Doe",
        "email": "jdoe@example.com",
        "permissions": "default:service_provider",
    }
    path = "administrator/service_provider:exampleserviceprovider"
    stored = accepted(await owner.post(path, body))
    lowered = {"username": "john_doe_admin", "permissions": ["default:service_provider"]}
    assert stored == body | lowered
    assert await owner.attributes(f"{path}/John_Doe_admin") == stored
    changed = accepted(await owner.put(f"{path}/john_doe_admin", {"first_name": "Jim"}))
    assert changed == stored | {"first_name": "Jim"}
    assert (await owner.get(path))["meta"]["records_total"] == 1
    assert (await owner.delete(f"{path}/john_doe_admin"))["meta"]["code"] == 200
    assert (await owner.get(path))["data"] == []


async def test_a_screening_rule(pcs: Caller) -> None:
    path = "screening_rule/exampleserviceprovider"
    stored = accepted(await pcs.put(path, SCREENING_RULE))
    assert stored == integers(SCREENING_RULE)
    assert await pcs.attributes(path) == stored


async def test_a_rule_left_out_keeps_its_value_and_null_removes_it(pcs: Caller) -> None:
    path = "screening_rule/exampleserviceprovider"
    stored = accepted(await pcs.put(path, SCREENING_RULE))
    off = SCREENING_RULE["stir_shaken"] | {"enabled": False}
    changed = accepted(await pcs.put(path, {"stir_shaken": off}))
    assert changed == stored | {"stir_shaken": integers(off)}
    removed = accepted(await pcs.put(path, {"captcha": None}))
    assert removed == changed | {"captcha": None}


async def test_a_rule_given_must_be_complete(pcs: Caller) -> None:
    path = "screening_rule/exampleserviceprovider"
    stored = accepted(await pcs.put(path, SCREENING_RULE))
    message = refused(await pcs.put(path, {"captcha": {"enabled": False}}), 400)
    assert message.startswith("ScreeningRule(): Field 'captcha.")
    assert await pcs.attributes(path) == stored


async def test_an_origination_source(pcs: Caller) -> None:
    path = "origination_source/exampleserviceprovider"
    stored = accepted(await pcs.post(path, ORIGINATION_SOURCE))
    assert stored["source_numbers"][0]["numbers_n"] == ["+1585xxxxxxx", "+1716555xxxx"]
    assert stored["source_ip"] == ["145.123.233.21", "192.168.1.0/24"]
    for part in ("name", "orig_id", "attest", "cert_name"):
        assert stored[part] == ORIGINATION_SOURCE[part]
    assert await pcs.attributes(f"{path}/server1") == stored


async def test_an_origination_source_without_a_name_gets_one(pcs: Caller) -> None:
    body = {key: ORIGINATION_SOURCE[key] for key in ("orig_id", "attest", "cert_name")}
    path = "origination_source/exampleserviceprovider"
    name = accepted(await pcs.post(path, body))["name"]
    assert (await pcs.attributes(f"{path}/{name}"))["orig_id"] == body["orig_id"]


@pytest.mark.parametrize("key", ["screening_group", "group_name"])
async def test_service_selection_criteria(pcs: Caller, key: str) -> None:
    path = "service_selection_criteria/exampleserviceprovider"
    body = {key: "examplegroup", "point_code_ranges": "", "called_ccs": "", "source_ips": ""}
    stored = accepted(await pcs.post(path, body))
    assert stored == {
        "service_provider_name": "exampleserviceprovider",
        "screening_group": "examplegroup",
        "point_code_ranges": [],
        "called_ccs": [],
        "source_ips": [],
    }
    body = {"point_code_ranges": [["1-2-3", "1-2-9"]], "source_ips": ["10.0.0.0/8"]}
    unnamed = accepted(await pcs.post(path, body))
    assert unnamed["screening_group"] == "pcs:exampleserviceprovider"
    assert unnamed["point_code_ranges"] == [["1-2-3", "1-2-9"]]
    assert (await pcs.get(path))["meta"]["records_total"] == 2
    assert await pcs.attributes(f"{path}/pcs:exampleserviceprovider") == unnamed


async def test_an_audio_file(pcs: Caller) -> None:
    body = {
        "file": "Hello.wav",
        "location": "/temp/audio",
        "server": "lab-niu01.lab.redcom.com",
        "label": "Hello",
        "service_provider_name": "exampleserviceprovider",
    }
    path = "audio/exampleserviceprovider"
    described = body | {"length": None, "digest": None}
    assert accepted(await pcs.post(path, body)) == described
    assert await pcs.attributes(f"{path}/Hello.wav") == described
    assert "wav" in refused(await pcs.put(f"{path}/Hello.mp3", body | {"file": "Hello.mp3"}), 400)


@pytest.mark.parametrize("name", ["examplesubscriber", "nobody"])
async def test_a_part_of_the_key_is_never_null(owner: Caller, name: str) -> None:
    path = f"{SUBSCRIBERS}/{name}"
    held = (await owner.get(path))["data"]
    for write in (owner.post, owner.put):
        answer = await write(path, {"service_provider_name": None, "name": None})
        assert "is required, but missing" in refused(answer, 400)
    assert (await owner.get(path))["data"] == held
