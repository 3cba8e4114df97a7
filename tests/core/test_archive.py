"""Archive, restore and purge: a batch goes and comes back whole, or not at all."""

import asyncio
import time

import pytest

from callscreen.core.access import service
from callscreen.core.commands import archive_ahead, archive_keys, get, purge, rename, restore
from callscreen.core.commands.authenticate import authenticate
from callscreen.core.commands.delete import deleted
from callscreen.core.commands.draft import Draft
from callscreen.core.commands.names import target
from callscreen.core.commands.set_password import set_password
from callscreen.core.errors import (
    AlreadyExists,
    InvalidInput,
    NotFound,
    PermissionDenied,
    TooMuch,
    Unauthenticated,
    Unavailable,
)
from callscreen.core.limits import AHEAD_TRIES
from callscreen.core.store.contract import UNIQUE
from callscreen.schema import TYPES, Invalid, body_of
from callscreen.v1.object_pb2 import Change, Object

from .conftest import Desk, tenant
from .test_rename_and_delete import NAMES, SOURCE, everything

ACME = "pcs/service_provider/acme"
ALICE = "pcs/subscriber/acme/alice"
NUMBER = "pcs/number/acme/alice/%2B15855550001"


@pytest.fixture(params=["in the transaction", "made ready"], autouse=True)
def ahead(request, monkeypatch):
    """Whether a batch is made ready before its transaction: it comes to the same."""
    least = 1 if request.param == "made ready" else archive_ahead.AHEAD_LEAST
    monkeypatch.setattr(archive_ahead, "AHEAD_LEAST", least)
    return least == 1


@pytest.fixture
async def acme(owner):
    """A provider with something of every type below it."""
    await tenant(owner, "acme", "alice", "+15855550001")
    await owner.update("pcs/settings/", override={"web_settings": {"password_length": True}})
    await owner.create("pcs/settings/acme", web_settings={"password_length": 9})
    await owner.create("pcs/origination_source/acme", **SOURCE)
    await owner.create("pcs/administrator/service_provider:acme", username="ann")
    await owner.create("pcs/administrator/subscriber:acme:alice", username="alice")
    return owner


def back(desk, name):
    return restore.restore(desk.core, desk.caller, name)


def purged(desk, name):
    return purge.purge(desk.core, desk.caller, name)


def archived(desk, name):
    return get.get(desk.core, desk.caller, name, archived=True)


def stored(core, type_):
    return core.store.scan("pcs", type_)


def leavings(core):
    """Every key of the archive."""
    types = [archive_keys.BATCHES, *map(archive_keys.archive_type, TYPES)]
    return [key for type_ in types for key, _ in stored(core, type_)]


def contents(core):
    """All live objects and unique marks of the product, without what a restore changes."""
    found = {}
    for kind in TYPES.values():
        for key, value in stored(core, kind.type):
            found[key] = body_of(Object.FromString(value))
    return found, dict(core.store._state.indexes[UNIQUE])


async def test_a_provider_comes_back_exactly_as_it_was(acme, core, clock):
    before, stamps = contents(core), acme.get(NUMBER).stamps
    revision = core.store.revision
    await acme.delete(ACME)
    assert everything(acme, "acme") == []
    assert core.engine.screen(1, "+15855550001", "", False, "").reason == "not_provisioned"
    clock.now += 60
    assert await back(acme, ACME) == revision + 2
    assert contents(core) == before
    assert everything(acme, "acme") == [name.format("acme") for name in NAMES]
    assert core.engine.screen(1, "+15855550001", "", False, "").service_provider_name == "acme"
    assert leavings(core) == []
    now = acme.get(NUMBER).stamps
    assert (now.created, now.created_by) == (stamps.created, stamps.created_by)
    assert now.modified.seconds == int(clock.now)


