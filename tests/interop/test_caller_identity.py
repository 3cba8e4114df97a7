"""A call's signature from one carrier to another: sipp, Kamailio, Kamailio, baresip, two edges."""

import re
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from callscreen.identity.header import read_identity
from callscreen.identity.model import Chain, Policy, Question, SignRequest, State
from callscreen.identity.service import Identities
from callscreen.identity.signing import Signer, SoftwareKey

from ..edge.identity_double import SOURCE
from ..edge.objects import CALLED, FRIEND
from ..edge.test_identity_calls import Signing
from .carriers import OUTSIDE, Carriers, carriers, variant

Eventually = Callable[..., Any]
STRANGER = "+15557650000"
FAILED = 'STIR;cause=438;text="Invalid Identity Header";ppi="..'
CLAIMED = f"P-Asserted-Identity: <sip:{FRIEND};verstat=TN-Validation-Passed@127.0.0.1>"


@pytest.fixture(name="both")
async def both_fixture(
    request: pytest.FixtureRequest, signing: Signing, tmp_path: Path
) -> AsyncIterator[Carriers]:
    """Two carriers; a parameter is what the second does with a bad signature."""
    async with carriers(tmp_path, signing, getattr(request, "param", "terminate")) as found:
        yield found


@pytest.fixture(name="diverting")
async def diverting_fixture(signing: Signing, tmp_path: Path) -> AsyncIterator[Carriers]:
    async with carriers(tmp_path, signing, "terminate", diverts=True) as found:
        yield found


def url(signing: Signing) -> str:
    return f"https://{signing.host}:8443/acme-1.pem"


def field(lines: list[str], name: str) -> list[str]:
    """Values of a header field."""
    return [line.partition(": ")[2] for line in lines if line.startswith(f"{name}: ")]


def final(seen: str) -> list[str]:
    """The first final answer that a caller saw."""
    found = re.search(r"^SIP/2\.0 [2-6].*?\n\n", seen.replace("\r\n", "\n"), re.M | re.S)
    assert found
    return found[0].splitlines()


def forged(signing: Signing) -> str:
    """The Identity of a gateway's call, with another attestation than was signed."""
    key = signing.own.key
    signer = Signer(SoftwareKey(key), Chain(key.public_key(), "own"), url(signing))
    now = time.time()
    asked = {"cert_name": "acme-1", "orig": FRIEND[1:], "dest": [CALLED[1:]]}
    honest, wished = (signer.sign(SignRequest(**asked, attest=each), now) for each in "CA")
    head, _, rest = honest.value.split(".", 2)
    return f"{head}.{wished.value.split('.')[1]}.{rest}"


async def test_a_signed_call_is_verified_and_put_through(
    both: Carriers, signing: Signing, eventually: Eventually
) -> None:
    answer = final(await both.call())
    lines = both.rung()
    assert lines[0].startswith(f"INVITE sip:{CALLED}@127.0.0.1:{both.rings.port}")
    (identity,) = field(lines, "Identity")
    assert f";info=<{url(signing)}>" in identity
    assert len(field(lines, "Date")) == 1
    (asserted,) = field(lines, "P-Asserted-Identity")
    assert asserted.startswith(f"<sip:{FRIEND};verstat=TN-Validation-Passed@")
    assert not field(answer, "Reason")
    assert signing.asked == 1
    await eventually(lambda: both.made.kept and both.found.kept)
    (made,), (found,) = both.made.kept, both.found.kept
    assert (made.signature.attest, made.signature.failure) == ("A", "")
    assert (made.signature.orig, list(made.signature.dest)) == (FRIEND[1:], [CALLED[1:]])
    assert not made.HasField("identity")
    assert (found.identity.state, found.identity.attest) == ("valid", "A")
    assert found.identity.origid == made.signature.origid == SOURCE["orig_id"]
    assert found.identity.iat == made.signature.iat
    assert found.identity.x5u_host == signing.host
    assert not found.HasField("signature")


