"""However a list is found, it is the list that looking at everything would find."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from callscreen.core.access import principal
from callscreen.core.commands import list_objects, sources, streams
from callscreen.core.commands.paging import ever
from callscreen.core.commands.plan import plan_for
from callscreen.core.commands.sources import Shelf
from callscreen.core.indexing import changes
from callscreen.core.store.contract import COLUMNS, UNIQUE, Batch, IndexPut, Key, Put, Store
from callscreen.core.store.lmdb import LmdbStore
from callscreen.core.store.memory import MemoryStore
from callscreen.schema import TYPES, body_of, column_table, compile_query, format_name
from callscreen.v1.object_pb2 import Object
from callscreen.v1.provisioning_pb2 import TableQuery

LONG = "x" * 140  # longer than an entry holds: it is cut
TEXTS = [None, "", "a", "b", "ab", "A", "é", LONG, LONG + "a", LONG + "b", "10", "9", "1.5"]
PROVIDERS = ["acme", "acme2", "b"]
NAMES = ["alice", "bob", "carol", "dora"]
COLUMNS_OF = {
    "service_provider": ["name", "display_name", "email", "created", "modified_by"],
    "subscriber": [
        *("name", "service_provider_name", "display_name", "last_name", "email"),
        *("service_enabled", "created", "modified"),
    ],
    "number": ["number", "subscriber_name", "service_provider_name", "nickname", "modified"],
    "administrator": ["role_id", "username", "last_name", "email", "created"],
}
EXACT = {
    "name": [*NAMES, *PROVIDERS],
    "service_provider_name": [*PROVIDERS, "none"],
    "subscriber_name": NAMES,
    "number": ["+1585000000", "+1585000001", "+1585000007"],
    "role_id": ["platform_owner", "service_provider:acme", "subscriber:acme:alice", "nothing"],
    "username": ["u0", "u1", "u5"],
    "service_enabled": ["true", "false"],
    "created": ["2027-01-15", "2027-01-15T08:00:01Z", "2027-01-15T08:00:00Z:2027-01-15T08:00:03Z"],
    "modified": ["2027-01-15T08:00:02Z", "2027-01-15T08:00:01Z:2027-01-15T09:00Z"],
    "modified_by": ["x"],
}
texts = st.sampled_from(TEXTS)
second = st.integers(0, 4)


@st.composite
def objects(draw: st.DrawFn) -> list[Object]:
    """A few objects of each type with an index; keys differ."""
    made = []
    for provider in draw(st.sets(st.sampled_from(PROVIDERS))):
        made.append(_object(draw, "service_provider", name=provider))
    places = st.tuples(st.sampled_from(PROVIDERS), st.sampled_from(NAMES))
    for provider, name in draw(st.sets(places)):
        enabled = draw(st.none() | st.booleans())
        made.append(
            _object(
                draw,
                "subscriber",
                name=name,
                service_provider_name=provider,
                service_enabled=enabled,
            )
        )
    for place, (provider, name) in enumerate(draw(st.lists(places, max_size=10))):
        made.append(
            _object(
                draw,
                "number",
                number=f"+158500000{place}",
                service_provider_name=provider,
                subscriber_name=name,
            )
        )
    roles = st.sampled_from([*EXACT["role_id"][:3], "service_provider:b"])
    for place, role in enumerate(draw(st.lists(roles, max_size=6))):
        made.append(_object(draw, "administrator", role_id=role, username=f"u{place}"))
    return made


def _object(draw: st.DrawFn, kind: str, **key: Any) -> Object:
    texted = set(COLUMNS_OF[kind]) & set(TYPES[kind].indexed) - {"created", "modified"}
    given = {name: draw(texts) for name in sorted(texted)}
    given |= key
    body = TYPES[kind].message(
        **{name: value for name, value in given.items() if value is not None}
    )
    obj = Object(**{kind: body})
    obj.name = format_name("pcs", kind, TYPES[kind].key_of(body))
    for stamp in (obj.stamps.created, obj.stamps.modified):
        moment = draw(st.none() | second)
        if moment is not None:
            stamp.FromNanoseconds((1_800_000_000 + moment) * 10**9 + moment)
    return obj


@st.composite
def queries(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A collection's parent and a query on it."""
    kind = draw(st.sampled_from(sorted(COLUMNS_OF)))
    column = st.sampled_from(COLUMNS_OF[kind])

    def term() -> str:
        name = draw(column)
        value = draw(st.sampled_from(EXACT.get(name, [text or "" for text in TEXTS])))
        return f"{name}:{value}"

    query = {}
    if draw(st.booleans()):
        query["search"] = ",".join(term() for _ in range(draw(st.integers(1, 2))))
    if draw(st.booleans()):
        query["sort"] = ",".join(
            f"{draw(column)}:{draw(st.sampled_from(['asc', 'desc']))}"
            for _ in range(draw(st.integers(1, 3)))
        )
    if draw(st.integers(0, 5)) == 0:
        query["like"] = "a"
    if draw(st.integers(0, 5)) == 0:
        query["sort_function"] = f"{draw(column)}:natural"
    parents = ["", "acme", "b", "none"] if kind in ("subscriber", "number") else [""]
    if kind == "number":
        parents.append("acme/alice")
    if kind == "administrator":
        parents += ["service_provider%3Aacme", "platform_owner"]
    parent = "/".join(filter(None, ["pcs", kind, draw(st.sampled_from(parents))]))
    return parent, query