async def test_what_is_archived_and_restored_is_published_as_removed_and_put(acme, core):
    revision = core.store.revision
    await acme.delete(ALICE)
    await back(acme, ALICE)
    gone, came = (Change.FromString(record) for _, record in core.store.tail(revision))
    assert {each.name for each in gone.mutations} == {ALICE, NUMBER}
    assert not any(each.HasField("put") for each in gone.mutations)
    assert [each.name for each in came.mutations] == [ALICE, NUMBER]
    assert all(each.HasField("put") for each in came.mutations)
    assert not any(each.put.HasField("archived") for each in came.mutations)


async def test_the_archive_says_how_an_object_came_there(acme, clock):
    await acme.delete(ACME)
    found = archived(acme, NUMBER)
    assert found.number.number == "+15855550001"
    assert found.archived.root == ACME
    assert found.archived.actor == "pcs_administrator"
    assert found.archived.count == len(NAMES)
    assert found.archived.time.seconds == int(clock.now)
    assert archived(acme, "pcs/number/acme/alice/(585) 555-0001") == found
    with pytest.raises(NotFound):
        acme.get(NUMBER)
    with pytest.raises(NotFound):
        archived(acme, "pcs/number/acme/alice/2")


async def test_the_last_of_a_name_is_read_and_restored(acme):
    for label in ("first", "second"):
        await acme.update(NUMBER, nickname=label)
        await acme.delete(NUMBER)
        await acme.create("pcs/number/acme/alice", number="+15855550001")
    await acme.delete(NUMBER)  # a third, without a nickname
    assert archived(acme, NUMBER).number.nickname == ""
    await back(acme, NUMBER)
    await acme.update(NUMBER, number="+15855550009")
    await back(acme, NUMBER)
    assert acme.get(NUMBER).number.nickname == "second"


@pytest.mark.parametrize(
    "taken", ["service_provider", "subscriber", "number", "username", "address"]
)
async def test_what_was_taken_meanwhile_is_never_overwritten(acme, core, taken):
    await acme.delete(ACME)
    if taken == "service_provider":
        await acme.create("pcs/service_provider", name="acme", last_name="new")
    else:
        await acme.create("pcs/service_provider", name="other")
    if taken == "subscriber":
        await acme.create("pcs/service_provider", name="acme")
        await acme.create("pcs/subscriber/acme", name="alice")
    if taken == "number":
        await acme.create("pcs/subscriber/other", name="bob")
        await acme.create("pcs/number/other/bob", number="+15855550001")
    if taken == "username":
        await acme.create("pcs/administrator/service_provider:other", username="alice")
    if taken == "address":
        await acme.create("pcs/origination_source/other", **SOURCE)
    before, kept, revision = contents(core), leavings(core), core.store.revision
    with pytest.raises(AlreadyExists):
        await back(acme, ACME)
    assert (contents(core), leavings(core), core.store.revision) == (before, kept, revision)


async def test_what_an_object_names_must_be_there(acme, core):
    await acme.delete(NUMBER)
    await acme.delete(ALICE)
    with pytest.raises(Invalid, match="must name an existing subscriber"):
        await back(acme, NUMBER)
    await back(acme, ALICE)
    await back(acme, NUMBER)
    assert leavings(core) == []


async def test_what_went_with_another_comes_back_with_it(acme):
    await acme.delete(ACME)
    for name in (NUMBER, ALICE):
        for ask in (back, purged):
            with pytest.raises(InvalidInput, match=ACME):
                await ask(acme, name)
    await back(acme, ACME)
    with pytest.raises(NotFound):
        await back(acme, ACME)
    with pytest.raises(NotFound):
        await purged(acme, ACME)


async def test_a_batch_of_a_child_stays_apart_from_its_parents(acme, core):
    await acme.delete(NUMBER)
    await acme.delete(ACME)
    await back(acme, ACME)
    with pytest.raises(NotFound):
        acme.get(NUMBER)
    await back(acme, NUMBER)
    assert everything(acme, "acme") == [name.format("acme") for name in NAMES]


