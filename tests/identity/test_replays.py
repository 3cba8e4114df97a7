"""Tokens that come again: with the same call, with another one, or nobody knows with which."""

import pytest

from callscreen.identity.model import Policy, State
from callscreen.identity.replay import Replays
from callscreen.identity.verification import read

from .test_verification import DEST, NEXT, ONE, diversion, question, verdict_on
from .tokens import CLAIMS, NOW, URL, part, value


def test_a_token_that_comes_with_another_call_is_told() -> None:
    replays = Replays(100)
    one, fork = question(), question()
    for same in (one, fork):
        assert verdict_on(same, replays=replays).state is State.VALID
    other = question(call_id=b"two")
    found = verdict_on(other, replays=replays)
    assert (found.state, found.code, found.replayed) == (State.INVALID, 438, True)
    told = verdict_on(other, Policy(replayed_invalid=False), replays=replays)
    assert (told.state, told.replayed) == (State.VALID, True)
    assert verdict_on(question(from_tag=b"x"), replays=replays).state is State.INVALID


def test_one_tenants_calls_make_no_replay_of_anothers() -> None:
    """A call passes several of them, each with a Call-ID of its own."""
    replays = Replays(100)
    diverted = question(ONE, diversion(DEST, NEXT), target=f"+{NEXT}", dest=f"+{NEXT}")
    for asked in (question(), diverted):
        for tenant in (b"", b"acme", b"evil", b"a" * 64, b"a" * 65):
            own = asked._replace(tenant=tenant, call_id=b"of " + tenant)
            assert verdict_on(own, replays=replays).state is State.VALID
            assert verdict_on(own._replace(call_id=b"two"), replays=replays).replayed


def test_a_tenant_has_a_share_of_what_is_remembered() -> None:
    """Else one that asks about many tokens would have another's forgotten, and replays let pass."""
    replays = Replays(80)

    def known(tenant: bytes, place: int) -> bool:
        digest, signature = place.to_bytes(32, "little"), bytes(64)
        return replays.again(digest, signature, b"other", NOW, 60.0, tenant)

    digests = [place.to_bytes(32, "little") for place in range(200)]
    for digest in digests[:5]:
        assert not replays.again(digest, bytes(64), b"one", NOW, 60.0, b"acme")
    for digest in digests:
        assert not replays.again(digest, bytes(64), b"one", NOW, 60.0, b"evil")
    assert len(replays) == 5 + 10
    assert all(known(b"acme", place) for place in range(5))
    assert all(known(b"evil", place) for place in range(190, 200))
    assert not known(b"evil", 189)
    for tenant in map(b"%d".__mod__, range(100)):  # many make the eldest of all go
        assert not replays.again(digests[0], bytes(64), b"one", NOW, 60.0, tenant)
    assert len(replays) == 80
    for digest in digests:  # who has no name, as an edge, has all of it
        assert not replays.again(digest, bytes(64), b"one", NOW + 61, 60.0)
    assert len(replays) == 80
    assert not replays.again(digests[0], bytes(64), b"one", NOW + 200, 60.0, b"acme")
    assert replays.again(digests[0], bytes(64), b"two", NOW + 200, 60.0, b"acme")


def test_without_a_call_id_no_replay_is_told() -> None:
    """Nor is one made of the same call, once it is told by its Call-ID."""
    replays = Replays(100)
    unnamed = question(call_id=b"", from_tag=b"t")
    for _ in range(2):
        found = verdict_on(unnamed, replays=replays)
        assert (found.state, found.replayed) == (State.VALID, False)
        assert (found.checks[-1].name, found.checks[-1].passed) == ("replay", None)
    assert len(replays) == 0
    assert verdict_on(question(), replays=replays).state is State.VALID
    assert verdict_on(unnamed, replays=replays).state is State.VALID
    named = question(ONE, diversion(DEST, NEXT), target=f"+{NEXT}", dest=f"+{NEXT}")
    assert verdict_on(named._replace(call_id=b""), replays=replays).checks[-1].passed is None
    assert verdict_on(named, replays=replays).checks[-1].passed is True


def test_the_other_s_is_the_same_token() -> None:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    text = ONE.decode().partition(";")[0]
    signed, _, _ = text.rpartition(".")
    header = read(question()).callers[0]
    s = order - int.from_bytes(header.signature[32:], "big")
    twin = f"{signed}.{part(header.signature[:32] + s.to_bytes(32, 'big'))};info=<{URL}>;ppt=shaken"
    replays = Replays(100)
    assert verdict_on(
        question(text.encode() + f";info=<{URL}>".encode()), replays=replays
    ).state is (State.VALID)
    assert verdict_on(question(twin.encode())).state is State.VALID
    assert verdict_on(question(twin.encode(), call_id=b"two"), replays=replays).replayed


def test_it_is_known_for_as_long_as_it_may_be_fresh() -> None:
    replays, slow = Replays(100), Policy(freshness=600)
    assert verdict_on(question(), slow, NOW - 600, replays=replays).state is State.VALID
    assert verdict_on(question(call_id=b"two"), slow, NOW + 600, replays=replays).replayed


@pytest.mark.parametrize("age", [-60, 0, 59, 60])
def test_it_is_forgotten_once_it_is_stale(age: int) -> None:
    """There is room for so many: one that is refused for its age needs none."""
    stale = NOW + 61 - age
    token = value(claims={**CLAIMS, "iat": NOW - age})
    for asked in (question(token), question(token, value(claims={}))):  # straight, or not
        replays = Replays(100)
        assert verdict_on(asked, replays=replays).state is State.VALID
        again = asked._replace(call_id=b"two")
        assert verdict_on(again, now=stale - 1, replays=replays).replayed
        verdict_on(question(value(claims={**CLAIMS, "iat": stale})), now=stale, replays=replays)
        assert len(replays) == 1


def test_the_original_of_a_diverted_call_is_known_too() -> None:
    replays = Replays(100)
    diverted = question(ONE, diversion(DEST, NEXT), target=f"+{NEXT}", dest=f"+{NEXT}")
    assert verdict_on(diverted, replays=replays).state is State.VALID
    assert verdict_on(question(call_id=b"two"), replays=replays).replayed
    # A call that was verified before it was diverted is no replay after it.
    again = Replays(100)
    assert verdict_on(question(), replays=again).state is State.VALID
    later = question(ONE, diversion(DEST, NEXT), target=f"+{NEXT}", dest=f"+{NEXT}", call_id=b"two")
    assert verdict_on(later, replays=again).state is State.VALID


def test_what_is_remembered_is_bounded() -> None:
    replays = Replays(10)
    for place in range(30):
        asked = question(value(claims={**CLAIMS, "iat": NOW - place}))
        verdict_on(asked, replays=replays)
    assert len(replays) == 10


def test_a_diversion_to_where_a_call_goes_is_known_whoever_stands_in_to() -> None:
    """Else it would carry its original anew to where it leads, with To changed."""
    replays = Replays(100)
    both = (ONE, diversion(DEST, NEXT))
    kept = question(*both, target=f"+{NEXT}")  # To says whom the caller called
    assert verdict_on(kept, replays=replays).state is State.VALID
    other = question(*both, target=f"+{NEXT}", dest=f"+{NEXT}", call_id=b"two")
    assert verdict_on(other, replays=replays).replayed
    # It is a call of its own where only the original has been seen.
    again = Replays(100)
    assert verdict_on(question(), replays=again).state is State.VALID
    found = verdict_on(kept._replace(call_id=b"two"), replays=again)
    assert (found.state, found.dest) == (State.VALID, (NEXT,))
