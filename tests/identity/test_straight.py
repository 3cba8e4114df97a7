"""Calls that are straight: their verdict, which the general way would come to as well."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.identity.model import (
    NOT_VALIDATED,
    Chain,
    Constraints,
    Fault,
    IdentityHeader,
    Policy,
    Question,
    State,
    Verdict,
)
from callscreen.identity.replay import Replays
from callscreen.identity.straight import is_straight
from callscreen.identity.verification import Judge, judge, read

from .tokens import CLAIMS, KEY, NOW, PROTECTED, URL, part, value

ORIG, DEST = "12155550121", "12155550131"
CHAIN = Chain(KEY.public_key(), "CN=SHAKEN 1234", spc=("1234",))
PLAIN = value()
SPACED = value(claims=part('{"attest": "A"}'))
SEVERAL = value(claims={**CLAIMS, "dest": {"tn": ["911", DEST]}})
FORGED = PLAIN[: PLAIN.index(b";") - 8] + b"AAAAAAAA" + PLAIN[PLAIN.index(b";") :]
IDENTITIES = [
    PLAIN,
    SEVERAL,
    FORGED,
    SPACED,
    value(claims={**CLAIMS, "rcd": {"nam": "x"}}),
    value(claims={**CLAIMS, "orig": {"tn": "1#*"}}),
    value(claims={**CLAIMS, "dest": {"uri": [f"sip:{DEST}@example.org"]}}),
    value(claims={**CLAIMS, "dest": {"tn": [DEST], "uri": [f"sip:{DEST}@example.org"]}}),
    value(
        {**PROTECTED, "ppt": "div"},
        {each: CLAIMS[each] for each in ("dest", "iat", "orig")} | {"div": {"tn": DEST}},
        f";info=<{URL}>;ppt=div",
    ),
    value(
        {**PROTECTED, "ppt": "rph"},
        {each: CLAIMS[each] for each in ("dest", "iat", "orig")} | {"rph": {"auth": ["ets.0"]}},
        f";info=<{URL}>;ppt=rph",
    ),
    b"x;ppt=rph",
    b"x",
    b"",
]
ADDRESSES = st.sampled_from(
    ["", "+", "anonymous", f"+{ORIG}", f"+{DEST}", ORIG, DEST, "+1#*", "+911", f"+{ORIG} ",
     f"tel:+{DEST}", f"sip:+{DEST}@example.org", f"sip:{DEST}@example.org", "+1215555012١"]
)  # fmt: skip
ONLY_B = Constraints(permitted=(("attest", ("B",)),))
CHAINS = [
    CHAIN,
    Chain(ec.derive_private_key(0xBAD, ec.SECP256R1()).public_key(), "other", spc=("1234",)),
    Chain(KEY.public_key(), "numbers", numbers=((ORIG, ORIG),)),
    Chain(KEY.public_key(), "B", ("1",), constraints=(ONLY_B,)),
    Fault("certificate", 436, NOT_VALIDATED, "the host does not answer", unknown=True),
    Fault("certificate", 437, NOT_VALIDATED, "refused"),
]  # fmt: skip


def refusal(header: IdentityHeader, fault: Fault) -> Fault:
    return Fault(fault.check, 436, NOT_VALIDATED, "in doubt: " + fault.detail, unknown=True)


def both(asked: Question, found: Any, policy: Policy, now: float, doubted: bool) -> Verdict:
    """The verdict on a call, a replay of it and a fork of it; the general way's are the same."""

    def chain_of(url: str) -> Chain:
        if isinstance(found, Fault):
            raise found
        assert isinstance(found, Chain)
        return found

    reading, ask = read(asked), refusal if doubted else None
    replays, others = Replays(10), Replays(10)
    first = None
    for call_id in (b"one", b"one", b"x" * 100, b"two", b""):
        call = Question(asked.identities, asked.orig, asked.dest, call_id=call_id)
        made = judge(call, reading, chain_of, policy, now, replays, ask)
        assert made == Judge(call, reading, chain_of, policy, now, others, ask).verdict()
        if call_id == b"one":
            assert made == judge(call, read(call), chain_of, policy, now, None, ask)
        first = first or made
    assert first is not None
    return first