async def test_a_purge_takes_every_batch_of_its_root_and_no_other(acme, core):
    for _ in range(3):
        await acme.delete(NUMBER)
        await acme.create("pcs/number/acme/alice", number="+15855550001")
    await acme.delete(ALICE)
    with pytest.raises(NotFound):
        await purged(acme, ACME)
    await purged(acme, NUMBER)
    assert len(leavings(core)) == 4  # the subscriber, its number, its administrator, their batch
    await purged(acme, ALICE)
    assert leavings(core) == []
    with pytest.raises(NotFound):
        await back(acme, ALICE)


async def test_a_long_purge_goes_in_steps(acme, core, monkeypatch):
    monkeypatch.setattr("callscreen.core.commands.purge.PURGE_OBJECTS", 2)
    for _ in range(5):
        await acme.delete(NUMBER)
        await acme.create("pcs/number/acme/alice", number="+15855550001")
    revision = core.store.revision
    await purged(acme, NUMBER)
    assert core.store.revision == revision + 3
    assert leavings(core) == []


async def test_two_purges_at_once_both_end_well(acme, core, monkeypatch):
    monkeypatch.setattr("callscreen.core.commands.purge.PURGE_OBJECTS", 1)
    for _ in range(3):
        await acme.delete(NUMBER)
        await acme.create("pcs/number/acme/alice", number="+15855550001")
    await acme.delete(ALICE)  # the number goes along: what is left of it then is no root
    await asyncio.gather(purged(acme, NUMBER), purged(acme, NUMBER))
    assert len(leavings(core)) == 4
    await back(acme, ALICE)


async def test_a_purge_of_long_lists_goes_in_steps_too(acme, core, monkeypatch):
    monkeypatch.setattr("callscreen.core.commands.purge.PURGE_BYTES", 200)
    for _ in range(4):
        await acme.update(NUMBER, whitelist=[f"+1585555{n:04}" for n in range(20)])
        await acme.delete(NUMBER)
        await acme.create("pcs/number/acme/alice", number="+15855550001")
    revision = core.store.revision
    await purged(acme, NUMBER)
    assert core.store.revision == revision + 4
    assert leavings(core) == []


async def test_what_could_not_come_back_at_once_stays(acme, core, monkeypatch):
    monkeypatch.setattr("callscreen.core.commands.archive.ARCHIVE_BYTES", 1500)
    before = contents(core)
    with pytest.raises(TooMuch):
        await acme.delete(ACME)
    assert contents(core) == before
    assert leavings(core) == []
    await acme.delete(ALICE)
    await acme.delete(ACME)
    monkeypatch.setattr("callscreen.core.commands.draft.CHANGE_BYTES", 1500)
    await back(acme, ACME)
    await back(acme, ALICE)
    assert contents(core) == before


async def test_who_may(acme, desk):
    await acme.create("pcs/service_provider", name="other")
    own, other = desk("service_provider:acme"), desk("service_provider:other")
    person, elsewhere = desk("subscriber:acme:alice"), desk("platform_owner", "cin")
    await acme.delete(ALICE)
    for stranger in (other, elsewhere):
        with pytest.raises(NotFound):
            archived(stranger, ALICE)
        for name in (ALICE, "pcs/subscriber/acme/nobody"):
            for ask in (back, purged):
                with pytest.raises(PermissionDenied):
                    await ask(stranger, name)
    assert archived(own, ALICE).subscriber.name == "alice"
    for ask in (back, purged):
        with pytest.raises(PermissionDenied):
            await ask(person, ALICE)
    await back(own, ALICE)
    await own.delete(ALICE)
    await purged(own, ALICE)