def filled(store: Store, made: list[Object]) -> None:
    """Puts objects with their entries."""
    writes, marks = [], []
    for obj in made:
        kind = TYPES[obj.WhichOneof("kind") or ""]
        path = kind.path_of(kind.key_of(body_of(obj)))
        writes.append(Put(Key("pcs", kind.type, path), obj.SerializeToString()))
        marks += [IndexPut(COLUMNS, key, b"") for key, _ in changes(kind, "pcs", path, None, obj)]
        for field, value in kind.uniques(body_of(obj)):
            key = "\0".join(("pcs", kind.type, field, value)).encode()
            marks.append(IndexPut(UNIQUE, key, obj.name.encode()))
    store.commit(Batch(writes, lambda revision: b"", (), marks))


def scanned(made: list[Object], parent: str, query: dict[str, str]) -> list[str]:
    """The names that the query keeps, in its order: everything is looked at."""
    _, type_, *key = parent.split("/")
    kind = TYPES[type_]
    asked = compile_query(TableQuery(**query), kind.columns("pcs"), "1")
    prefix = kind.path_of([part.replace("%3A", ":") for part in key])
    rows = []
    for obj in made:
        if obj.WhichOneof("kind") != type_:
            continue
        path = kind.path_of(kind.key_of(body_of(obj)))
        if path[: len(prefix)] == prefix and asked.matches(kind.row(obj)):
            rows.append((path, obj))
    rows.sort(key=lambda each: each[0])
    return [obj.name for _, obj in asked.order(rows, lambda each: kind.row(each[1]))]


def listed(core: Any, parent: str, query: dict[str, str], role: str, size: int) -> list[str]:
    """The same by pages, as a caller gets it."""
    caller = principal("pcs", "somebody", role)
    seen: list[str] = []
    token = ""
    while True:
        page = list_objects.list_objects(core, caller, parent, TableQuery(**query), size, token)
        seen += [obj.name for obj in page.objects]
        token = page.next_page_token
        if not token:
            assert page.total == len(seen)
            return seen


@pytest.fixture(scope="module", params=["memory", "lmdb"])
def make(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Any]:
    """Makes a store that is empty, of one kind or the other."""
    made: list[Store] = []

    def store() -> Store:
        while made:
            made.pop().close()
        folder = tmp_path_factory.mktemp("objects")
        made.append(MemoryStore() if request.param == "memory" else LmdbStore(folder))
        return made[-1]

    yield store
    while made:
        made.pop().close()


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    made=objects(),
    asked=st.lists(queries(), min_size=5, max_size=10),
    chunk=st.sampled_from([2, 3, 500]),
    size=st.sampled_from([1, 2, 1000]),
)
@example(  # an order by what all have alike, of what an index yields in another
    made=[],
    asked=[
        (
            "pcs/subscriber/acme",
            {"search": "modified:2027-01-15T08:00:02Z", "sort_function": "name:natural"},
        ),
        (
            "pcs/subscriber/acme",
            {
                "search": "modified:2027-01-15T08:00:02Z",
                "sort_function": "service_provider_name:natural",
            },
        ),
    ],
    chunk=2,
    size=1,
)
def test_every_plan_gives_what_a_scan_gives(
    make: Any, made: list[Object], asked: Any, chunk: int, size: int
) -> None:
    core = SimpleNamespace(store=make())
    filled(core.store, made)
    with pytest.MonkeyPatch.context() as patch:
        for module in (sources, streams):
            patch.setattr(module, "SCAN_CHUNK", chunk)
        for parent, query in asked:
            expected = scanned(made, parent, query)
            assert listed(core, parent, query, "platform_owner", size) == expected, (parent, query)


