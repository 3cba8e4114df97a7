"""The index of columns: how entries order, and that they are always those of the objects."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.core import indexing
from callscreen.core.commands.update import ALL
from callscreen.core.indexing import (
    SCOPE_OCTETS,
    changes,
    digest,
    encode_cell,
    is_complete,
    is_cut,
    make_complete,
    rest_of,
    scope,
)
from callscreen.core.limits import TEXT_OCTETS
from callscreen.core.server import serve
from callscreen.core.store.contract import (
    COLUMNS,
    IndexDelete,
    IndexPut,
    Key,
    Store,
    StoreFull,
)
from callscreen.core.store.limits import KEY_BYTES
from callscreen.core.store.lmdb import LmdbStore
from callscreen.core.store.memory import MemoryStore
from callscreen.core.store.tables import encode_parts
from callscreen.core.wiring import CoreConfig
from callscreen.schema import PRODUCTS, TYPES
from callscreen.v1 import provisioning_pb2 as pb
from callscreen.v1.jobs_pb2 import DONE
from callscreen.v1.object_pb2 import Object

from .bulk import load
from .conftest import CHEAP, PASSWORD, Desk, running, tenant
from .remote import fill, log_in, provisioning

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
LONG = st.builds(lambda head, tail: "x" * (TEXT_OCTETS - 2) + head + tail, TEXT, TEXT)
CELL = st.none() | TEXT | LONG
PATH = st.lists(TEXT, min_size=1, max_size=2).map(tuple)


def rank(cell: Any) -> tuple[bool, Any]:
    return (False, 0) if cell is None else (True, cell)


@given(CELL, CELL, PATH, PATH)
def test_entries_of_texts_order_as_the_texts_then_as_the_paths(
    one: str | None, other: str | None, here: Any, there: Any
) -> None:
    first, second = encode_cell(one), encode_cell(other)
    if first != second:
        assert (first < second) == (rank(one) < rank(other))
        assert (first + encode_parts(here) < second + encode_parts(there)) == (first < second)
    elif not is_cut(first):
        assert one == other
        assert (encode_parts(here) < encode_parts(there)) == (here < there)
    entry = bytes(SCOPE_OCTETS) + first + encode_parts(here)
    assert rest_of(entry, True) == (first, here)


@given(st.none() | st.integers(-(2**62), 2**68), st.none() | st.integers(-(2**62), 2**68), PATH)
def test_entries_of_numbers_order_as_the_numbers(one: Any, other: Any, path: Any) -> None:
    first, second = encode_cell(one), encode_cell(other)
    assert (first < second) == (rank(one) < rank(other))
    assert rest_of(bytes(SCOPE_OCTETS) + first + encode_parts(path), False) == (first, path)


def test_a_number_out_of_range_is_beyond_all_others() -> None:
    assert encode_cell(-(10**30)) < encode_cell(-(10**18))
    assert encode_cell(10**30) > encode_cell(253_402_300_799 * 10**9)


def test_every_entry_fits_a_key() -> None:
    wide = "\U0001f600" * 64
    widest = {"number": "+123456789012345", "username": "u" * 64}
    for product in PRODUCTS:
        for kind in TYPES.values():
            body = kind.message()
            for name in kind.key:
                setattr(body, name, widest.get(name, wide))
            key = list(kind.key_of(body))
            if kind.type == "administrator":
                key[0] = f"subscriber:{wide}:{wide}"
            for name in set(kind.indexed) - {"modified"}:
                setattr(body, name, "y" * 250)
            made = changes(kind, product, kind.path_of(key), None, Object(**{kind.type: body}))
            assert len(made) == len(kind.indexed)
            assert all(len(entry) <= KEY_BYTES for entry, _ in made)


def test_columns_declared_are_columns() -> None:
    for kind in TYPES.values():
        names = {column.name for product in kind.products for column in kind.columns(product)}
        assert set(kind.indexed) <= names


def test_a_scope_is_of_all_that_is_said_of_it() -> None:
    parts = ["pcs", "subscriber", "email"]
    seen = {scope(*parts, above) for above in [(), ("",), ("a",), ("a", ""), ("a\x00",)]}
    seen |= {scope("cin", *parts[1:], ()), scope(*parts[:2], "phone", ())}
    assert len(seen) == 7


def held(store: Store) -> set[bytes]:
    with store.read() as reader:
        return {key for key, _ in reader.scan_index(COLUMNS, b"", b"\xff" * 17)} - {b"declared"}


def wanted(store: Store) -> set[bytes]:
    """The entries that all objects of the store should have."""
    return {
        entry
        for product in PRODUCTS
        for kind in TYPES.values()
        for key, value in store.scan(product, kind.type)
        for entry, _ in changes(kind, product, key.path, None, Object.FromString(value))
    }


async def test_entries_follow_what_is_done(core: Any, owner: Desk) -> None:
    def right() -> int:
        assert held(core.store) == wanted(core.store)
        return len(held(core.store))

    start = right()
    await tenant(owner, "acme", "alice", "+15855550001")
    columns = sum(len(TYPES[kind].indexed) for kind in ("service_provider", "subscriber", "number"))
    assert right() == start + columns
    await owner.update("pcs/subscriber/acme/alice", email="a@example.com", last_name="Stone")
    await owner.update("pcs/subscriber/acme/alice", ("email",))
    await owner.update("pcs/number/acme/alice/+15855550001", nickname="x" * 200)
    right()
    await owner.update("pcs/subscriber/acme/alice", (ALL,), name="bob")
    assert right() == start + columns
    await owner.create("pcs/administrator/subscriber:acme:bob", username="bob", email="b@b.b")
    await owner.update("pcs/service_provider/acme", name="other", display_name="Other")
    right()
    await owner.delete("pcs/subscriber/other/bob")
    right()
    await owner.delete("pcs/service_provider/other")
    assert right() == start


async def test_what_does_not_change_has_no_entries_written(core: Any, owner: Desk) -> None:
    await tenant(owner, "acme", "alice", "+15855550001")
    key = Key("pcs", "number", ("acme", "alice", "+15855550001"))
    old = Object.FromString(core.store.get(key))
    new = Object()
    new.CopyFrom(old)
    new.number.whitelist.append("+1900*")
    new.stamps.modified.FromSeconds(5)
    assert changes(TYPES["number"], "pcs", key.path, old, new) == []
    new.number.nickname = "n"
    made = changes(TYPES["number"], "pcs", key.path, old, new)
    assert [put for _, put in made] == [False, True]


@pytest.fixture
async def stale(core: Any, owner: Desk) -> Store:
    """A store with objects and wrong entries, of no declaration that is known."""
    for place in range(12):
        await tenant(owner, f"p{place}", "alice", f"+1585555000{place}")
    store: Store = core.store
    store.reindex([IndexPut(COLUMNS, bytes([place]) * 20, b"") for place in range(5)])
    return store


def never() -> bool:
    return False


def test_what_is_stale_is_made_anew(stale: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "REINDEX_OBJECTS", 5)
    revision = stale.revision
    assert not is_complete(stale)
    make_complete(stale, never)
    assert is_complete(stale)
    assert held(stale) == wanted(stale)
    assert stale.revision == revision
    seen = held(stale)
    make_complete(stale, lambda: pytest.fail("there is nothing to do"))
    assert held(stale) == seen


@pytest.mark.parametrize("steps", range(12))
def test_what_is_broken_off_begins_again(
    stale: Store, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    monkeypatch.setattr(indexing, "REINDEX_OBJECTS", 7)
    left = iter(range(steps))
    make_complete(stale, lambda: next(left, None) is None)
    assert is_complete(stale) == (held(stale) == wanted(stale))
    assert not is_complete(stale)
    make_complete(stale, never)
    assert is_complete(stale)
    assert held(stale) == wanted(stale)


def test_a_full_disk_on_the_way_leaves_it_incomplete(
    stale: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "REINDEX_OBJECTS", 7)
    writes = iter(range(3))
    reindex = stale.reindex

    def full(changes: Any) -> None:
        if next(writes, None) is None:
            raise StoreFull
        reindex(changes)

    monkeypatch.setattr(stale, "reindex", full)
    with pytest.raises(StoreFull):
        make_complete(stale, never)
    monkeypatch.undo()
    assert not is_complete(stale)
    make_complete(stale, never)
    assert held(stale) == wanted(stale)


@pytest.fixture
def other_declaration(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Numbers have an index of who changed them, and none of nicknames."""
    caches = (indexing.indexed, indexing.digest, indexing._scopes)
    monkeypatch.setattr(TYPES["number"], "indexed", ("modified_by", "nothing"))
    for cache in caches:
        cache.cache_clear()
    yield
    monkeypatch.undo()
    for cache in caches:
        cache.cache_clear()


