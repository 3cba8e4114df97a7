"""What GET, POST, PUT and DELETE mean, whatever the object."""

import asyncio
from urllib.parse import quote

import pytest

from ..references import PROVIDER
from .conftest import Caller
from .examples import SUBSCRIBERS, accepted, refused

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("provisioned"),
]


async def test_a_post_on_a_key_that_is_taken_changes_nothing(owner: Caller) -> None:
    refused(await owner.post("service_provider", {**PROVIDER, "notes": "other"}), 409)
    refused(await owner.post(SUBSCRIBERS, {"name": "examplesubscriber", "notes": "other"}), 409)
    refused(await owner.post("service_provider/exampleserviceprovider", {"notes": "x"}), 409)
    found = await owner.attributes("service_provider/exampleserviceprovider")
    assert found["notes"] == PROVIDER["notes"]


async def test_the_parts_of_the_url_fill_the_body(owner: Caller) -> None:
    made = accepted(await owner.post(SUBSCRIBERS, {"name": "bob"}))
    assert made["service_provider_name"] == "exampleserviceprovider"
    made = accepted(await owner.post("number/exampleserviceprovider/bob", {"number": "5850000001"}))
    assert made["subscriber_name"] == "bob"
    made = accepted(await owner.put("number/exampleserviceprovider/bob/5850000002", {}))
    assert made["number"] == "+15850000002"
    other = {"name": "eve", "service_provider_name": "another"}
    refused(await owner.post(SUBSCRIBERS, other), 400)


async def test_a_put_changes_what_it_names(owner: Caller) -> None:
    path = f"{SUBSCRIBERS}/examplesubscriber"
    before = await owner.attributes(path)
    assert accepted(await owner.put(path, {"notes": None})) == before | {"notes": None}
    assert accepted(await owner.put(path, {})) == before | {"notes": None}
    assert accepted(await owner.put(path, {"notes": "n"})) == before | {"notes": "n"}


async def test_a_put_with_another_key_renames_with_all_below(owner: Caller) -> None:
    accepted(await owner.put(f"{SUBSCRIBERS}/examplesubscriber", {"name": "renamed"}))
    assert (await owner.get(f"{SUBSCRIBERS}/examplesubscriber"))["data"] == []
    rows = (await owner.get("number/exampleserviceprovider/renamed"))["data"]
    assert [row["attributes"]["number"] for row in rows] == ["+15851239876"]


async def test_what_holds_others_must_be_there(owner: Caller) -> None:
    answer = await owner.post("subscriber/nobody", {"name": "a"})
    assert "'service_provider_name'" in refused(answer, 400)
    refused(await owner.put("number/exampleserviceprovider/nobody/5850000003", {}), 400)


async def test_a_delete_takes_what_lies_below_with_it(owner: Caller) -> None:
    answer = await owner.delete("service_provider/exampleserviceprovider")
    assert (answer["meta"]["code"], answer["data"]) == (200, [])
    assert (await owner.get("number"))["data"] == []
    assert (await owner.get(SUBSCRIBERS))["data"] == []


@pytest.mark.parametrize(
    "path",
    [
        "subscriber/nobody",
        "number/nobody",
        "number/nobody/no",
        "administrator/emperor",
        "number/a/b/c",
    ],
)
async def test_what_is_below_nothing_is_not_provisioned(owner: Caller, path: str) -> None:
    answer = await owner.get(path)
    assert (answer["meta"]["code"], answer["data"]) == (200, [])


async def test_removing_what_is_not_there_says_so(owner: Caller) -> None:
    message = refused(await owner.delete("service_provider/nobody"), 404)
    assert message == "ServiceProvider(): The object is not provisioned."


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("archive=true&restore=true", 404),
        ("archive=perhaps", 400),
        ("archive=true", 404),
        ("restore=true", 404),
    ],
)
async def test_a_delete_that_asks_for_more_removes_nothing(
    owner: Caller, query: str, code: int
) -> None:
    await owner.delete("service_provider/exampleserviceprovider?archive=true")  # what was before
    refused(await owner.delete(f"service_provider/exampleserviceprovider?{query}"), code)
    assert (await owner.get("service_provider/exampleserviceprovider"))["data"]