async def test_a_name_brings_nothing_of_whoever_had_it_before(acme, desk, clock):
    await acme.delete(NUMBER)
    await acme.delete(ALICE)
    await acme.delete(ACME)
    clock.now += 60
    await tenant(acme, "acme", "alice", "+15855550009")
    own, person = desk("service_provider:acme"), desk("subscriber:acme:alice")
    for stranger in (own, person):
        for name in (NUMBER, ALICE, ACME, "pcs/settings/acme", "pcs/origination_source/acme/sbc"):
            with pytest.raises(NotFound):
                archived(stranger, name)
        for type_ in ("number", "subscriber", "administrator", "settings"):
            page = stranger.list(f"pcs/{type_}", archived=True)
            assert (page.objects, page.total) == ([], 0)
    for ask in (back, purged):
        with pytest.raises(NotFound):
            await ask(own, NUMBER)
    clock.now += 60
    await own.delete("pcs/number/acme/alice/+15855550009")
    page = own.list("pcs/number/acme", archived=True)
    assert [each.number.number for each in page.objects] == ["+15855550009"]
    page = own.list("pcs/number/acme", archived=True, sort="number:desc", page_size=1)
    assert (page.total, len(page.objects)) == (1, 1)
    assert acme.list("pcs/number/acme", archived=True).total == 2
    await back(own, "pcs/number/acme/alice/+15855550009")
    await back(acme, NUMBER)


async def test_a_tenant_that_is_renamed_finds_nothing_of_whoever_had_the_name(acme, desk, clock):
    await tenant(acme, "other", "bob", "+15855550002")
    clock.now += 60
    await acme.delete(NUMBER)
    await acme.delete(ALICE)
    await acme.delete(ACME)
    clock.now += 60
    await acme.update("pcs/service_provider/other", name="acme")
    await acme.update("pcs/subscriber/acme/bob", name="alice")
    own, person = desk("service_provider:acme"), desk("subscriber:acme:alice")
    for stranger in (own, person):
        with pytest.raises(NotFound):
            archived(stranger, NUMBER)
        assert stranger.list("pcs/number", archived=True).total == 0
    with pytest.raises(NotFound):
        await back(own, NUMBER)
    clock.now += 60
    await own.delete("pcs/number/acme/alice/%2B15855550002")
    assert own.list("pcs/number", archived=True).total == 1
    assert person.list("pcs/number", archived=True).total == 1


async def test_a_tenant_that_comes_back_finds_nothing_of_who_was_there(acme, desk, clock):
    await acme.delete(ACME)
    clock.now += 60
    await tenant(acme, "acme", "bob", "+15855550002")
    await acme.delete("pcs/number/acme/bob/%2B15855550002")
    await acme.update(ACME, name="zeta")
    await back(acme, ACME)
    own = desk("service_provider:acme")
    assert own.list("pcs/number", archived=True).total == 0
    assert acme.list("pcs/number", archived=True).total == 1


async def test_what_a_tenant_archived_is_its_own_after_a_restore_too(acme, desk, clock):
    own = desk("service_provider:acme")
    await own.delete(NUMBER)
    clock.now += 60
    await acme.delete(ACME)
    await back(acme, ACME)
    assert own.list("pcs/number", archived=True).total == 1
    await back(own, NUMBER)


async def test_an_administrator_comes_back_with_its_password(acme, core):
    ann = "pcs/administrator/service_provider%3Aacme/ann"
    await set_password(core, acme.caller, ann, "ann's own words")
    token = (await authenticate(core, "pcs", "ann", "ann's own words")).token
    await acme.delete(ACME)
    with pytest.raises(Unauthenticated):
        core.sessions.check(token)
    with pytest.raises(Unauthenticated):
        await authenticate(core, "pcs", "ann", "ann's own words")
    await back(acme, ACME)
    with pytest.raises(Unauthenticated):
        core.sessions.check(token)
    assert await authenticate(core, "pcs", "ann", "ann's own words")
    await acme.delete(ann)
    await purged(acme, ann)
    assert not any(b"stowed" in key for key in core.store._state.private)


