"""Table queries: what is searched, how it is sorted, and what is refused."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.schema import TYPES, Invalid, Query, Row, compile_query
from callscreen.schema.cells import read_search
from callscreen.schema.columns import Column, ColumnKind
from callscreen.v1 import object_pb2, subscriber_pb2

COLUMNS = (
    Column("name", ColumnKind.STRING),
    Column("role", ColumnKind.STRING),
    Column("count", ColumnKind.INTEGER),
    Column("on", ColumnKind.BOOLEAN),
    Column("created", ColumnKind.TIME),
)
SECOND = 10**9
NOON = 1_767_268_800 * SECOND  # 2026-01-01T12:00:00Z


def row(**cells: Any) -> Row:
    return cells.get


def query(**parameters: str) -> Query:
    empty = dict.fromkeys(("sort", "search", "like", "sort_function", "icontains"), "")
    return compile_query(SimpleNamespace(**{**empty, **parameters}), COLUMNS)


def keeps(search: str, **cells: Any) -> bool:
    return query(search=search).matches(row(**cells))


def sorted_by(values: list[Any], column: str, **parameters: str) -> list[Any]:
    asked = query(**parameters)
    items = [row(**{column: value}) for value in values]
    ordered = [item(column) for item in asked.order(items, lambda item: item)]
    assert ordered == [item(column) for item in sorted(items, key=asked.sort_key)]
    return ordered


@pytest.mark.parametrize(
    ("search", "cells", "kept"),
    [
        ("name:Bill", {"name": "Bill"}, True),
        ("name:Bill", {"name": "bill"}, False),
        ("name:Bill", {"name": "Billy"}, False),
        ("name: Bill ", {"name": "Bill"}, True),
        ("name:", {"name": None}, True),
        ("name:", {"name": "x"}, False),
        ("role:service_provider:acme", {"role": "service_provider:acme"}, True),
        ("role:subscriber:acme:alice", {"role": "subscriber:acme:alice"}, True),
        ("name:1000:2000", {"name": "1500"}, True),
        ("name:1000:2000", {"name": "1000"}, False),
        ("name:1000:2000", {"name": "2000"}, False),
        ("name:1000:2000", {"name": "x"}, False),
        ("name:15850000000:15859999999", {"name": "+15851234567"}, True),
        ("count:4", {"count": 4}, True),
        ("count:4", {"count": None}, False),
        ("count:4.0", {"count": 4}, True),
        ("count:4.5", {"count": 4}, False),
        ("count: 3 : 5 ", {"count": 4}, True),
        ("count:3.5:4.5", {"count": 4}, True),
        ("count:-5:5", {"count": 0}, True),
        ("count:-5:5", {"count": 5}, False),
        ("on:true", {"on": True}, True),
        ("on:FALSE", {"on": False}, True),
        ("on:false", {"on": None}, False),
        ("name:a,count:1", {"name": "a", "count": 1}, True),
        ("name:a,count:1", {"name": "a", "count": 2}, False),
        ("created:2026-01-01", {"created": NOON}, True),
        ("created:2026-01-02", {"created": NOON}, False),
        ("created:2026-01-01T12:00:00Z", {"created": NOON}, True),
        ("created:2026-01-01T12:00", {"created": NOON + 59 * SECOND}, True),
        ("created:2026-01-01T12:00:00.250Z", {"created": NOON + SECOND // 4}, True),
        ("created:2026-01-01T12:00:00.250Z", {"created": NOON}, False),
        ("created:2026-01-01T14:00:00+02:00", {"created": NOON}, True),
        ("created:2026-01-01T14:00:00 02:00", {"created": NOON}, True),
        ("created:2026-01-01T14:00:00+02", {"created": NOON}, True),
        ("created:2026-01-01t12:00:00z", {"created": NOON}, True),
        ("created:2026-01-01T12:00:00.2Z", {"created": NOON + SECOND // 4}, True),
        ("created:2026-01-01T12:00:00.25Z", {"created": NOON + SECOND // 4 + 10**6}, True),
        ("created:2026-01-01T12:00:00.250000Z", {"created": NOON + SECOND // 4 + 999}, True),
        ("created:2026-01-01T12:00:00.250000000Z", {"created": NOON + SECOND // 4 - 1}, False),
        ("created:2026-01-01T13:00+02:2026-01-01T14:00:01+02:00", {"created": NOON}, True),
        ("created:2026-01-01T11:00:2026-01-01T12:00", {"created": NOON}, False),
        ("created:2026-01-01T11:00:2026-01-01T12:00:00.001", {"created": NOON}, True),
        ("created:2026-01-01:2026-01-02", {"created": NOON}, True),
        (
            "created:2026-01-01T11:59:59Z:2026-01-01T12:00:01Z",
            {"created": NOON},
            True,
        ),
        ("created:2026-01-01T12:00:00Z:2026-01-02", {"created": NOON}, False),
        ("created:2026-01-01:2026-01-02", {"created": None}, False),
    ],
)
def test_search(search: str, cells: dict[str, Any], kept: bool) -> None:
    assert keeps(search, **cells) is kept


NUMBERS = (Column("number", ColumnKind.STRING, numbers=True),)


@pytest.mark.parametrize(
    ("value", "default_cc", "kept"),
    [
        ("5851239876", "1", True),
        ("(585) 123-9876", "1", True),
        ("+15851239876", "1", True),
        (" 15851239876", "1", True),
        ("15851239876", "1", False),
        ("5851239876", "44", False),
        ("5851239876", "", False),
        ("+15851239876", "", True),
        ("anonymous", "1", False),
        ("5851230000:5851239999", "1", False),
        ("15851230000:15851239999", "1", True),
        ("+15851230000:+15851239999", "1", True),
        (" 15851230000: 15851239999", "1", True),
    ],
)
def test_a_number_is_searched_as_it_would_be_provisioned(
    value: str, default_cc: str, kept: bool
) -> None:
    parameters = dict.fromkeys(("sort", "like", "sort_function", "icontains"), "")
    asked = SimpleNamespace(search=f"number:{value}", **parameters)
    compiled = compile_query(asked, NUMBERS, default_cc)
    assert compiled.matches(row(number="+15851239876")) is kept


def test_like_looks_at_every_text_column() -> None:
    asked = query(like="cme")
    assert asked.matches(row(name="acme"))
    assert asked.matches(row(role="service_provider:acme"))
    assert not asked.matches(row(name="ACME", count=5))
    assert not query(like="5").matches(row(count=5))


def test_like_does_not_look_at_who_made_an_object() -> None:
    obj = object_pb2.Object(number=subscriber_pb2.Number(number="+1585"))
    obj.stamps.created_by = "john"
    asked = {**dict.fromkeys(("sort", "search", "sort_function", "icontains"), "")}
    columns, cells = TYPES["number"].columns("pcs"), TYPES["number"].row(obj)
    assert not compile_query(SimpleNamespace(like="john", **asked), columns).matches(cells)
    assert compile_query(SimpleNamespace(like="585", **asked), columns).matches(cells)


def test_icontains_ignores_case_and_gives_way_to_search() -> None:
    assert query(icontains="name:CM").matches(row(name="acme"))
    assert not query(icontains="name:CM,role:x").matches(row(name="acme"))
    assert query(icontains="name:zzz", search="name:acme").matches(row(name="acme"))


def test_nothing_asked_keeps_everything_as_it_comes() -> None:
    asked = query()
    assert asked.keeps_all
    assert not asked.sorts
    assert asked.matches(row())


@pytest.mark.parametrize("form", ["count ASC", "count:asc", "count", " count:Asc ", "count  asc"])
def test_ascending(form: str) -> None:
    assert sorted_by([3, 1, None, 2], "count", sort=form) == [None, 1, 2, 3]


@pytest.mark.parametrize("form", ["count DES", "count:desc", "count:des", "count DESC"])
def test_descending(form: str) -> None:
    assert sorted_by([3, 1, None, 2], "count", sort=form) == [3, 2, 1, None]


def test_several_columns() -> None:
    items = [row(name=name, count=count) for name, count in [("b", 1), ("a", 1), ("a", 2)]]
    asked = query(sort="name:asc,count:desc")
    ordered = [(item("name"), item("count")) for item in asked.order(items, lambda item: item)]
    assert ordered == [("a", 2), ("a", 1), ("b", 1)]


@pytest.mark.parametrize(
    ("function", "values", "expected"),
    [
        ("lower", ["b", "A", "c"], ["A", "b", "c"]),
        ("length", ["ccc", "a", "bb"], ["a", "bb", "ccc"]),
        ("numeric", ["10", "9", "x", "1.5"], ["x", "1.5", "9", "10"]),
        ("natural", ["a10", "a9", "10", "b"], ["10", "a9", "a10", "b"]),
    ],
)
def test_sort_functions(function: str, values: list[str], expected: list[str]) -> None:
    assert sorted_by(values, "name", sort_function=f"name:{function}") == expected
    assert sorted_by(values, "name", sort_function=f"name:{function}:desc") == expected[::-1]


def test_a_sort_function_takes_the_place_of_sort() -> None:
    assert sorted_by(["b", "aa"], "name", sort="name:asc", sort_function="name:length") == [
        "b",
        "aa",
    ]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("search", "foo:1"),
        ("search", "name"),
        ("search", "count:x"),
        ("search", "count:"),
        ("search", "count:1:2:3"),
        ("search", "count:" + "9" * 5000),
        ("search", "on:maybe"),
        ("search", "created:yesterday"),
        ("search", "created:2026-13-01"),
        ("search", "created:2026-01-01:x"),
        ("search", "created:0001-01-01T00:00:00+14:00"),
        ("search", ",".join(["name:a"] * 33)),
        ("like", "x" * 5000),
        ("icontains", "count:1"),
        ("icontains", "foo:1"),
        ("icontains", "name"),
        ("sort", "foo"),
        ("sort", "name:up"),
        ("sort", "name:asc:asc"),
        ("sort", "x" * 5000),
        ("sort_function", "name"),
        ("sort_function", "name:upper"),
        ("sort_function", "foo:lower"),
        ("sort_function", "name:lower:up"),
        ("sort", ":"),
        ("sort_function", ":"),
    ],
)
def test_what_is_refused(parameter: str, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        query(**{parameter: value})
    (error,) = caught.value.errors
    assert error.field == parameter
    assert error.code == "format"


words = st.sampled_from([*(column.name for column in COLUMNS), "asc", "DES", "lower", "natural"])
values = st.sampled_from(["1", "-2", "true", "2026-01-01", "12:00", "2026-01-01T00:00Z", "", "x"])
parameter = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.tuples(words, st.lists(st.one_of(words, values), max_size=3)).map(
            lambda term: ":".join([term[0], *term[1]])
        ),
        max_size=3,
    ).map(",".join),
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.none() | st.text(max_size=8) | st.from_regex(r"[ab]?[0-9]{1,3}"),
            "role": st.none(),
            "count": st.none() | st.integers(-5, 5),
            "on": st.none() | st.booleans(),
            "created": st.none() | st.integers(0, 2 * NOON),
        }
    ),
    max_size=6,
)


cells_of = {
    ColumnKind.STRING: st.none() | st.sampled_from(["", "a", "1", "1.5", "2026-01-01"]),
    ColumnKind.INTEGER: st.none() | st.integers(-3, 3),
    ColumnKind.BOOLEAN: st.none() | st.booleans(),
    ColumnKind.TIME: st.none() | st.integers(NOON - 2 * SECOND, NOON + 2 * SECOND),
}
asked_of = {
    ColumnKind.STRING: st.sampled_from(["", "a", "1", "b:c", "0:2"]),
    ColumnKind.INTEGER: st.builds(
        lambda *numbers: ":".join(map(str, numbers)), st.sampled_from([-3, 0, 0.5, 1.0, 2.999])
    )
    | st.builds(lambda *two: ":".join(map(str, two)), st.integers(-4, 1), st.integers(-1, 4)),
    ColumnKind.BOOLEAN: st.sampled_from(["true", "false"]),
    ColumnKind.TIME: st.sampled_from(
        [
            "2026-01-01",
            "2026-01-01T12:00:00Z",
            "2026-01-01T12:00",
            "2026-01-01T12:00:01.5Z",
            "2026-01-01T11:59:59Z:2026-01-01T12:00:01Z",
            "2026-01-01T12:00:00.001Z:2026-01-01T12:00:00.002Z",
            "2026-01-01T12:00:01Z:2026-01-01",
        ]
    ),
}


@given(st.data(), st.sampled_from(list(ColumnKind)))
def test_a_span_is_what_the_test_keeps(data: st.DataObject, kind: ColumnKind) -> None:
    condition = read_search(kind, data.draw(asked_of[kind]))
    assert condition is not None
    cell = data.draw(cells_of[kind])
    if condition.span is None:
        assert kind is ColumnKind.STRING
        return
    first, last = condition.span
    within = cell is not None and first <= cell <= last
    unset = cell is None and first == last == ""
    assert condition.test(cell) == (within or unset)


@given(parameter, parameter, parameter, parameter, parameter, rows)
def test_any_query_is_answered_or_refused(
    sort: str, search: str, like: str, function: str, icontains: str, cells: list[dict[str, Any]]
) -> None:
    try:
        asked = query(
            sort=sort, search=search, like=like, sort_function=function, icontains=icontains
        )
    except Invalid:
        return
    items = [held.get for held in cells]
    kept = [item for item in items if asked.matches(item)]
    assert len(asked.order(kept, lambda item: item)) == len(kept)


def test_the_columns_of_an_object() -> None:
    names = {column.name: column.kind for column in TYPES["number"].columns("cin")}
    assert names == {
        "number": "string",
        "subscriber_name": "string",
        "service_provider_name": "string",
        "nickname": "string",
        "created": "time",
        "created_by": "string",
        "modified": "time",
        "modified_by": "string",
    }


def test_the_cells_of_an_object() -> None:
    obj = object_pb2.Object(number=subscriber_pb2.Number(number="+1585", nickname=""))
    obj.stamps.created.FromSeconds(5)
    obj.stamps.created_by = "john"
    cell = TYPES["number"].row(obj)
    assert cell("number") == "+1585"
    assert cell("nickname") == ""
    assert cell("subscriber_name") is None
    assert cell("created") == 5 * SECOND
    assert cell("modified") is None
    assert cell("created_by") == "john"
    assert cell("modified_by") is None
