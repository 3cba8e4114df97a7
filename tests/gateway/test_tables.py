"""Table queries, by their documented forms."""

from typing import Any

import pytest
import pytest_asyncio

from .conftest import Caller

pytestmark = pytest.mark.asyncio(loop_scope="module")

PEOPLE = [
    ("a10", "Bill", "Stone", "5850001000"),
    ("a9", "bill", "Hill", "5850001500"),
    ("A8", "Anna", "River", "5850002000"),
    ("b1", "Zoë", "Stone", "5850002500"),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def table(owner: Caller) -> Caller:
    await owner.put("service_provider/acme", {})
    for name, first, last, phone in PEOPLE:
        body = {"name": name, "first_name": first, "last_name": last, "phone": phone}
        answer = await owner.post("subscriber/acme", body)
        assert answer["meta"]["code"] == 200, answer
    return owner


async def names(caller: Caller, query: str) -> list[str]:
    answer = await caller.get(f"subscriber/acme?{query}")
    assert answer["meta"]["code"] == 200, answer["meta"]
    return [row["attributes"]["name"] for row in answer["data"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=phone%20ASC", ["a10", "a9", "A8", "b1"]),
        ("sort=phone+DES", ["b1", "A8", "a9", "a10"]),
        ("sort=phone:desc", ["b1", "A8", "a9", "a10"]),
        ("sort=last_name:asc,phone:desc", ["a9", "A8", "b1", "a10"]),
        ("sort=phone:desc&sort_function=name:natural", ["A8", "a9", "a10", "b1"]),
        ("search=first_name:Bill", ["a10"]),
        ("search=phone:5850001000:5850002500&sort=phone:asc", ["a9", "A8"]),
        ("search=last_name:Stone,first_name:Bill", ["a10"]),
        ("search=first_name:Nobody", []),
        ("icontains=first_name:BILL&sort=phone:asc", ["a10", "a9"]),
        ("icontains=first_name:bill&search=first_name:Bill", ["a10"]),
        ("like=ston&sort=phone:asc", []),
        ("like=Ston&sort=phone:asc", ["a10", "b1"]),
        ("like=%C3%AB", ["b1"]),
        ("sort=phone:asc&limit=2", ["a10", "a9"]),
        ("sort=phone:asc&limit=2&offset=3", ["b1"]),
        ("limit=0", []),
    ],
)
async def test_a_query(table: Caller, query: str, expected: list[str]) -> None:
    assert await names(table, query) == expected


async def test_a_page_says_what_it_is_of(table: Caller) -> None:
    meta: dict[str, Any] = (await table.get("subscriber/acme?limit=3&offset=1"))["meta"]
    assert meta["records_page_size"] == 3
    assert meta["records_page_offset"] == 1
    assert (meta["records_shown"], meta["records_total"]) == (3, 4)
    counted = (await table.get("subscriber/acme?limit=0"))["meta"]
    assert (counted["records_shown"], counted["records_total"]) == (0, 4)


async def test_ten_records_are_answered_where_no_limit_is_given(owner: Caller) -> None:
    await owner.put("service_provider/many", {})
    for number in range(12):
        await owner.put(f"subscriber/many/s{number}", {})
    meta = (await owner.get("subscriber/many"))["meta"]
    assert (meta["records_shown"], meta["records_total"]) == (10, 12)


@pytest.mark.parametrize(
    "query",
    [
        "sort=nothing:asc",
        "sort=name:sideways",
        "search=nothing:1",
        "search=name",
        "icontains=nothing:x",
        "icontains=name",
        "sort_function=name:nothing",
        "sort_function=nothing:lower",
        "limit=1001",
        "limit=many",
        "offset=-1",
        "archive=perhaps",
    ],
)
async def test_what_no_column_or_value_is_gets_400(table: Caller, query: str) -> None:
    meta = (await table.get(f"subscriber/acme?{query}"))["meta"]
    assert (meta["scope"], meta["code"]) == ("exception", 400)
    assert meta["message"]
