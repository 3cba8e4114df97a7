"""Signed calls that an edge sends to voice mail, and the `div` tokens that it makes for them: real
keys, certificates, https and SIP (RFC 8946)."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from callscreen.edge.diverting import to_divert
from callscreen.edge.questions import Unsigned
from callscreen.fastpath.respond_types import DIVERT, Responded
from callscreen.identity.header import read_identity
from callscreen.identity.model import Chain, Policy, Question, SignRequest, State, Verdict
from callscreen.identity.service import Identities
from callscreen.identity.signing import Signer, SoftwareKey

from .identity_double import provisioned
from .messages import Response, request
from .objects import CALLED, FRIEND, obj, platform, settings
from .running import Phone, edge, phone
from .test_identifying import invite
from .test_identity_calls import Signing, signing

__all__ = ["signing"]  # a fixture
Eventually = Callable[..., Any]
ORIG, DEST, BEFORE = FRIEND[1:], CALLED[1:], "15559990000"
MAIL = "sip:alice@vm.example"


def token(signing: Signing, *dest: str, **more: Any) -> str:
    """What the caller's carrier says of a call, or who diverted it says (`div`, `original`)."""
    key = signing.own.key
    url = f"https://{signing.host}:8443/acme-1.pem"
    asked = {"cert_name": "own", "attest": "A", "orig": ORIG, "dest": dest or (DEST,)} | more
    signer = Signer(SoftwareKey(key), Chain(key.public_key(), "own"), url)
    return signer.sign(SignRequest(**asked), time.time()).value


def mailbox(place: str) -> Any:
    (alice,) = [each for each in platform() if each.name == "pcs/subscriber/acme/alice"]
    alice.subscriber.voicemail = place
    return alice


def wishes(name: str = "acme-1", **more: Any) -> Any:
    """Everybody goes to voice mail, and that is signed with a certificate."""
    engine = {"default_treatment": "voicemail", "use_contact": True, "divert_cert_name": name}
    return settings("pcs", screening_engine=engine, web_settings={"default_cc": "1"}, **more)


@asynccontextmanager
async def diverting(
    core: Any, signing: Signing, *objects: Any, name: str = "acme-1", **more: Any
) -> AsyncIterator[Phone]:
    """A phone that calls an edge whose subscriber has all calls sent to voice mail."""
    for each in [*provisioned(), wishes(name), *objects]:
        core.note(each.name, body=each)
    async with edge(core, identity=signing.config, **more) as address, phone(address) as outside:
        yield outside


async def give(outside: Phone, *identities: str, **parts: Any) -> Response:
    return await outside.ask(
        invite(outside, *(f"Identity: {each}" for each in identities), **parts)
    )


async def judged(signing: Signing, target: str, *identities: str) -> Verdict:
    """What a verification service says of a call that was sent on."""
    values = [each.encode() for each in identities]
    asked = Question(values, FRIEND, CALLED, target, call_id=b"behind", from_tag=b"t")
    service = Identities(signing.config)
    try:
        return await service.verify(asked, "", Policy(), 5.0)
    finally:
        await service.close()


def place_of(answer: Response) -> str:
    assert answer.status == 302
    return answer.one("Contact").partition("<")[2].partition(">")[0]


@pytest.mark.parametrize(
    ("mail", "dest"),
    [
        (MAIL, {"uri": [MAIL]}),
        ("sip:+15558880000@vm.example;user=phone", {"tn": ["15558880000"]}),
        ("tel:+15558880000", {"tn": ["15558880000"]}),
        ("5558880000@vm.example", {"tn": ["15558880000"]}),
    ],
)
async def test_where_a_signed_call_is_sent_is_signed_too(
    core: Any, signing: Signing, eventually: Eventually, mail: str, dest: dict[str, list[str]]
) -> None:
    original = token(signing)
    async with diverting(core, signing, mailbox(mail)) as outside:
        answer = await give(outside, original)
        await eventually(lambda: core.kept)
    place, made = place_of(answer), answer.one("Identity")
    assert len(answer.headers["Diversion"]) == 1
    header = read_identity(made.encode())
    first = read_identity(original.encode()).claims
    assert header.ppt == "div"
    assert header.claims == {
        "dest": dest,
        "div": {"tn": DEST},
        "iat": first["iat"],
        "orig": first["orig"],
    }
    assert (await judged(signing, place, original, made)).state is State.VALID
    assert (await judged(signing, place, original)).state is State.VALID, "by To alone"
    (record,) = core.kept
    assert (record.identity.state, record.verdict.treatment) == ("valid", "voicemail")
    told = record.signature
    assert (told.div, told.orig, [*told.dest]) == (DEST, ORIG, *dest.values())
    assert (told.service_provider_name, told.source_name) == ("acme", "")
    assert (told.cert_name, len(told.certificate), told.failure) == ("acme-1", 64, "")


async def test_a_call_without_a_rule_on_signatures_is_verified_all_the_same(
    core: Any, signing: Signing, eventually: Eventually
) -> None:
    rule = obj("pcs/screening_rule/acme", screening_rule={"service_provider_name": "acme"})
    async with diverting(core, signing, rule) as outside:
        assert "Identity" in (await give(outside, token(signing))).headers
        assert "Identity" not in (await outside.call(FRIEND)).headers
        await eventually(lambda: len(core.kept) == 2)
    first, second = sorted(core.kept, key=lambda each: not each.HasField("identity"))
    assert (first.identity.state, first.signature.div) == ("valid", DEST)
    assert not second.HasField("signature")


