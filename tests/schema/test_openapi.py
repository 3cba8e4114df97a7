"""The JSON Schema of every object says what validation holds."""

import re
from typing import Any

import pytest

from callscreen.schema import PRODUCTS, TYPES
from callscreen.schema.accepted import request_schema

ALL = [(own.type, product) for own in TYPES.values() for product in own.products]


def schema_of(type_: str, product: str) -> dict[str, Any]:
    return request_schema(TYPES[type_].shape, product)


def nodes(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """A schema and all that it holds."""
    held = [*schema.get("properties", {}).values(), *schema.get("prefixItems", [])]
    held += schema.get("anyOf", [])
    held += [schema[name] for name in ("items", "additionalProperties") if schema.get(name)]
    return [schema] + [node for part in held for node in nodes(part)]


def test_what_the_core_alone_sets_is_read_only() -> None:
    fields = schema_of("audio", "pcs")["properties"]
    assert {name for name, schema in fields.items() if schema.get("readOnly")} == {
        "length",
        "digest",
    }


@pytest.mark.parametrize(("type_", "product"), ALL)
def test_every_part_of_a_schema_has_a_type_and_a_pattern_that_compiles(
    type_: str, product: str
) -> None:
    for node in nodes(schema_of(type_, product)):
        assert {"type", "anyOf", "enum"} & set(node), node
        assert node.get("type", "string") in {"object", "array", "string", "integer", "boolean"}
        re.compile(node.get("pattern", ""))
        assert not any("{" in str(value) for value in node.get("enum", []))
        if node.get("type") == "object":
            assert node["additionalProperties"] is False or "maxProperties" in node


def test_the_limits_stand_in_the_schema() -> None:
    provider = schema_of("service_provider", "pcs")
    assert provider["required"] == ["name"]
    assert provider["properties"]["name"]["maxLength"] == 64
    assert provider["properties"]["whitelist"]["anyOf"][0]["maxItems"] == 1_000_000
    captcha = schema_of("screening_rule", "pcs")["properties"]["captcha"]["anyOf"][0]
    assert captcha["properties"]["digit_length"]["anyOf"][0]["maximum"] == 8
    assert "pass" in captcha["required"]
    settings = schema_of("settings", "pcs")["properties"]
    assert settings["application_password"]["writeOnly"] is True
    assert settings["branding"]["anyOf"][0]["maxProperties"] == 1000


@pytest.mark.parametrize("product", PRODUCTS)
def test_an_object_of_one_product_shows_only_its_fields(product: str) -> None:
    number = schema_of("number", product)["properties"]
    assert ("vip" in number) is (product == "cin")
    assert ("whitelist" in number) is (product == "pcs")
