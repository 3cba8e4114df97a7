"""What `callscreen load` makes of a file, before the core sees it."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import pytest

from callscreen.loading import LoadError, columns, read_rows
from callscreen.schema import TYPES

NUMBER = "number,subscriber_name,service_provider_name,nickname"


def rows(text: str, product: str = "pcs", type_name: str | None = None) -> list[Any]:
    return list(read_rows(io.StringIO(text, newline=""), type_name, product))


def test_columns_are_the_documented_ones() -> None:
    assert columns(TYPES["administrator"], "pcs") == [
        *("username", "role_id", "first_name", "last_name", "email", "permissions"),
    ]
    contact = ["first_name", "last_name", "email", "address", "phone", "notes"]
    provider = ["name", "display_name", *contact]
    assert columns(TYPES["service_provider"], "cin") == provider
    assert columns(TYPES["service_provider"], "pcs") == [*provider, "whitelist", "blacklist"]
    subscriber = ["name", "display_name", "service_provider_name", *contact]
    subscriber += ["voicemail", "service_enabled"]
    assert columns(TYPES["subscriber"], "cin") == subscriber
    lists = ["whitelist", "blacklist"]
    assert columns(TYPES["subscriber"], "pcs") == [*subscriber, *lists, "override"]
    assert columns(TYPES["number"], "pcs") == [*NUMBER.split(","), *lists]
    pins = ["ivr_pin", "override_pin", "vip", "blocked"]
    assert columns(TYPES["number"], "cin") == [*NUMBER.split(","), *pins]


def test_a_header_row_tells_the_object_and_the_order() -> None:
    text = "subscriber_name,service_provider_name,number\nalice,acme,5851239876\n"
    assert rows(text) == [
        (
            2,
            "number",
            {
                "subscriber_name": "alice",
                "service_provider_name": "acme",
                "number": "5851239876",
            },
        )
    ]


def test_without_a_header_the_columns_stand_in_documented_order() -> None:
    ((line, type_name, row),) = rows("5851239876,alice,acme,,1900*; 1866xxxxxxx\n", "pcs", "number")
    assert (line, type_name) == (1, "number")
    assert row["whitelist"] == ["1900*", "1866xxxxxxx"]
    assert "nickname" not in row


def test_cells_of_each_kind() -> None:
    header = "name,service_provider_name,address,service_enabled,override\n"
    text = header + 'alice,acme,1 Main St|Rochester,false,"{""captcha"": true}"\n'
    ((_, type_name, row),) = rows(text)
    assert type_name == "subscriber"
    assert isinstance(row, Mapping)
    assert row["address"] == "1 Main St\nRochester"
    assert row["override"] == {"captcha": True}
    message, _ = TYPES["subscriber"].from_json(row, "pcs")
    assert message.service_enabled is False


@pytest.mark.parametrize(
    "cells", ["a,b,c,d,e,f,g", '1,alice,acme,,"unclosed', "x,y,z,n,w,b,extra,more"]
)
def test_a_bad_row_is_told_or_the_file_refused(cells: str) -> None:
    try:
        ((line, _, row),) = rows(f"{NUMBER},whitelist,blacklist\n{cells}\n")
    except csv.Error:
        return
    assert line == 2
    assert isinstance(row, str)


def test_json_of_bad_form_or_depth_is_told() -> None:
    header = "name,service_provider_name,override\n"
    for bad in ("{", '"' + "[" * 100_000 + '"'):
        ((_, _, row),) = rows(f"{header}alice,acme,{bad}\n")
        assert isinstance(row, str)
        assert row.startswith("not JSON")


def test_an_unknown_header_needs_the_object_named() -> None:
    with pytest.raises(LoadError, match="--object"):
        rows("foo,bar\n1,2\n")


def test_blank_lines_are_passed_over() -> None:
    text = f"\n{NUMBER}\n\n5851239876,alice,acme,\n\n"
    assert [line for line, _, _ in rows(text)] == [4]