async def test_what_was_diverted_before_is_diverted_from_here(
    core: Any, signing: Signing, eventually: Eventually
) -> None:
    original = token(signing, BEFORE)
    before = token(signing, DEST, div=BEFORE, original=original.encode())
    asked = wishes(called_sources_config=[{"source": "request_uri"}])
    async with diverting(core, signing, asked) as outside:
        answer = await give(outside, original, before, to=f"<sip:+{BEFORE}@edge.example>")
        await eventually(lambda: core.kept)
    made = answer.one("Identity")
    assert read_identity(made.encode()).claims["div"] == {"tn": DEST}
    verdict = await judged(signing, place_of(answer), original, before, made)
    assert verdict.state is State.VALID
    assert core.kept[0].signature.div == DEST


async def test_who_says_that_another_diverted_to_us_must_have_it_signed(
    core: Any, signing: Signing, eventually: Eventually
) -> None:
    """A good token to the party in To, and a `div` from there to us that nobody has signed."""
    original = token(signing, BEFORE)
    good = token(signing, DEST, div=BEFORE, original=original.encode())
    head, claims, rest = good.split(".", 2)
    forged = f"{head}.{claims}.{rest[1:2]}{rest[:1]}{rest[2:]}"
    asked = wishes(called_sources_config=[{"source": "request_uri"}])
    async with diverting(core, signing, asked) as outside:
        answer = await give(outside, original, forged, to=f"<sip:+{BEFORE}@edge.example>")
        await eventually(lambda: core.kept)
    assert answer.status == 302
    assert "Identity" not in answer.headers
    assert "no valid token" in core.kept[0].signature.failure


async def test_a_call_that_comes_again_gets_the_same_token(core: Any, signing: Signing) -> None:
    async with diverting(core, signing) as outside:
        call = invite(outside, f"Identity: {token(signing)}")
        first = await outside.ask(call)
        assert first.one("Identity").endswith("ppt=div")
        assert await outside.ask(call) == first


async def test_who_is_not_verified_is_not_diverted_with_a_signature(
    core: Any, signing: Signing, eventually: Eventually
) -> None:
    lenient = obj(
        "pcs/screening_rule/acme",
        screening_rule={
            "service_provider_name": "acme",
            "stir_shaken": {"enabled": True, "invalid": "continue", "priority": 1},
        },
    )
    async with diverting(core, signing, lenient) as outside:
        for identities in ([token(signing, BEFORE)], [token(signing, orig="15550009999")], []):
            answer = await give(outside, *identities)
            assert "Identity" not in answer.headers, identities
        await eventually(lambda: len(core.kept) == 3)
    assert not any(each.HasField("signature") for each in core.kept)


async def test_voice_mail_of_the_same_number_needs_no_diversion(
    core: Any, signing: Signing, eventually: Eventually
) -> None:
    async with diverting(core, signing, mailbox("vm.example")) as outside:
        answer = await give(outside, token(signing))
        await eventually(lambda: core.kept)
    assert place_of(answer).startswith(f"sip:{CALLED}@vm.example")
    assert "Identity" not in answer.headers
    assert not core.kept[0].HasField("signature")


async def test_without_a_certificate_the_call_goes_there_all_the_same(
    core: Any, signing: Signing, eventually: Eventually
) -> None:
    async with diverting(core, signing, name="gone") as outside:
        answer = await give(outside, token(signing))
        await eventually(lambda: core.kept)
    assert place_of(answer).startswith(MAIL)
    assert "Identity" not in answer.headers
    told = core.kept[0].signature
    assert (told.cert_name, told.certificate, told.div) == ("gone", "", DEST)
    assert told.failure


async def test_over_tcp_too(core: Any, signing: Signing) -> None:
    async with diverting(core, signing) as outside:
        host, port = outside.transport.get_extra_info("peername")[:2]
        reader, writer = await asyncio.open_connection(host, port)
        via = "SIP/2.0/TCP sbc.example;branch=z9hG4bK-t"
        writer.write(invite(outside, f"Identity: {token(signing)}", via=via))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        writer.close()
    assert b";ppt=div\r\n" in head


VALID = Verdict(State.VALID, orig=ORIG, dest=(DEST,), iat=1_700_000_000)


@pytest.mark.parametrize(
    ("verdict", "place", "why"),
    [
        (None, MAIL, "no valid token"),
        (VALID._replace(dest=(BEFORE,)), MAIL, "no valid token"),
        (VALID._replace(state=State.INVALID), MAIL, "no valid token"),
        (VALID, "nonsense", "no number"),
        (VALID, MAIL, "no token names"),
    ],
)
def test_what_cannot_be_signed_says_why(verdict: Verdict | None, place: str, why: str) -> None:
    diverted = Responded(awaits=DIVERT, called=CALLED, place=place.encode(), cert_name="acme-1")
    with pytest.raises(Unsigned, match=why):
        to_divert(diverted, request("INVITE", "Identity: x", "Identity: a.b.c"), verdict, "1")