async def test_a_changed_declaration_is_noticed(
    stale: Store, request: pytest.FixtureRequest
) -> None:
    make_complete(stale, never)
    before = digest(), held(stale)
    request.getfixturevalue("other_declaration")
    assert digest() != before[0]
    assert not is_complete(stale)
    make_complete(stale, never)
    assert held(stale) == wanted(stale) != before[1]


def test_an_empty_store_is_complete_at_once() -> None:
    store = MemoryStore()
    make_complete(store, never)
    assert is_complete(store)
    assert held(store) == set()
    store.close()


async def test_a_core_makes_what_is_missing_before_it_serves(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with running(data) as first:
        await fill(first)
    store = LmdbStore(data / "objects")
    assert is_complete(store)
    complete = held(store)
    assert complete == wanted(store)
    store.reindex([IndexDelete(COLUMNS, key) for key in (b"declared", *sorted(complete)[::2])])
    store.close()
    async with running(data) as second:
        _, metadata = await log_in(second)
        asked = pb.ListRequest(parent="pcs/subscriber", query=pb.TableQuery(sort="email desc"))
        listed = await provisioning(second).List(asked, metadata=metadata)
        assert len(listed.objects) == listed.total_size > 0
    store = LmdbStore(data / "objects")
    assert is_complete(store)
    assert held(store) == wanted(store)
    store.close()


async def test_a_core_that_is_stopped_while_it_does_so_does_not_serve(tmp_path: Path) -> None:
    stop = asyncio.Event()
    stop.set()
    config = CoreConfig(tmp_path, "127.0.0.1:0", admin_password=PASSWORD, hasher=CHEAP)
    await serve(config, lambda address: pytest.fail(address), stop)
    store = LmdbStore(tmp_path / "objects")
    assert not is_complete(store)
    assert store.revision == 0
    store.close()


async def test_what_is_imported_has_its_entries(core: Any, owner: Desk) -> None:
    await core.jobs.start(core)
    await tenant(owner, "acme", "alice", "+15855550001")
    subscribers = "name,service_provider_name,email\n" + "".join(
        f"s{place},acme,e{place}@example.com\n" for place in range(30)
    )
    numbers = "number,subscriber_name,service_provider_name,nickname\n" + "".join(
        f"+1585556{place:04},s{place % 30},acme,{'n' * (place % 3)}\n" for place in range(60)
    )
    for parent, text in (("pcs/subscriber", subscribers), ("pcs/number", numbers)):
        job = await load(core, owner.caller, parent, text)
        assert job.state == DONE, job
    assert held(core.store) == wanted(core.store)
    job = await load(core, owner.caller, "pcs/number", numbers.replace(",nn\n", ",x\n"))
    assert job.state == DONE, job
    assert held(core.store) == wanted(core.store)
    assert len(owner.names("pcs/number", search="nickname:x")) == 20
