"""The references' own examples: their curl calls as they stand, their answers key by key.

curl sends `Content-Type: application/x-www-form-urlencoded` where no other is asked for.
"""

import asyncio
import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote

import pytest

from callscreen import __version__

from .conftest import PASSWORD, Caller

pytestmark = pytest.mark.asyncio(loop_scope="module")

CURL = {"Content-Type": "application/x-www-form-urlencoded"}
NAMES = {"pcs": "Personalized Call Screening", "cin": "Call Intercept"}
ADDED = (
    '{"name": "IMSWorkX", "display_name": "IMSWorkX", "first_name": "Jane", "last_name": "Doe",'
    ' "email": "example@example.com", "address": "1 Main St. Rochester, NY", "phone": "5858675309",'
    ' "notes": "more notes"}'
)


def jsonapi(product: str) -> dict[str, str]:
    return {
        "version": __version__,
        "name": NAMES[product],
        "short_name": product,
        "author": "Callscreen",
    }


def exactly(found: Any, expected: Any) -> None:
    """Equal, and the keys of every object in the same order."""
    assert json.dumps(found, indent=1) == json.dumps(expected, indent=1)


async def test_logging_in(owner: Caller) -> None:
    body = json.dumps({"username": f"{owner.product}_administrator", "password": PASSWORD})
    answer = await Caller(owner.http, owner.product).post("authenticate", body.encode())
    assert list(answer) == ["meta", "data", "jsonapi"]
    assert list(answer["data"][0]) == ["token"]
    assert len(answer["data"]) == 1
    exactly(answer["jsonapi"], jsonapi(owner.product))


@pytest.mark.parametrize(
    "body",
    [
        b'{"username":"%s_administrator"}',
        b'{"username":"%s_administrator","password":"wrong"}',
        b'{"username":"nobody_at_%s","password":"wrong"}',
        b'{"username":["%s_administrator"],"password":{}}',
        b'{"x":"%s"}',
        b'{"username":"%s","password":"' + b"p" * 1_000_000 + b'"}',
        b'{"username":"\\u0000%s","password":"p"}',
    ],
)
async def test_an_incorrect_log_in(owner: Caller, body: bytes) -> None:
    nobody = Caller(owner.http, owner.product)
    answer = await nobody.post("authenticate", body % owner.product.encode(), headers=CURL)
    expected = {
        "meta": {
            "scope": "exception",
            "message": "The username and password provided were not correct.",
            "code": 401,
            "encoding": "ascii",
        },
        "jsonapi": jsonapi(owner.product),
    }
    exactly(answer, expected)


async def test_a_service_provider_is_added_changed_and_read(owner: Caller) -> None:
    added = await owner.post("service_provider", ADDED.encode(), headers=CURL)
    assert added["meta"]["code"] == 200
    await asyncio.sleep(0.002)  # the stamps hold milliseconds
    changed = await owner.put(
        "service_provider/IMSWorkX",
        b'{"first_name": "John", "last_name": "Smith"}',
        headers=CURL,
    )
    assert changed["meta"]["code"] == 200
    answer = await owner.get("service_provider/", headers={"Content-Type": "application/json"})
    stamps = answer["data"][0]["meta"]
    attributes = {**json.loads(ADDED), "first_name": "John", "last_name": "Smith"}
    if owner.product == "pcs":
        attributes |= {"whitelist": [], "blacklist": []}
    expected = {
        "meta": {
            "code": 200,
            "encoding": "ascii",
            "zoom": 0,
            "records_page_offset": 0,
            "records_shown": 1,
            "records_total": 1,
            "scope": "success",
            "message": "",
            "archive": False,
            "authorization": owner.authorization,
            "records_page_size": 10,
        },
        "data": [
            {
                "scope": "service_provider",
                "meta": {
                    "modified_by": f"{owner.product}_administrator",
                    "modified": stamps["modified"],
                    "created_by": f"{owner.product}_administrator",
                    "created": stamps["created"],
                },
                "attributes": attributes,
            }
        ],
        "jsonapi": jsonapi(owner.product),
    }
    exactly(answer, expected)
    assert stamps["created"] < stamps["modified"]
    exactly(await owner.get("service_provider/IMSWorkX"), expected)
    exactly(await owner.get("service_provider"), expected)