async def test_what_is_too_old_is_purged(acme, core, clock):
    await acme.delete(NUMBER)
    clock.now += 3 * 86_400
    await acme.delete(ALICE)
    await purge.purge_expired(core)
    assert archived(acme, NUMBER)
    revision = core.store.revision
    clock.now += 4 * 86_400
    await purge.purge_expired(core)
    with pytest.raises(NotFound):
        archived(acme, NUMBER)
    assert archived(acme, ALICE)
    assert core.store.revision == revision + 1
    await purge.purge_expired(core)
    assert core.store.revision == revision + 1  # nothing to do is no revision
    await acme.update("pcs/settings/", restworkx={"archive_max_days": 0})
    await purge.purge_expired(core)
    assert leavings(core) == []


async def test_each_product_has_an_archive_of_its_own(acme, core, cin, clock):
    await tenant(cin, "acme", "alice", "+15855550001")
    await cin.update("cin/settings/", restworkx={"archive_max_days": 30})
    await cin.delete("cin/service_provider/acme")
    await acme.delete(ACME)
    clock.now += 8 * 86_400
    await purge.purge_expired(core)
    assert leavings(core) == []
    await back(cin, "cin/service_provider/acme")


async def test_every_change_is_told_once(acme, core):
    told = []

    async def noted(work):
        def watched(draft):
            result = work(draft)
            told.extend((each.action, each.name) for each in draft.changed)
            return result

        await core.write(acme.caller, watched)

    await noted(lambda draft: deleted(draft, acme.caller, target(ALICE)))
    await noted(lambda draft: restore.restored(draft, acme.caller, target(ALICE)))
    await noted(lambda draft: deleted(draft, acme.caller, target(ALICE)))
    await noted(lambda draft: purge.purged(draft, acme.caller, target(ALICE)))
    below = "pcs/administrator/subscriber%3Aacme%3Aalice/alice"
    gone = [("archive", NUMBER), ("archive", below), ("archive", ALICE)]
    assert sorted(told[:3]) == sorted(gone)
    assert {action for action, _ in told[3:6]} == {"restore"}
    assert {action for action, _ in told[9:]} == {"purge"}
    assert len(told) == 12


async def test_a_key_that_is_too_long_for_the_archive_is_refused_at_once(acme):
    long, wide = "\U0001f4de" * 64, "\U0001f4de" * 10 + "\u20ac" * 54
    await acme.create("pcs/service_provider", name=long)
    await acme.create(f"pcs/subscriber/{long}", name=wide)
    with pytest.raises(InvalidInput):
        await acme.create(f"pcs/number/{long}/{wide}", number="+15855550002")
    await acme.delete(f"pcs/service_provider/{long}")
    await back(acme, f"pcs/service_provider/{long}")


async def test_a_renamed_provider_leaves_its_archive_under_its_old_name(acme):
    await acme.delete(NUMBER)
    await acme.update(ACME, name="zeta")
    assert archived(acme, NUMBER)
    with pytest.raises(Invalid, match="must name an existing subscriber"):
        await back(acme, NUMBER)
    with pytest.raises(NotFound):
        archived(acme, "pcs/number/zeta/alice/+15855550001")


async def test_the_last_platform_owner_stays(owner):
    with pytest.raises(InvalidInput):
        await owner.delete("pcs/administrator/platform_owner/pcs_administrator")


async def test_settings_come_back_though_they_may_no_longer_be_set(acme: Desk):
    await acme.delete("pcs/settings/acme")
    await acme.update("pcs/settings/", override={})
    await back(acme, "pcs/settings/acme")
    assert acme.get("pcs/settings/acme").settings.web_settings.password_length == 9


class Meddling:
    """Lets somebody write between what was read for a batch and its transaction."""

    def __init__(self, monkeypatch, work):
        self.read, self.work, self.times = archive_ahead._read, work, 0
        monkeypatch.setattr(archive_ahead, "_read", self)

    def __call__(self, core, *rest):
        ready = self.read(core, *rest)
        self.times += 1
        self.work(core, self.times)
        return ready


