"""Lists, table queries and pages."""

import pytest

from callscreen.core.commands.paging import patience
from callscreen.core.errors import InvalidInput, TooMuch
from callscreen.core.indexing import changes
from callscreen.core.limits import LIST_SECONDS, PAGE_MAX
from callscreen.core.store.contract import COLUMNS, IndexPut, Key
from callscreen.schema import TYPES, Invalid
from callscreen.v1.object_pb2 import Object

from .conftest import tenant


@pytest.fixture
async def ten(owner):
    """Ten providers: p0 with note 9 to p9 with note 0."""
    for place in range(10):
        await owner.create(
            "pcs/service_provider", name=f"p{place}", notes=str(9 - place), email=f"E{place % 2}"
        )
    return owner


def name_of(place):
    return f"pcs/service_provider/p{place}"


ALL = [name_of(place) for place in range(10)]
PAGES = [
    ({}, ALL),
    ({"search": "email:E1"}, [name_of(place) for place in (1, 3, 5, 7, 9)]),
    ({"sort": "notes"}, ALL[::-1]),
    (
        {"sort": "email desc, name des"},
        [name_of(place) for place in (9, 7, 5, 3, 1, 8, 6, 4, 2, 0)],
    ),
    ({"search": "notes:2:5"}, [name_of(6), name_of(5)]),
    ({"like": "p3"}, [name_of(3)]),
    ({"icontains": "email:e0", "sort": "name:desc"}, [name_of(p) for p in (8, 6, 4, 2, 0)]),
]


@pytest.mark.parametrize(("query", "names"), PAGES)
@pytest.mark.parametrize("size", [1, 3, 10, 1000])
async def test_pages_joined_are_the_whole_answer(ten, query, names, size):
    seen, token = [], ""
    while True:
        page = ten.list("pcs/service_provider", page_size=size, page_token=token, **query)
        assert page.total == len(names)
        assert len(page.objects) <= size
        seen += [each.name for each in page.objects]
        token = page.next_page_token
        if not token:
            break
    assert sorted(seen) == sorted(names)
    if "sort" in query or not query:
        assert seen == names


async def test_a_page_has_ten_objects_where_none_is_said_and_zero_counts_only(ten):
    await ten.create("pcs/service_provider", name="p99")
    assert len(ten.list("pcs/service_provider").objects) == 10
    counted = ten.list("pcs/service_provider", page_size=0)
    assert (counted.total, counted.objects, counted.next_page_token) == (11, [], "")
    assert len(ten.list("pcs/service_provider", page_size=PAGE_MAX + 1).objects) == 11


@pytest.mark.parametrize("query", [{}, {"sort": "name"}, {"search": "name:p4"}])
async def test_skip_leaves_out_the_first_ones(ten, query):
    whole = ten.names("pcs/service_provider", **query)
    for skip in (0, 1, 4, 10, 2**62):
        assert ten.names("pcs/service_provider", skip=skip, **query) == whole[skip : skip + 1000]


async def test_an_object_made_meanwhile_does_not_shift_the_pages(ten):
    first = ten.list("pcs/service_provider", page_size=5)
    await ten.create("pcs/service_provider", name="a0")
    second = ten.list("pcs/service_provider", page_token=first.next_page_token, page_size=5)
    assert [each.name for each in second.objects] == ALL[5:]


async def test_a_page_ends_where_its_octets_do(ten, monkeypatch):
    monkeypatch.setattr("callscreen.core.commands.paging.PAGE_BYTES", 100)
    for query in ({}, {"sort": "name"}, {"search": "name:p0"}):
        page = ten.list("pcs/service_provider", page_size=10, **query)
        assert len(page.objects) == 1
        assert bool(page.next_page_token) == (page.total > 1)


@pytest.mark.parametrize("token", ["x", "e30=", "WzFd", "bnVsbA==", "!" * 20, "x" * 9000])
async def test_a_token_that_is_none_is_refused(ten, token):
    with pytest.raises(InvalidInput) as refused:
        ten.list("pcs/service_provider", page_token=token)
    assert refused.value.errors[0].field == "page_token"


async def test_a_token_is_of_its_query_alone(ten):
    token = ten.list("pcs/service_provider", page_size=1).next_page_token
    for other in ({"sort": "name"}, {"like": "p"}):
        with pytest.raises(InvalidInput):
            ten.list("pcs/service_provider", page_token=token, **other)
    with pytest.raises(InvalidInput):
        ten.list("pcs/subscriber", page_token=token)


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "nothing"},
        {"search": "name"},
        {"search": "nothing:1"},
        {"icontains": "name"},
        {"sort_function": "name:magic"},
        {"like": "x" * 5000},
        {"sort": "name sideways"},
    ],
)
async def test_a_query_that_names_nothing_is_refused(ten, query):
    with pytest.raises(Invalid):
        ten.list("pcs/service_provider", **query)


@pytest.mark.parametrize("given", [{"page_size": -1}, {"skip": -1}])
async def test_negative_amounts_are_refused(ten, given):
    with pytest.raises(InvalidInput):
        ten.list("pcs/service_provider", **given)


async def test_a_collection_is_what_lies_below_its_parent(owner):
    await tenant(owner, "acme", "alice", "+15855550001")
    await tenant(owner, "acme2", "alice", "+15855550002")
    await owner.create("pcs/administrator/service_provider:acme", username="ann")
    await owner.create("pcs/administrator/subscriber:acme:alice", username="alice")
    assert len(owner.names("pcs/number")) == 2
    assert owner.names("pcs/number/acme") == ["pcs/number/acme/alice/%2B15855550001"]
    assert owner.names("pcs/number/acme/bob") == []
    assert owner.names("pcs/administrator/service_provider:acme") == [
        "pcs/administrator/service_provider%3Aacme/ann"
    ]
    assert len(owner.names("pcs/administrator")) == 3
    assert owner.names("pcs/settings/") == ["pcs/settings/"]


