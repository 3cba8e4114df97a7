"""The description says what the table does."""

import json
import re
from typing import Any

import httpx
import pytest
from grpc import aio

from callscreen.gateway import GatewayConfig, create_app
from callscreen.gateway.docs import docs_page
from callscreen.gateway.errors import ApiError
from callscreen.gateway.openapi import openapi
from callscreen.gateway.openapi_parameters import flag
from callscreen.gateway.request import flag as read_flag
from callscreen.gateway.routes import ROUTES

DOCUMENT = openapi(("pcs", "cin"))
PROVIDER = {"$ref": "#/components/schemas/pcs.service_provider.request"}


def references(value: object) -> set[str]:
    return set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(value)))


def test_every_line_of_the_table_is_described_with_its_methods() -> None:
    for route in ROUTES:
        for product in route.products:
            described = set(DOCUMENT["paths"][route.path(product)]) - {"parameters"}
            assert described == {method.lower() for method in route.methods}


def test_every_reference_leads_somewhere() -> None:
    assert references(DOCUMENT) <= set(DOCUMENT["components"]["schemas"])


def body(method: str, path: str) -> dict[str, Any]:
    content = DOCUMENT["paths"][path][method]["requestBody"]["content"]
    found: dict[str, Any] = content["application/json"]["schema"]
    return found


def test_a_put_may_name_only_what_it_changes() -> None:
    assert body("put", "/pcs/api/service_provider/{name}") == PROVIDER
    assert "required" not in DOCUMENT["components"]["schemas"]["pcs.service_provider.request"]


def test_a_post_must_name_what_is_required_and_not_in_the_path() -> None:
    assert body("post", "/pcs/api/service_provider") == {
        "allOf": [PROVIDER, {"required": ["name"]}]
    }
    assert body("post", "/pcs/api/service_provider/{name}") == PROVIDER
    [_, numbers] = body("post", "/cin/api/number/{service_provider_name}")["allOf"]
    assert numbers == {"required": ["number", "subscriber_name"]}


@pytest.mark.parametrize("text", ["true", "False", "TRUE", "1", "0", "", "yes", "2", "truefalse"])
def test_a_flag_is_described_as_it_is_read(text: str) -> None:
    described = flag("archive", "")["schema"]["pattern"]
    try:
        read_flag({"archive": text}, "archive")
    except ApiError:
        assert not re.search(described, text)
    else:
        assert re.search(described, text)


def test_operation_ids_are_unique() -> None:
    ids = re.findall(r'"operationId": "([^"]+)"', json.dumps(DOCUMENT))
    assert len(ids) == len(set(ids)) > 80


def test_only_what_is_served_is_described() -> None:
    document = openapi(("cin",))
    assert all(path.startswith("/cin/api/") for path in document["paths"])
    assert "pcs" not in " ".join(document["components"]["schemas"])


@pytest.fixture
async def http():  # type: ignore[no-untyped-def]
    async with aio.insecure_channel("127.0.0.1:1") as channel:
        transport = httpx.ASGITransport(create_app(channel, GatewayConfig()))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client


async def test_the_document_and_its_page_are_served(http: httpx.AsyncClient) -> None:
    found = await http.get("/openapi.json")
    assert found.json() == json.loads(json.dumps(DOCUMENT))
    page = await http.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert page.text == docs_page(DOCUMENT)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = docs_page(DOCUMENT)
    assert "<script" not in page
    assert not re.search(r"(src|href)=['\"](https?:)?//", page)
    for path in DOCUMENT["paths"]:
        assert path in page


def test_a_file_is_sent_where_the_path_names_its_provider() -> None:
    audio = "/pcs/api/audio"
    media = {
        path: set(DOCUMENT["paths"][path]["post"]["requestBody"]["content"])
        for path in (audio, f"{audio}/{{service_provider_name}}")
    }
    assert media == {
        audio: {"application/json"},
        f"{audio}/{{service_provider_name}}": {"application/json", "multipart/form-data"},
    }


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_what_reads_nothing_into_a_number_is_a_get(method: str) -> None:
    path = "/pcs/api/number/{service_provider_name}/{subscriber_name}/{number}"
    [schema] = (
        part["schema"]
        for part in DOCUMENT["paths"][path][method]["parameters"]
        if part["name"] == "number"
    )
    assert bool(re.search(schema["pattern"], "abc")) is (method == "get")
    assert re.search(schema["pattern"], "5855551234")


def test_a_search_for_a_time_names_a_year_that_is_one() -> None:
    [search] = (
        part["schema"]["pattern"]
        for part in DOCUMENT["paths"]["/cin/api/administrator"]["get"]["parameters"]
        if part["name"] == "search"
    )
    for text, fits in (
        ("0001-01-10", True),
        ("2026-02-03:2026-02-04", True),
        ("0000-01-10", False),
    ):
        assert bool(re.search(search, f"created:{text}")) is fits
        assert bool(re.search(search, f"created:2026-01-01:{text}")) is (fits and ":" not in text)
