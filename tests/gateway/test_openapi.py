"""The description says what the table does."""

import json
import re
from typing import Any

import httpx
import pytest
from grpc import aio

from callscreen.gateway import GatewayConfig, create_app
from callscreen.gateway.docs import docs_page
from callscreen.gateway.openapi import openapi
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