def test_both_stores_tell_a_page_that_is_theirs_alone(make: Any) -> None:
    core = SimpleNamespace(store=make())
    filled(core.store, few())
    assert listed(core, "pcs/number", {"sort": "number desc"}, "service_provider:b", 1) == [
        "pcs/number/b/bob/%2B1585000002"
    ]
    assert listed(core, "pcs/subscriber", {"sort": "name"}, "subscriber:acme:bob", 10) == [
        "pcs/subscriber/acme/bob"
    ]


def few() -> list[Object]:
    """Three subscribers of two providers, and their numbers."""
    made = []
    owners = [("acme", "alice"), ("acme", "bob"), ("b", "bob")]
    for place, (provider, name) in enumerate(owners):
        body = {"service_provider_name": provider, "subscriber_name": name}
        number = TYPES["number"].message(number=f"+158500000{place}", **body)
        subscriber = TYPES["subscriber"].message(service_provider_name=provider, name=name)
        made += [Object(number=number), Object(subscriber=subscriber)]
    for obj in made:
        kind = TYPES[obj.WhichOneof("kind") or ""]
        obj.name = format_name("pcs", kind.type, kind.key_of(body_of(obj)))
    return made


def test_a_walk_through_what_is_others_gives_way_to_a_scan(make: Any) -> None:
    core = SimpleNamespace(store=make())
    made = [_number("acme", f"+1{1_000_000 + place}", place) for place in range(40)] + [
        _number("b", f"+2{1_000_000 + place}", place) for place in range(3)
    ]
    filled(core.store, made)
    with pytest.MonkeyPatch.context() as patch:
        for module in (sources, streams):
            patch.setattr(module, "SCAN_CHUNK", 4)
        tried = []
        own = streams.Merged._own
        patch.setattr(streams.Merged, "_own", lambda *given: tried.append(1) or own(*given))
        for sort in ("number", "number desc"):
            expected = scanned(made, "pcs/number/b", {"sort": sort})
            assert listed(core, "pcs/number/b", {"sort": sort}, "platform_owner", 2) == expected
        assert tried


def _number(provider: str, number: str, place: int) -> Object:
    body = TYPES["number"].message(
        number=number, service_provider_name=provider, subscriber_name=f"s{place}"
    )
    obj = Object(number=body)
    obj.name = format_name("pcs", "number", (provider, f"s{place}", number))
    return obj


PAGE = (Path(__file__).parents[2] / "docs" / "queries.md").read_text()
ROWS = re.findall(r"^\| `([^`|]+)` \| (?:`([^`|]+)` )?\| (\w+) \| (\w+) \|$", PAGE, re.MULTILINE)


def test_the_page_has_rows() -> None:
    assert len(ROWS) > 30
    assert {found for _, _, found, _ in ROWS} == {"key", "unique", "column", "scan"}
    assert {order for _, _, _, order in ROWS} == {"key", "unique", "column", "memory"}


@pytest.mark.parametrize(("path", "query", "found", "order"), ROWS)
def test_the_page_says_which_index_serves_a_query(
    make: Any, path: str, query: str, found: str, order: str
) -> None:
    type_, *key = path.split("/")
    kind = TYPES[type_]
    store = make()
    filled(store, few())
    shelf = Shelf(store, kind, "pcs", type_, ever)
    asked = TableQuery(**dict(part.split("=", 1) for part in query.split("&") if part))
    compiled = compile_query(asked, kind.columns("pcs"), "1")
    plan = plan_for(shelf, compiled, kind.path_of(key))
    assert (plan.search, plan.order) == (found, order)


def test_the_page_has_the_columns_of_every_object() -> None:
    assert column_table.render() in PAGE