@pytest.mark.parametrize("name", ["a b", "é日😀", "100%", "a?b#c", "a;b,c", "a&b=c", "+1", "%2F"])
async def test_a_name_may_hold_what_a_url_may_not(owner: Caller, name: str) -> None:
    path = f"{SUBSCRIBERS}/{quote(name, safe='')}"
    assert accepted(await owner.put(path, {"notes": name}))["name"] == name
    assert (await owner.attributes(path))["notes"] == name
    assert (await owner.delete(path))["meta"]["code"] == 200


async def test_a_part_of_a_path_may_hold_an_encoded_slash(pcs: Caller) -> None:
    path = "service_selection_criteria/exampleserviceprovider/a%2Fb%3Ac"
    assert accepted(await pcs.put(path, {}))["screening_group"] == "a/b:c"
    assert (await pcs.attributes(path))["screening_group"] == "a/b:c"


async def test_the_stamps_say_who_and_when(owner: Caller) -> None:
    path = f"{SUBSCRIBERS}/examplesubscriber"
    before = (await owner.get(path))["data"][0]["meta"]
    await asyncio.sleep(0.002)  # the stamps hold milliseconds
    after = (await owner.put(path, {"notes": "x"}))["data"][0]["meta"]
    who = f"{owner.product}_administrator"
    assert list(after) == ["modified_by", "modified", "created_by", "created"]
    assert (after["created_by"], after["modified_by"]) == (who, who)
    assert after["created"] == before["created"]
    assert after["modified"] > before["modified"]


async def test_the_settings_of_the_platform(owner: Caller) -> None:
    found = await owner.attributes("settings/")
    directory = f"/var/opt/xpressworkx/app-manager/{owner.product}/media/download"
    assert found["download_directory"] == directory
    assert found["web_settings"]["default_cc"] == "1"
    assert found["web_settings"]["password_length"] == 8
    assert ("security" in found) == (owner.product == "pcs")
    assert ("cin_settings" in found) == (owner.product == "cin")


async def test_a_change_of_settings_keeps_the_rest(owner: Caller) -> None:
    before = await owner.attributes("settings")
    changed = accepted(await owner.put("settings/", {"csr_location": "sip:desk@example.com"}))
    assert changed == before | {"csr_location": "sip:desk@example.com"}
    refused(await owner.put("settings/", {"branding": {"x": {"color_hue": 361}}}), 400)
    assert await owner.attributes("settings") == changed


async def test_settings_may_stand_below_their_name(pcs: Caller) -> None:
    overrides = {"__override__": {"web_settings": {"password_length": True}}}
    changed = accepted(await pcs.put("settings/", {"settings": overrides}))
    assert changed["__override__"] == {"web_settings": {"password_length": True}}
    refused(await pcs.put("settings/", {"settings": overrides, "csr_location": "x"}), 400)
    refused(await pcs.put("settings/", {"settings": [overrides]}), 400)


async def test_the_code_becomes_the_status_where_asked_for(owner: Caller) -> None:
    strict = {"X-Strict-Status": "1"}
    for method, path, body, code in (
        ("GET", "service_provider", None, 200),
        ("GET", "servi", None, 404),
        ("POST", "service_provider", PROVIDER, 409),
        ("POST", "service_provider", {}, 400),
        ("DELETE", "service_provider/nobody", None, 404),
    ):
        assert (await owner.send(method, path, body, headers=strict)).status_code == code
        assert (await owner.send(method, path, body)).status_code == 200


@pytest.mark.parametrize("scheme", ["Basic", "Bearer", "basic"])
async def test_both_schemes_are_accepted_and_said_back(owner: Caller, scheme: str) -> None:
    header = f"{scheme} {owner.token}"
    answer = await owner.get("service_provider", headers={"Authorization": header})
    assert answer["meta"]["code"] == 200
    assert answer["meta"]["authorization"] == header


@pytest.mark.parametrize("header", ["", "Basic nonsense", "Basic dXNlcjpwYXNz", "Digest x"])
async def test_without_a_token_there_is_nothing(owner: Caller, header: str) -> None:
    nobody = Caller(owner.http, owner.product)
    for method, path in (("GET", "service_provider"), ("PUT", "settings"), ("GET", "cdr")):
        answer = await nobody.send(method, path, {}, headers={"Authorization": header})
        message = refused(nobody.json(answer), 401)
        assert message == "The authentication token is missing, expired or not valid."


async def test_a_token_is_of_one_product(pcs: Caller) -> None:
    elsewhere = Caller(pcs.http, "cin", pcs.token)
    assert (await elsewhere.get("service_provider"))["data"] == []
    assert refused(await elsewhere.post("service_provider", {"name": "x"}), 403)
