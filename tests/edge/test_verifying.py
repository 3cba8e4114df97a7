"""Calls that are verified as most are: read, verified and told as every other would be."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import given
from hypothesis import strategies as st

from callscreen.edge.clerk import Clerk
from callscreen.edge.handed_over import Piece
from callscreen.edge.questions import (
    caller_asked,
    claimed_question,
    number_of,
    question_of,
    user_part,
)
from callscreen.edge.remembered import Remembered
from callscreen.edge.telling import tell, tell_valid
from callscreen.fastpath.asking import Asked, Asker, Claimed
from callscreen.fastpath.recent import RecentTable
from callscreen.fastpath.respond_types import VERIFY, Responded, Told
from callscreen.identity.model import Policy, State
from callscreen.identity.service import Identities, IdentityConfig
from callscreen.identity.telephone import is_e164

from ..identity.authority import SECONDS
from ..identity.test_together import DEST, IDENTITIES, ORIG, PLAIN, folder
from .identity_double import TOKEN, VALID
from .messages import request
from .objects import CALLED
from .test_questions import (
    ASKER,
    ASSERTED,
    HOSTS,
    IDENTITY,
    INSIDE,
    OTHERS,
    addresses,
    asker,
    read,
)

__all__ = ["folder"]  # a fixture
OUTSIDE = "203.0.113.9"  # whose calls are not signed


def whole_of(claimed: Claimed, octets: bytes, trusted: bool = False) -> Asked:
    """All that a call says which is to be verified as most are: there is nothing else to ask."""
    found = ASKER.ask(octets, (INSIDE, 5060), via_trusted=trusted, whole=True)
    assert isinstance(found, Asked)
    caller = caller_asked(found, octets)
    asked, provider = claimed_question(claimed), claimed.provider
    less = question_of(found, caller)._replace(target="", date="", resource_priority=())
    assert asked._replace(identities=[*asked.identities]) == less
    assert (asked.orig, asked.dest) == ("+" + caller.number, "+" + number_of(asked.dest, ""))
    assert is_e164(asked.orig[1:])
    assert is_e164(asked.dest[1:])
    assert (found.awaits, found.provider) == (VERIFY, provider)
    assert found.screened in ("", asked.orig)
    for verdict in (VALID, VALID._replace(state=State.VALID, verstat="x", checks=())):
        assert tell_valid(claimed, verdict) == tell(verdict, found, None, caller)
    return found


@given(
    st.lists(ASSERTED | OTHERS, max_size=2),
    addresses(),
    st.sampled_from(["+15557654321", "+1555765", "+155576", "+05557654321", "5557654321", "x"]),
    HOSTS,
)
def test_a_call_is_verified_as_most_are_only_where_that_is_all(
    lines: list[str], caller: str, to: str, host: str
) -> None:
    octets = request(
        "INVITE",
        *lines,
        IDENTITY,
        uri=f"sip:{CALLED}@edge.example",
        caller=f"{caller};tag=t",
        to=f"<sip:{to}@{host}>",
    )
    found = ASKER.ask(octets, (INSIDE, 5060))
    if isinstance(found, Claimed):
        whole_of(found, octets)
    elif isinstance(found, Asked):
        who, dest = caller_asked(found, octets), user_part(found.called)
        plain = [
            user[:1] == "+" and is_e164(user[1:].partition(";")[0]) for user in (who.user, dest)
        ]
        another = found.screened not in ("", "+" + who.number)
        alike = len(found.identities) == 1 and all(plain) and not another
        assert not alike or not who.host or found.calling is None


def test_most_calls_that_are_verified_are_alike() -> None:
    found = read(IDENTITY)
    assert isinstance(found, Claimed)
    assert found == Claimed(
        TOKEN.encode(),
        "+15557654321",
        CALLED,
        b"call-1@carrier.example",
        b"abc",
        "acme",
        b"carrier.example",
    )
    hidden = read(IDENTITY, "Privacy: id", "Date: x", "Resource-Priority: ets.0")
    assert hidden == found._replace(shown=b"")
    for lines, parts in (
        ((IDENTITY, "y: a.b.c"), {}),
        ((IDENTITY,), {"caller": "<sip:5557654321@c.example>;tag=a"}),
        ((IDENTITY,), {"caller": "<sip:+155576@c.example>;tag=a"}),
        ((IDENTITY,), {"caller": "<sip:+05557654321@c.example>;tag=a"}),
        ((IDENTITY,), {"caller": "<tel:+15557654321>;tag=a"}),
        ((IDENTITY,), {"to": "<sip:bob@edge.example>"}),
        ((IDENTITY,), {"to": "<sip:5551230001@edge.example>"}),
    ):
        assert isinstance(read(*lines, **parts), Asked), (lines, parts)


# The whole way of a call


class Answering:
    """A clerk, and what it kept; `apart`: it asks about every call by itself."""

    def __init__(self, folder: Path, apart: bool) -> None:
        config = IdentityConfig(roots=str(folder / "pa.pem"), cache=str(folder))
        self.identities = Identities(config, clock=lambda: SECONDS + 10)
        identity: Any = Apart(self.identities) if apart else self.identities
        self.kept: list[Responded] = []
        self.clerk = Clerk(
            asker(seed=b"0" * 16),
            identity,
            lambda: ASKER.index,
            Remembered(lambda: 0.0),
            lambda done: self.kept.extend(each for _, each in done),
            lambda: int(SECONDS * 1e9),
        )

    def work(self, messages: Sequence[bytes]) -> list[bytes]:
        """Gives what must wait."""
        pieces = [
            Piece(each, (OUTSIDE, 5060), "udp", int(SECONDS * 1e9), False, lambda done, own: "")
            for each in messages
        ]
        return [piece.request for piece, _ in self.clerk.work(pieces)]

    def shown(self) -> list[Any]:
        found: list[Any] = [self.clerk.counts(), self.clerk.repeated, self.clerk.seconds.counts]
        self.identities.show(lambda *said: found.append(said))
        return found


class Apart:
    def __init__(self, identities: Identities) -> None:
        self.verify_now = identities.verify_now
        self.sign_plain = identities.sign_plain

    def verify_together(self, calls: Sequence[Any], policy: Policy) -> list[None]:
        return [None] * len(calls)


IDENTITY_LINES = st.sampled_from([PLAIN, PLAIN, *(each[0] for each in IDENTITIES if each)]).map(
    lambda value: f"Identity: {value.decode()}"
)
ORIGS = st.sampled_from([f"+{ORIG}", f"+{ORIG}", ORIG, "anonymous", f"+{DEST}"])
FIELDS = st.sampled_from(
    ["Privacy: id", "Date: Sun, 01 Mar 2026 00:00:00 GMT", f"P-Asserted-Identity: <tel:+{ORIG}>"]
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    identities = draw(st.lists(IDENTITY_LINES, min_size=1, max_size=2))
    more = draw(st.lists(FIELDS, max_size=1))
    return request(
        "INVITE",
        *identities,
        *more,
        uri=f"sip:{CALLED}@edge.example",
        caller=f"<sip:{draw(ORIGS)}@c.example>;tag=t",
        to=f"<sip:+{DEST}@edge.example>",
        call_id=draw(st.sampled_from("abc")),
    )


@given(st.lists(messages(), min_size=1, max_size=5))
@hypothesis.settings(max_examples=100)
def test_every_call_is_answered_as_if_it_were_asked_about_alone(
    folder: Path, drawn: list[bytes]
) -> None:
    one, other = Answering(folder, apart=False), Answering(folder, apart=True)
    for each in drawn:
        assert one.work([each]) == other.work([each])
    assert one.kept == other.kept
    assert one.shown() == other.shown()


def test_calls_that_come_together_are_answered_as_one_after_another(folder: Path) -> None:
    lines = [f"Identity: {each[0].decode()}" for each in IDENTITIES if each]
    drawn = [
        request(
            "INVITE",
            line,
            uri=f"sip:{CALLED}@edge.example",
            caller=f"<sip:+{ORIG}@c.example>;tag=t",
            to=f"<sip:+{DEST}@edge.example>",
            call_id=f"{place}-{again}",
        )
        for again in range(2)
        for place, line in enumerate(lines)
    ]
    together, alone = Answering(folder, apart=False), Answering(folder, apart=True)
    waits = together.work(drawn)
    assert waits == [found for each in drawn for found in alone.work([each])]
    assert together.kept == alone.kept
    assert together.shown() == alone.shown()
    assert 0 < len(waits) < len(drawn)


def test_a_fault_of_ours_leaves_each_call_another_way(folder: Path) -> None:
    one, other = Answering(folder, apart=False), Answering(folder, apart=True)

    def broken(*said: Any) -> None:
        raise RuntimeError("a fault")

    one.clerk._identity.verify_together = broken  # type: ignore[method-assign,assignment]
    call = request(
        "INVITE",
        f"Identity: {PLAIN.decode()}",
        uri=f"sip:{CALLED}@edge.example",
        caller=f"<sip:+{ORIG}@c.example>;tag=t",
        to=f"<sip:+{DEST}@edge.example>",
    )
    assert one.work([call]) == other.work([call]) == []
    assert one.kept == other.kept
    assert b"TN-Validation-Passed" in (one.kept[0].answer or b"")


class Changing(Asker):
    """Its data change before it says all of a call: nothing is awaited any more."""

    answered: Responded

    def ask(self, *said: Any) -> Any:
        *_, whole = said
        if not whole:
            return super().ask(*said)
        self.answered = self.receive(*said[:4], told=Told(2))
        return self.answered


def test_data_that_change_meanwhile_answer_a_call(folder: Path) -> None:
    one = Answering(folder, apart=False)
    changing = Changing(ASKER.index, b"secret", seed=b"0" * 16, recent=RecentTable(10))
    one.clerk._responder = changing
    call = request(
        "INVITE",
        f"Identity: {IDENTITIES[7][0].decode()}",  # a forged one
        uri=f"sip:{CALLED}@edge.example",
        caller=f"<sip:+{ORIG}@c.example>;tag=t",
        to=f"<sip:+{DEST}@edge.example>",
    )
    assert one.work([call]) == []
    assert one.kept == [changing.answered]
    assert changing.answered.status