def renicknamed(core, times):
    """Another writer changes the number of alice."""

    def member(reader):
        draft = Draft(reader, service("another"), 0.0)
        old = draft.find(TYPES["number"], "pcs", ("acme", "alice", "+15855550001"))
        new = Object()
        new.CopyFrom(old)
        new.number.nickname = f"changed {times}"
        draft.put(TYPES["number"], "pcs", new, old)
        return draft.batch()

    assert all(isinstance(each, int) for each in core.store.transact([member]))


@pytest.mark.parametrize("until", [1, 99])
async def test_what_changes_below_while_it_is_made_ready_is_archived_as_it_became(
    acme, monkeypatch, ahead, until
):
    meddling = Meddling(
        monkeypatch, lambda core, times: times <= until and renicknamed(core, times)
    )
    await acme.delete(ACME)
    assert meddling.times == (min(until + 1, AHEAD_TRIES) if ahead else 0)
    if ahead:
        last = min(until, AHEAD_TRIES)
        assert archived(acme, NUMBER).number.nickname == f"changed {last}"
    assert archived(acme, NUMBER).archived.count == len(NAMES)
    assert everything(acme, "acme") == []


def added(core, times):
    """Another writer creates a number below alice."""

    def member(reader):
        draft = Draft(reader, service("another"), 0.0)
        new = Object(name="pcs/number/acme/alice/%2B15855550002")
        new.number.service_provider_name, new.number.subscriber_name = "acme", "alice"
        new.number.number = "+15855550002"
        draft.put(TYPES["number"], "pcs", new, None)
        return draft.batch()

    assert times > 1 or all(isinstance(each, int) for each in core.store.transact([member]))


async def test_what_comes_below_while_it_is_made_ready_is_archived_too(acme, monkeypatch, ahead):
    Meddling(monkeypatch, added)
    await acme.delete(ACME)
    assert everything(acme, "acme") == []
    assert archived(acme, NUMBER).archived.count == len(NAMES) + ahead


async def test_more_than_one_transaction_may_remove_is_refused_before_it(acme, monkeypatch, ahead):
    monkeypatch.setattr(archive_ahead, "DESCENDANTS", 2)
    monkeypatch.setattr(rename, "DESCENDANTS", 2)
    with pytest.raises(TooMuch):
        await acme.delete(ACME)
    assert acme.get(NUMBER).number.number == "+15855550001"


def told(core, ready=None):
    """What a removal of the provider publishes, and the rows that it would have."""
    with core.store.read() as reader:
        draft = Draft(reader, service("me"), 5.0)
        deleted(draft, service("me"), target(ACME), ready=ready)
        batch = draft.batch()
        mutations = [each.name for each in Change.FromString(batch.change(1)).mutations]
        rows = batch.rows()["pcs"].splitlines()
    return mutations, rows


async def test_both_ways_publish_and_audit_the_same(acme, core):
    ready = archive_ahead._read(core, service("me"), target(ACME), ("acme",))
    (plain, rows), (names, others) = told(core), told(core, ready)
    assert sorted(plain) == sorted(names)
    assert plain[-1] == names[-1] == ACME
    assert len(rows) == len(NAMES)
    assert sorted(rows) == sorted(others)


async def test_nothing_is_made_ready_for_who_is_gone(acme, core, monkeypatch):
    """One at a time, though who asked leaves while it is read."""
    under_way, most = [], []
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def read(core, caller, at, path, gone):
        under_way.append(at)
        most.append(len(under_way))
        loop.call_soon_threadsafe(begun.set)
        while not gone():
            time.sleep(0)
        under_way.remove(at)
        raise Unavailable

    monkeypatch.setattr(archive_ahead, "AHEAD_LEAST", 1)
    monkeypatch.setattr(archive_ahead, "_read", read)
    for _ in range(3):
        begun.clear()
        task = asyncio.create_task(acme.delete(ACME))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not under_way
        assert not core.committer.ahead.locked()
    assert most == [1, 1, 1]


def test_a_reading_ends_once_nobody_wants_it(core):
    with pytest.raises(Unavailable):
        archive_ahead._read(core, service("me"), target(ACME), ("acme",), lambda: True)