@given(
    st.lists(st.sampled_from(IDENTITIES), max_size=3),
    ADDRESSES,
    ADDRESSES,
    st.sampled_from(CHAINS),
    st.builds(
        Policy,
        require_date=st.booleans(),
        replayed_invalid=st.booleans(),
        malformed_failed=st.booleans(),
    ),
    st.sampled_from([NOW, NOW + 60.0, NOW + 60.5, NOW - 60.0, NOW - 60.5, NOW + 86_400.0]),
    st.booleans(),
)
@settings(max_examples=200)
def test_every_call_has_the_verdict_of_the_general_way(
    identities: list[bytes], orig: str, dest: str, found: Any, policy: Policy, now: float, ask: bool
) -> None:
    both(Question(identities, orig, dest), found, policy, now, ask)


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize("found", CHAINS)
@pytest.mark.parametrize("replayed_invalid", [True, False])
def test_a_call_from_the_caller_to_the_called(
    identity: bytes, found: Any, replayed_invalid: bool
) -> None:
    policy = Policy(replayed_invalid=replayed_invalid)
    asked = Question([identity], f"+{ORIG}", f"+{DEST}")
    verdict = both(asked, found, policy, NOW, False)
    both(asked, found, policy, NOW, True)
    straight = identity in (PLAIN, SEVERAL, FORGED)
    assert is_straight(asked, read(asked), policy, NOW) is straight
    if straight:
        good = found is CHAIN and identity is not FORGED
        assert (verdict.state is State.VALID) is good


@pytest.mark.parametrize(
    ("orig", "dest", "more", "late"),
    [
        (f"+{ORIG}", f"+{DEST}1", {}, 0),
        (f"+{ORIG}1", f"+{DEST}", {}, 0),
        (ORIG, f"+{DEST}", {}, 0),
        (f"-{ORIG}", f"+{DEST}", {}, 0),
        (f"+{ORIG}", f"+{DEST[:-1]}", {}, 0),
        (f"+{ORIG}", "", {}, 0),
        ("", f"+{DEST}", {}, 0),
        (f"+{ORIG}", f"+{DEST}", {"require_date": True}, 0),
        (f"+{ORIG}", f"+{DEST}", {}, 60.1),
        (f"+{ORIG}", f"+{DEST}", {}, -60.1),
    ],
)
def test_what_is_not_straight(orig: str, dest: str, more: Any, late: float) -> None:
    asked = Question([PLAIN], orig, dest)
    assert not is_straight(asked, read(asked), Policy(**more), NOW + late)


class Counted:
    """A public key that counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def verify(self, *given: Any) -> None:
        self.asked += 1
        KEY.public_key().verify(*given)


def test_a_forged_signature_is_looked_at_once() -> None:
    """Else a stranger's token would cost twice what an honest one does."""
    key: Any = Counted()
    chain = Chain(key, "CN=SHAKEN 1234", spc=("1234",))
    for identity in (FORGED, PLAIN):
        replays = Replays(10)
        for call_id in (b"one", b"two"):
            call = Question([identity], f"+{ORIG}", f"+{DEST}", call_id=call_id)
            judge(call, read(call), lambda _: chain, Policy(), NOW, replays)
    assert key.asked == 4


def test_what_is_remembered_has_a_limit_and_an_end() -> None:
    """By the digest of what was signed and r, whatever s is."""
    replays = Replays(2)
    digests = [bytes([each]) * 32 for each in range(3)]
    r, s, other = bytes(32), bytes(32), bytes([1]) * 32
    assert not replays.again(digests[0], r + s, b"one", NOW, 10.0)
    assert not replays.again(digests[0], r + other, b"one", NOW + 9, 10.0)
    assert replays.again(digests[0], r + other, b"two", NOW + 9, 10.0)
    assert not replays.again(digests[0], other + s, b"two", NOW + 9, 10.0)
    assert not replays.again(digests[0], r + s, b"two", NOW + 10, 10.0)  # the first has ended
    assert len(replays) == 2
    assert not replays.again(digests[1], r + s, b"x" * 100, NOW + 10, 10.0)
    assert not replays.again(digests[1], r + s, b"x" * 100, NOW + 10, 10.0)
    assert replays.again(digests[1], r + s, b"x" * 99 + b"y", NOW + 10, 10.0)
    assert not replays.again(digests[2], r + s, b"", NOW + 10, 10.0)
    assert len(replays) == 2
    assert replays.again(digests[1], r + s, b"other", NOW + 10, 10.0)
    assert not replays.again(digests[0], r + s, b"other", NOW + 10, 10.0)  # it was forgotten
    for digest, signature in ((bytes(31), bytes(64)), (bytes(32), bytes(63))):
        with pytest.raises(ValueError, match="octets"):
            replays.again(digest, signature, b"", NOW, 10.0)