async def test_what_is_not_provisioned(owner: Caller) -> None:
    answer = await owner.get("service_provider/service_test45")
    expected = {
        "meta": {
            "code": 200,
            "encoding": "ascii",
            "zoom": 0,
            "records_shown": 0,
            "records_total": 0,
            "scope": "success",
            "message": "",
            "archive": False,
            "authorization": owner.authorization,
        },
        "data": [],
        "jsonapi": jsonapi(owner.product),
    }
    exactly(answer, expected)


async def test_an_object_that_does_not_exist(owner: Caller) -> None:
    expected = {
        "meta": {
            "scope": "exception",
            "message": "No object 'servi' exists.",
            "code": "404",
        },
        "jsonapi": jsonapi(owner.product),
    }
    exactly(await owner.get("servi"), expected)


@pytest.mark.parametrize("path", ["", "/"])
async def test_no_object_at_all(owner: Caller, path: str) -> None:
    answer = await owner.http.get(f"/{owner.product}/api{path}")
    assert answer.json()["meta"]["message"] == "No object '' exists."


async def test_a_required_field_is_missing(owner: Caller) -> None:
    answer = await owner.post("service_provider", b'{"last_name":"api_test"}', headers=CURL)
    expected = {
        "meta": {
            "scope": "exception",
            "message": "ServiceProvider(): Field 'name' is required, but missing.",
            "code": 400,
            "encoding": "ascii",
        },
        "jsonapi": jsonapi(owner.product),
    }
    exactly(answer, expected)


async def test_the_headers_of_an_answer(owner: Caller) -> None:
    headers = (await owner.send("GET", "service_provider/service_test45")).headers
    assert headers["vary"] == "Cookie"
    assert headers["cache-control"] == "max-age=0"
    assert headers["content-type"] == "application/json"
    assert headers["date"] == headers["expires"] == headers["last-modified"]
    age = datetime.now(UTC) - parsedate_to_datetime(headers["date"])
    assert 0 <= age.total_seconds() < 5


@pytest.mark.parametrize("method", ["GE", "PATCH", "OPTIONS"])
async def test_a_method_that_is_not_valid_at_the_endpoint(owner: Caller, method: str) -> None:
    answer = await owner.send(method, "service_provider/service_test45")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST, PUT, DELETE"
    assert answer.headers["vary"] == "Cookie"
    assert answer.headers["cache-control"] == "max-age=0"
    assert answer.headers["date"] == answer.headers["expires"] == answer.headers["last-modified"]
    assert answer.headers["content-length"] == "0"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.content == b""


@pytest.mark.parametrize(
    "path",
    ["/xyz/api/authenticate", "/pcs/other", "/pcs", "/pcs%2Fapi/servi", "/"],
)
async def test_a_product_that_is_not_installed(owner: Caller, path: str) -> None:
    answer = await owner.http.post(path, json={"username": "a", "password": "b"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=iso-8859-1"
    assert "date" in answer.headers
    assert answer.text == (
        '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n'
        "<html><head>\n"
        "<title>404 Not Found</title>\n"
        "</head><body>\n"
        "<h1>Not Found</h1>\n"
        f"<p>The requested URL {unquote(path)} was not found on this server.</p>\n"
        "</body></html>\n"
    )


async def test_the_path_on_that_page_is_no_markup(owner: Caller) -> None:
    answer = await owner.http.get("/<script>é日")
    assert "&lt;script&gt;" in answer.text
    assert "<script>" not in answer.text


async def test_an_administrator_has_the_role_of_the_path(owner: Caller) -> None:
    await owner.put("service_provider/lesser", {"name": "lesser"})
    role = "service_provider:lesser"
    made = await owner.post(
        f"administrator/{role}", {"username": "lesser_admin", "email": "a@example.com"}
    )
    assert made["meta"]["code"] == 200, made
    assert made["data"][0]["attributes"]["role_id"] == role


async def test_a_table_query_of_call_records(owner: Caller) -> None:
    answer = await owner.get("cdr?offset=0&limit=25&sort=start_time:asc")
    assert answer["meta"]["code"] == 200
    assert answer["data"] == []
    unknown = await owner.get("cdr?offset=0&limit=25&sort=column:asc")
    assert unknown["meta"]["code"] == 400