async def test_a_signed_call_that_goes_to_the_mailbox_is_signed_on_its_way(
    diverting: Carriers, signing: Signing, eventually: Eventually
) -> None:
    await diverting.call(calling=STRANGER)
    lines = diverting.rung()
    assert lines[0].startswith("INVITE sip:mailbox@")
    original, diverted = (each.encode() for each in field(lines, "Identity"))
    kinds = [read_identity(each).ppt for each in (original, diverted)]
    assert kinds == ["shaken", "div"]
    claims = read_identity(diverted).claims
    assert (claims["div"], claims["orig"]) == ({"tn": CALLED[1:]}, {"tn": STRANGER[1:]})
    target = lines[0].split()[1]
    asked = Question([original, diverted], STRANGER, target, target, call_id=b"x", from_tag=b"t")
    service = Identities(signing.config)
    try:
        verdict = await service.verify(asked, "", Policy(), 5.0)
        alone = await service.verify(asked._replace(identities=[original]), "", Policy(), 5.0)
    finally:
        await service.close()
    assert (verdict.state, verdict.attest) == (State.VALID, "A")
    assert alone.state is State.INVALID, "it says nothing of the mailbox"
    await eventually(lambda: diverting.found.kept)
    (found,) = diverting.found.kept
    assert (found.identity.state, found.signature.div) == ("valid", CALLED[1:])


async def test_an_unsigned_call_gets_what_the_list_says_of_who_is_not_in_it(
    both: Carriers, signing: Signing, tmp_path: Path, eventually: Eventually
) -> None:
    claimed = variant(tmp_path, "through", CLAIMED)
    await both.call(claimed, source=OUTSIDE)
    lines = both.rung()
    assert lines[0].startswith("INVITE sip:mailbox@")
    assert not field(lines, "Identity")
    assert len(field(lines, "Diversion")) == 1
    assert field(lines, "P-Asserted-Identity") == [f"<sip:{FRIEND}@127.0.0.1>"]
    assert "verstat" not in both.rings.said(), "nobody but an edge says it"
    await eventually(lambda: both.made.kept and both.found.kept)
    (made,), (found,) = both.made.kept, both.found.kept
    assert not made.HasField("signature")
    assert found.identity.state in ("", "none")
    assert signing.asked == 0


async def test_a_forged_call_is_turned_away_and_its_carrier_told_why(
    both: Carriers, signing: Signing, tmp_path: Path, eventually: Eventually
) -> None:
    refused = variant(tmp_path, "declined", f"Identity: {forged(signing)}", status=438)
    answer = final(await both.call(refused, port=both.second))
    assert answer[0] == "SIP/2.0 438 Invalid Identity Header"
    (reason,) = field(answer, "Reason")
    assert reason.startswith(FAILED)
    assert "INVITE" not in both.rings.said()
    await eventually(lambda: both.found.kept)
    (found,) = both.found.kept
    assert (found.identity.state, found.identity.code) == ("invalid", 438)
    assert not both.made.kept


@pytest.mark.parametrize("both", ["continue"], indirect=True)
async def test_a_forged_call_that_goes_on_says_so_to_both_sides(
    both: Carriers, signing: Signing, tmp_path: Path, eventually: Eventually
) -> None:
    marked = variant(tmp_path, "through", f"Identity: {forged(signing)}", CLAIMED)
    answer = final(await both.call(marked, port=both.second))
    (reason,) = field(answer, "Reason")
    assert reason.startswith(FAILED)
    lines = both.rung()
    assert lines[0].startswith(f"INVITE sip:{CALLED}@")
    (asserted,) = field(lines, "P-Asserted-Identity")
    assert asserted.startswith(f"<sip:{FRIEND};verstat=TN-Validation-Failed@")
    await eventually(lambda: both.found.kept)
    assert both.found.kept[0].identity.verstat == "TN-Validation-Failed"
