"""The JSON Schema of every object says what validation holds."""

import re
from typing import Any

import pytest

from callscreen.schema import PRODUCTS, TYPES

ALL = [(own.type, product) for own in TYPES.values() for product in own.products]


def nodes(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """A schema and all that it holds."""
    held = [*schema.get("properties", {}).values(), *schema.get("prefixItems", [])]
    held += [schema[name] for name in ("items", "additionalProperties") if schema.get(name)]
    return [schema] + [node for part in held for node in nodes(part)]


@pytest.mark.parametrize(("type_", "product"), ALL)
def test_a_schema_has_the_fields_of_an_answer(type_: str, product: str) -> None:
    own = TYPES[type_]
    schema = own.json_schema(product)
    assert list(schema["properties"]) == list(own.to_json(own.message(), product))
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(("type_", "product"), ALL)
def test_every_part_of_a_schema_has_a_type_and_a_pattern_that_compiles(
    type_: str, product: str
) -> None:
    for node in nodes(TYPES[type_].json_schema(product)):
        kinds = {node["type"]} if isinstance(node["type"], str) else set(node["type"])
        assert kinds <= {"object", "array", "string", "integer", "boolean", "null"}
        re.compile(node.get("pattern", ""))
        assert not any("{" in (value or "") for value in node.get("enum", []))
        if "enum" in node:
            assert (None in node["enum"]) is ("null" in kinds)


@pytest.mark.parametrize(("type_", "product"), ALL)
def test_what_may_be_left_out_may_be_null_in_an_answer(type_: str, product: str) -> None:
    own = TYPES[type_]
    properties = own.json_schema(product)["properties"]
    for name, value in own.to_json(own.message(), product).items():
        required = name in own.json_schema(product).get("required", [])
        assert value is not None or required or "null" in properties[name]["type"]


def test_the_limits_stand_in_the_schema() -> None:
    provider = TYPES["service_provider"].json_schema("pcs")
    assert provider["required"] == ["name"]
    assert provider["properties"]["name"]["maxLength"] == 64
    assert provider["properties"]["whitelist"]["maxItems"] == 1_000_000
    captcha = TYPES["screening_rule"].json_schema("pcs")["properties"]["captcha"]
    assert captcha["properties"]["digit_length"]["maximum"] == 8
    assert "pass" in captcha["required"]
    settings = TYPES["settings"].json_schema("pcs")["properties"]
    assert settings["application_password"]["writeOnly"] is True
    assert settings["branding"]["maxProperties"] == 1000


@pytest.mark.parametrize("product", PRODUCTS)
def test_an_object_of_one_product_shows_only_its_fields(product: str) -> None:
    number = TYPES["number"].json_schema(product)["properties"]
    assert ("vip" in number) is (product == "cin")
    assert ("whitelist" in number) is (product == "pcs")
