"""Calls that are verified together: each has the verdict, and the count, that it has alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.identity import checking, together
from callscreen.identity.certificates import read_path
from callscreen.identity.kept import Entry, Shelf
from callscreen.identity.model import Chain, Policy, Question, SignRequest, State, Verdict
from callscreen.identity.service import FAMILIES, Identities, IdentityConfig
from callscreen.identity.signing import Signer, SoftwareKey

from .authority import SECONDS, Authority, Issued

ORIG, DEST = "12155550121", "12155550131"
KNOWN, STRANGE, GONE = (f"https://cert.example.org/{name}.pem" for name in ("a", "b", "c"))
OWN = Authority("Root")
LEAF, STRANGER = OWN.leaf("709J"), Authority("Nobody").leaf("997E")


def value(url: str, leaf: Issued, **more: Any) -> bytes:
    own = SignRequest(
        "own", **{"attest": "A", "orig": ORIG, "dest": (DEST,), "iat": int(SECONDS)} | more
    )
    signer = Signer(SoftwareKey(leaf.key), Chain(leaf.key.public_key(), "own", spc=("709J",)), url)
    return signer.sign(own, own.iat).value.encode()


PLAIN = value(KNOWN, LEAF)
FORGED = value(KNOWN, STRANGER)
IDENTITIES = [
    (PLAIN,),
    (value(KNOWN, LEAF),),
    (value(KNOWN, LEAF, dest=("911", DEST)),),
    (value(KNOWN, LEAF, dest=("911",)),),
    (value(KNOWN, LEAF, iat=int(SECONDS) - 61),),
    (value(KNOWN, LEAF, rcd={"nam": "x"}),),
    (value(KNOWN, LEAF, attest="C"),),
    (FORGED,),
    (value(STRANGE, STRANGER),),
    (value(GONE, LEAF),),
    (PLAIN, FORGED),
    (b"x",),
    (),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("identity")
    (made / "x5u").mkdir()
    (made / "pa.pem").write_bytes(OWN.pem)
    for url, leaf in ((KNOWN, LEAF), (STRANGE, STRANGER)):
        path = tuple(read_path(leaf.pem))
        Shelf(made).write(Entry(url, leaf.pem, path, SECONDS, SECONDS + 86_400))
    return made


def identities(folder: Path, now: float) -> Identities:
    return Identities(
        IdentityConfig(roots=str(folder / "pa.pem"), cache=str(folder)), clock=lambda: now
    )


def shown(service: Identities) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    service.show(lambda name, value, *labels: found.append((name, value, *labels)))
    assert {each[0] for each in found} <= {family[0] for family in FAMILIES}
    return found


CALLS = st.tuples(
    st.sampled_from(IDENTITIES),
    st.sampled_from([f"+{ORIG}", f"+{ORIG}", f"+{DEST}", ORIG, "anonymous", ""]),
    st.sampled_from([f"+{DEST}", f"+{DEST}", "+911", f"sip:+{DEST}@example.org"]),
    st.sampled_from([b"one", b"two", b"x" * 100]),
    st.sampled_from(["pa", "pa", "", "other"]),
)
POLICIES = st.builds(
    Policy,
    require_date=st.booleans(),
    require_identity=st.booleans(),
    replayed_invalid=st.booleans(),
    malformed_failed=st.booleans(),
)


@given(st.lists(CALLS, max_size=6), POLICIES, st.sampled_from([0.0, 10.0, 60.0, 61.0]))
@settings(max_examples=150)
def test_each_has_the_verdict_that_it_has_alone(
    folder: Path, drawn: Sequence[Any], policy: Policy, late: float
) -> None:
    calls = [
        (Question(values, orig, dest, call_id=call_id, from_tag=b"t"), trust)
        for values, orig, dest, call_id, trust in drawn
    ]
    service, other = identities(folder, SECONDS + late), identities(folder, SECONDS + late)
    before = shown(service)
    found = service.verify_together(calls, policy)
    told = [at for at, verdict in enumerate(found) if verdict is not None]
    if not told:
        assert shown(service) == before, "nothing is counted"
    for at in told:
        assert found[at] == other.verify_now(*calls[at], policy)
    for at in sorted(set(range(len(calls))) - set(told)):  # they are asked about by themselves
        assert service.verify_now(*calls[at], policy) == other.verify_now(*calls[at], policy)
    assert shown(service) == shown(other)


def test_most_calls_are_told_at_once(folder: Path) -> None:
    service = identities(folder, SECONDS)

    def told(values: Sequence[bytes], call_id: bytes = b"1", **more: Any) -> Verdict | None:
        asked = Question(values, f"+{ORIG}", f"+{DEST}", call_id=call_id)
        return service.verify_together([(asked, "")], Policy(**more))[0]

    good, forged = told((PLAIN,)), told((FORGED,))
    replayed = told((PLAIN,), b"2")
    assert good is not None
    assert forged is not None
    assert replayed is not None
    assert (good.state, forged.state, replayed.state) == (
        State.VALID,
        State.INVALID,
        State.INVALID,
    )
    assert (good.replayed, replayed.replayed) == (False, True)
    let_pass = told((PLAIN,), b"2", replayed_invalid=False)
    assert let_pass is not None
    assert (let_pass.state, let_pass.replayed) == (State.VALID, True)
    assert told((PLAIN,), require_date=True) is None
    assert told((PLAIN, FORGED)) is None
    assert told(IDENTITIES[9]) is None, "its certificate must be fetched first"


def test_a_call_without_a_call_id_is_no_replay(folder: Path) -> None:
    named = Question((PLAIN,), f"+{ORIG}", f"+{DEST}", call_id=b"one")
    asked = [(named, ""), (named._replace(call_id=b""), ""), (named._replace(tenant=b"x"), "")]
    found = identities(folder, SECONDS).verify_together([*asked, *asked], Policy())
    told = [each and (each.replayed, each.checks[-1].passed) for each in found]
    assert told == [(False, True), (False, None), (False, True)] * 2


def test_two_calls_with_one_token_are_told_apart(folder: Path) -> None:
    asked = [
        (Question((PLAIN,), f"+{ORIG}", f"+{DEST}", call_id=call_id), "")
        for call_id in (b"one", b"one", b"two")
    ]
    found = identities(folder, SECONDS).verify_together(asked, Policy())
    assert [each and each.replayed for each in found] == [False, False, True]


def test_a_forged_signature_is_looked_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a stranger's token would cost twice what an honest one does."""
    seen = []
    before = together.verified_digest

    def counted(*given: Any) -> bytes:
        seen.append(given)
        return before(*given)

    for module in (together, checking):
        monkeypatch.setattr(module, "verified_digest", counted)
    asked = [(Question((each,), f"+{ORIG}", f"+{DEST}"), "") for each in (FORGED, PLAIN)]
    found = identities(folder, SECONDS).verify_together(asked, Policy())
    assert [each and each.state for each in found] == [State.INVALID, State.VALID]
    assert len(seen) == 2
