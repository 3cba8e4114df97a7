"""Whatever is done in whatever order: nothing dangles, nothing is taken twice, the index agrees."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callscreen.core.access import service
from callscreen.core.commands import create, delete, purge, restore, update
from callscreen.core.commands.archive_keys import BATCHES, archive_type
from callscreen.core.engine import Engine
from callscreen.core.errors import CallscreenError
from callscreen.core.store.contract import UNIQUE
from callscreen.core.store.memory import MemoryStore
from callscreen.core.store.memory_records import MemoryRecords
from callscreen.core.wiring import CoreConfig, wire
from callscreen.schema import TYPES, Invalid, body_of, format_name, kind_of
from callscreen.v1.object_pb2 import Change, Object

from .conftest import CHEAP, obj

PROVIDERS = st.sampled_from(["a", "b", "c"])
PEOPLE = st.sampled_from(["x", "y"])
DIGITS = st.sampled_from(["+11", "+12", "+13"])
PRODUCT = "pcs"


def name(type_, *key):
    return format_name(PRODUCT, type_, key)


def source(provider, of):
    numbers = {
        "service_provider_name": of,
        "numbers_n": ["+1"],
        "orig_id_n": "o",
        "attest_n": "A",
        "cert_name_n": "c",
        "priority": 1,
    }
    return obj(
        "origination_source",
        name="s",
        service_provider_name=provider,
        source_ip=["192.0.2.1"],
        orig_id="o",
        attest="A",
        cert_name="c",
        source_numbers=[numbers],
    )


def subscriber(provider, who, enabled=True):
    return obj("subscriber", service_provider_name=provider, name=who, service_enabled=enabled)


def number(provider, who, digits):
    return obj("number", service_provider_name=provider, subscriber_name=who, number=digits)


def administrator(provider):
    return obj("administrator", role_id=f"service_provider:{provider}", username="u")


BODIES = (
    st.builds(lambda p: obj("service_provider", name=p), PROVIDERS),
    st.builds(subscriber, PROVIDERS, PEOPLE, st.booleans()),
    st.builds(number, PROVIDERS, PEOPLE, DIGITS),
    st.builds(source, PROVIDERS, PROVIDERS),
    st.builds(administrator, PROVIDERS),
)
ACTIONS = st.sampled_from(["create", "update", "update", "delete", "restore", "purge"])
ASKS = {"restore": restore.restore, "purge": purge.purge}
STEPS = st.lists(
    st.one_of(*(st.tuples(ACTIONS, bodies, bodies) for bodies in BODIES)), min_size=3, max_size=12
)
START = [
    ("create", body, body)
    for body in (
        obj("service_provider", name="a"),
        obj("service_provider", name="b"),
        subscriber("a", "x"),
        number("a", "x", "+11"),
        source("b", "a"),
        administrator("a"),
    )
]


async def history(steps, folder, check):
    async with AsyncExitStack() as stack:
        config = CoreConfig(folder, service_token="s", hasher=CHEAP)
        core = wire(config, MemoryStore(), MemoryRecords(), stack)
        caller = service()
        for action, body, to in START + steps:
            kind = kind_of(body)
            at = name(kind.type, *kind.key_of(body_of(body)))
            try:
                if action == "create":
                    await create.create(core, caller, name(kind.type), body)
                elif action == "delete":
                    await delete.delete(core, caller, at)
                elif action in ASKS:
                    await ASKS[action](core, caller, at)
                else:
                    await update.update(core, caller, at, to)
            except (CallscreenError, Invalid):
                continue
        check(core)


def check(core):
    stored = {}
    taken = set()
    for kind in TYPES.values():
        for key, value in core.store.scan(PRODUCT, kind.type):
            found = Object.FromString(value)
            body = body_of(found)
            assert found.name == name(kind.type, *kind.key_of(body))
            assert key.path == kind.path_of(kind.key_of(body))
            stored[kind.type, kind.key_of(body)] = found
            for field, held in kind.uniques(body):
                assert (kind.type, field, held) not in taken
                taken.add((kind.type, field, held))
                with core.store.read() as reader:
                    mark = "\0".join((PRODUCT, kind.type, field, held)).encode()
                    assert reader.unique(mark) == found.name.encode()
    for (type_, _), found in stored.items():
        for _, target, key in TYPES[type_].references(body_of(found)):
            assert (target, key) in stored
    assert len(core.store._state.indexes[UNIQUE]) == len(taken)
    archive_is_whole(core)
    agrees(core)


def archive_is_whole(core):
    """Each batch has its record, and as many objects as it says, its root among them."""
    batches = {}
    for kind in TYPES.values():
        for key, value in core.store.scan(PRODUCT, archive_type(kind.type)):
            found = Object.FromString(value)
            assert key.path == (*kind.path_of(kind.key_of(body_of(found))), found.archived.batch)
            batches.setdefault(found.archived.batch, []).append(found)
    records = core.store.scan(PRODUCT, BATCHES)
    assert [key.path[0] for key, _ in records] == sorted(batches)
    for _, value in records:
        record = Object.FromString(value)
        held = batches[record.archived.batch]
        assert {each.archived.root for each in held} == {record.name}
        assert record.name in {each.name for each in held}
        assert {each.archived.count for each in held} == {len(held)}


def agrees(core):
    """The index that followed, one made anew, and the log replayed all decide alike."""
    fresh = Engine(core.store)
    log = (
        [Change.FromString(record) for _, record in core.store.tail(0)]
        if core.store.revision
        else []
    )
    replayed = {}
    for change in log:
        for mutation in change.mutations:
            if mutation.HasField("put"):
                replayed[mutation.name] = mutation.put
            else:
                replayed.pop(mutation.name, None)
    for digits in ("+11", "+12", "+13"):
        given = (0, digits, "+19", False, "192.0.2.1")
        assert core.engine.screen(*given) == fresh.screen(*given)
    screened = {
        each.name: each
        for kind in TYPES.values()
        if kind.screened
        for _, value in core.store.scan(PRODUCT, kind.type)
        for each in [Object.FromString(value)]
    }
    assert replayed == screened


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_any_history_leaves_the_data_whole(steps, tmp_path: Path):
    with TemporaryDirectory(dir=tmp_path) as folder:
        asyncio.run(history(steps, Path(folder), check))