async def test_what_is_secret_is_masked_and_no_column(owner):
    await owner.update("pcs/settings/", application_password="hidden")
    shown = owner.list("pcs/settings").objects[0].settings
    assert shown.application_password == "********"
    with pytest.raises(Invalid):
        owner.list("pcs/settings", search="application_password:hidden")


async def test_a_page_beyond_the_depth_of_a_search_is_refused(ten, monkeypatch):
    monkeypatch.setattr("callscreen.core.commands.paging.PAGE_DEPTH", 5)
    assert len(ten.list("pcs/service_provider", sort="name", page_size=5).objects) == 5
    with pytest.raises(InvalidInput) as refused:
        ten.list("pcs/service_provider", sort="name", page_size=5, skip=1)
    assert refused.value.errors[0].field == "skip"
    page = ten.list("pcs/service_provider", sort="name", search="email:E1", skip=100)
    assert (page.total, page.objects) == (5, [])


@pytest.mark.parametrize("query", [{}, {"sort": "name"}, {"search": "name:p4"}])
async def test_a_search_ends_when_its_caller_has_gone_or_its_time_is_over(ten, query):
    gone, now = False, 0.0
    pulse = patience(lambda: gone, lambda: now)
    assert ten.list("pcs/service_provider", pulse=pulse, **query).total
    now = LIST_SECONDS + 1
    with pytest.raises(TooMuch):
        ten.list("pcs/service_provider", pulse=pulse, **query)
    gone, now = True, 0.0
    with pytest.raises(TooMuch):
        ten.list("pcs/service_provider", pulse=pulse, **query)


async def test_a_number_is_searched_for_however_it_is_written(owner):
    await tenant(owner, "acme", "alice", "+15855550001")
    for written in ("+15855550001", "585-555-0001"):
        assert len(owner.names("pcs/number", search=f"number:{written}")) == 1


async def test_the_archive_is_listed_apart(owner):
    await tenant(owner, "acme", "alice", "+15855550001")
    await tenant(owner, "acme2", "bob", "+15855550002")
    for again in range(2):
        if again:
            await owner.create("pcs/subscriber/acme", name="alice", email="second")
        await owner.delete("pcs/subscriber/acme/alice")
    await owner.delete("pcs/number/acme2/bob/+15855550002")

    def archived(parent, **given):
        page = owner.list(parent, archived=True, **given)
        assert all(each.archived.batch for each in page.objects)
        return [each.name.removeprefix("pcs/") for each in page.objects], page.total

    alice = "subscriber/acme/alice"
    assert archived("pcs/subscriber") == ([alice, alice], 2)
    assert archived("pcs/subscriber", page_size=1) == ([alice], 2)
    assert archived("pcs/subscriber/acme2") == ([], 0)
    assert archived("pcs/subscriber", search="email:second") == ([alice], 1)
    assert archived("pcs/number", sort="number desc") == (
        ["number/acme2/bob/%2B15855550002", "number/acme/alice/%2B15855550001"],
        2,
    )
    assert archived("pcs/number", search="number:5855550001")[1] == 1
    assert archived("pcs/service_provider") == ([], 0)
    first = owner.list("pcs/subscriber", archived=True, page_size=1)
    second = owner.list("pcs/subscriber", archived=True, page_token=first.next_page_token)
    assert len(second.objects) == 1
    assert not second.next_page_token
    assert owner.names("pcs/subscriber") == ["pcs/subscriber/acme2/bob"]


async def test_the_archive_shows_a_tenant_its_own_alone(owner, desk):
    await tenant(owner, "acme", "alice", "+15855550001")
    await tenant(owner, "acme2", "bob", "+15855550002")
    await owner.delete("pcs/subscriber/acme/alice")
    await owner.delete("pcs/subscriber/acme2/bob")
    acme = desk("service_provider:acme")
    assert acme.names("pcs/number", archived=True) == ["pcs/number/acme/alice/%2B15855550001"]
    assert acme.names("pcs/number/acme2", archived=True) == []


async def test_what_moves_on_the_way_is_listed_once(ten, core, monkeypatch):
    for module in ("sources", "streams"):
        monkeypatch.setattr(f"callscreen.core.commands.{module}.SCAN_CHUNK", 2)
    await tenant(ten, "acme", "s0", "+15855550000")
    for place in range(1, 8):
        await ten.create("pcs/subscriber/acme", name=f"s{place}", email=f"e{place}")
    pulses = iter(range(100))
    key = Key("pcs", "subscriber", ("acme", "s1"))
    old = Object.FromString(core.store.get(key))

    def pulse():
        if next(pulses) == 4:  # the first one is moved behind the last
            new = Object()
            new.CopyFrom(old)
            new.subscriber.email = "z"
            moved = changes(TYPES["subscriber"], "pcs", key.path, old, new)
            core.store.reindex([IndexPut(COLUMNS, entry, b"") for entry, put in moved if put])

    page = ten.list("pcs/subscriber/acme", sort="email", page_size=20, pulse=pulse)
    names = [each.name for each in page.objects]
    assert len(names) == len(set(names)) == 8
    assert next(pulses) > 5
