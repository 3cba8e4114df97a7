"""What edges get: all that decisions need, nothing secret, no gap."""

import pytest

from callscreen.core.commands import replicate
from callscreen.core.commands.authenticate import authenticate
from callscreen.core.errors import Compacted
from callscreen.v1.object_pb2 import Change
from callscreen.v1.replication_pb2 import Changes, ResumeToken, SnapshotChunk

from .conftest import PASSWORD, tenant


def taken(core, inside):
    return [SnapshotChunk.FromString(chunk) for chunk in replicate.snapshot(core, inside.caller)]


@pytest.fixture
async def filled(core, owner, cin):
    for desk in (owner, cin):
        await tenant(desk, "acme", "alice", "+15855550001")
    await cin.update("cin/number/acme/alice/+15855550001", ivr_pin="1234")
    await owner.update("pcs/settings/", application_password="hidden")
    await owner.create("pcs/audio/acme", file="a.wav", location="/", server="s")
    await authenticate(core, "pcs", "pcs_administrator", PASSWORD)


async def test_a_snapshot_is_what_decisions_need_without_secrets(core, inside, filled):
    chunks = taken(core, inside)
    names = [each.name for chunk in chunks for each in chunk.objects]
    assert sorted(names) == sorted(
        f"{product}/{rest}"
        for product in ("pcs", "cin")
        for rest in (
            "service_provider/acme",
            "subscriber/acme/alice",
            "settings/",
            "number/acme/alice/%2B15855550001",
        )
    )
    octets = b"".join(chunk.SerializeToString() for chunk in chunks)
    assert b"hidden" not in octets
    assert b"hmac" not in octets


async def test_only_the_last_chunk_is_complete(core, inside, owner, filled, monkeypatch):
    monkeypatch.setattr(replicate, "CHUNK_BYTES", 300)
    chunks = taken(core, inside)
    assert len(chunks) > 2
    assert [chunk.complete for chunk in chunks] == [0] * (len(chunks) - 1) + [core.store.revision]
    assert {getattr(chunk, "from").revision for chunk in chunks} == {core.store.revision}
    assert all(chunk.objects for chunk in chunks[:-1])


async def test_changes_of_many_a_message_are_the_same(core, inside, filled):
    token = getattr(taken(core, inside)[0], "from")
    token.revision = 0
    one, many = (
        replicate.watch(core, inside.caller, token),
        replicate.follow(core, inside.caller, token),
    )
    message = Changes.FromString(await anext(many))
    assert [each.revision for each in message.changes] == list(range(1, core.store.revision + 1))
    for each in message.changes:
        assert Change.FromString(await anext(one)) == each
    await one.aclose()
    await many.aclose()
    token.store_id = "another"
    with pytest.raises(Compacted):
        await anext(replicate.follow(core, inside.caller, token))


async def test_the_changes_have_no_gap_and_tell_only_what_decisions_need(core, inside, filled):
    token = getattr(taken(core, inside)[0], "from")
    token.revision = 0
    follower = replicate.watch(core, inside.caller, token)
    changes = [Change.FromString(await anext(follower)) for _ in range(core.store.revision)]
    await follower.aclose()
    assert [change.revision for change in changes] == list(range(1, core.store.revision + 1))
    assert {name.split("/")[1] for change in changes for name in names_of(change)} == {
        "service_provider",
        "subscriber",
        "number",
        "settings",
    }
    assert any(not change.mutations for change in changes)
    assert b"hidden" not in b"".join(change.SerializeToString() for change in changes)
    assert changes[1].actor == "pcs_administrator"
    assert changes[1].time.seconds == 1_800_000_000


def names_of(change):
    return [each.name for each in change.mutations]


@pytest.mark.parametrize(
    "wrong", [{"store_id": "another"}, {"epoch": 9}, {"revision": 10**9}, {"store_id": ""}]
)
async def test_another_store_s_token_or_a_later_one_is_refused(core, inside, wrong):
    mine = {"store_id": core.store.id, "epoch": core.store.epoch, "revision": core.store.revision}
    with pytest.raises(Compacted):
        await anext(replicate.watch(core, inside.caller, ResumeToken(**{**mine, **wrong})))


async def test_a_log_that_no_longer_reaches_back_is_refused(core, inside, filled):
    core.store.compact(1)
    core.feed._ring.clear()
    after = ResumeToken(store_id=core.store.id, epoch=core.store.epoch, revision=0)
    with pytest.raises(Compacted):
        await anext(replicate.watch(core, inside.caller, after))


async def test_the_index_follows_even_where_a_change_breaks_it(core, owner, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(core.engine._loader, "apply_records", broken)
    await tenant(owner, "acme", "alice", "+15855550001")
    assert core.engine.revision == core.store.revision
    assert core.engine.screen(1, "+15855550001", "", False, "").subscriber_name == "alice"
    assert "built anew" in caplog.text
