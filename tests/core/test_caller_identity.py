"""Calls signed and callers verified: for whom, with what, and the audit log."""

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from callscreen.core.access import principal, service
from callscreen.core.audit.rows import COLUMNS
from callscreen.core.commands import append_records, sign_call, verify_call
from callscreen.core.commands.context import Core
from callscreen.core.errors import Conflict, InvalidInput, NotFound, PermissionDenied
from callscreen.core.server import first_start
from callscreen.core.store.memory import MemoryStore
from callscreen.core.store.memory_records import MemoryRecords
from callscreen.core.wiring import CoreConfig, wire
from callscreen.identity.composing import NoSignature, Unusable
from callscreen.identity.model import Check, Signed, SignRequest, State, Verdict
from callscreen.v1 import identity_pb2 as pb
from callscreen.v1.records_pb2 import AppendRequest
from callscreen.v1.screening_pb2 import CallRecord, Signature

from .conftest import CHEAP, PASSWORD, Clock, Desk

ORIGID = "123e4567-e89b-12d3-a456-426655440000"
CDR = "0199a1b2-0000-7000-8000-000000000001"


class Known:
    """Signs under one name, and tells what it was asked."""

    def __init__(self) -> None:
        self.signed: list[SignRequest] = []
        self.asked: list[Any] = []
        self.lacks: NoSignature | None = None
        self.verdict = Verdict(State.VALID, "TN-Validation-Passed", attest="A", orig="1")

    def sign(self, request: SignRequest) -> Signed:
        if self.lacks is not None:
            raise self.lacks
        if request.cert_name == "away":
            raise NoSignature("no certificate of this name")
        self.signed.append(request)
        return Signed("token;info=<u>", request.origid or ORIGID, request.iat or 17, "f1")

    async def verify(self, question: Any, trust: str, policy: Any, budget: float) -> Verdict:
        self.asked.append((question, trust, policy, budget))
        return self.verdict


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
async def core(tmp_path: Path, clock: Clock, known: Known) -> AsyncIterator[Core]:
    config = CoreConfig(tmp_path, "x", clock=clock, hasher=CHEAP, identities=known)
    async with AsyncExitStack() as stack:
        made = wire(config, MemoryStore(), MemoryRecords(clock), stack)
        await first_start(made, PASSWORD)
        owner = Desk(made, principal("pcs", "pcs_administrator", "platform_owner"))
        for provider in ("acme", "evil", "none"):
            await owner.create("pcs/service_provider", name=provider)
        await source(owner, "acme", "main", source_ip=["192.0.2.0/24"])
        await source(owner, "evil", "main", source_ip=["198.51.100.0/24"], cert_name="evil")
        yield made


async def source(owner: Desk, provider: str, name: str, **more: Any) -> None:
    fields = {"orig_id": ORIGID, "attest": "A", "cert_name": provider, **more}
    await owner.create(f"pcs/origination_source/{provider}", name=name, **fields)


def group(*masks: str, priority: int = 1, cert: str = "acme2", attest: str = "B") -> Any:
    return {
        "numbers_n": masks,
        "orig_id_n": ORIGID,
        "attest_n": attest,
        "cert_name_n": cert,
        "priority": priority,
    }


def request(**more: Any) -> pb.SignCallRequest:
    return pb.SignCallRequest(**{"orig": "12155550121", "dest": ["12155550131"], **more})


def of(provider: str, role: str = "service_provider") -> Any:
    return principal("pcs", "somebody", f"{role}:{provider}")


def owner_of(core: Core) -> Desk:
    return Desk(core, principal("pcs", "pcs_administrator", "platform_owner"))


def rows(core: Core) -> list[dict[str, str]]:
    text = "".join(p.read_text() for p in sorted((core.data / "audit" / "pcs").iterdir()))
    found = [dict(zip(COLUMNS, row, strict=True)) for row in csv.reader(io.StringIO(text))]
    return [row for row in found if row["action"] == "sign"]


async def test_a_provider_signs_with_its_own_certificate(core: Core, known: Known) -> None:
    answer = await sign_call.sign(core, of("acme"), request())
    assert answer.identity == "token;info=<u>"
    assert known.signed == [
        SignRequest("acme", "A", "12155550121", ["12155550131"], ORIGID),
    ]
    (row,) = rows(core)
    assert (row["username"], row["role_id"]) == ("somebody", "service_provider:acme")
    assert (row["object"], row["object_id"], row["code"]) == (
        *("origination_source", "acme/main", "200"),
    )
    fields = {name: new for name, (old, new) in json.loads(row["changed_fields"]).items()}
    assert fields == {
        "mask": "",
        "attest": "A",
        "cert_name": "acme",
        "certificate": "f1",
        "orig": "12155550121",
        "dest": ["12155550131"],
        "div": "",
        "origid": ORIGID,
        "iat": 17,
        "failure": "",
    }


@pytest.mark.parametrize(
    "more",
    [
        {"service_provider_name": "evil"},
        {"service_provider_name": "evil", "source_name": "main"},
        {"source_name": "../evil/main"},
        {"source_name": "other"},
        {"source_ip": "198.51.100.7"},
    ],
)
async def test_a_tenant_never_signs_as_another(core: Core, known: Known, more: Any) -> None:
    with pytest.raises((PermissionDenied, NotFound)):
        await sign_call.sign(core, of("acme"), request(**more))
    assert known.signed == []
    assert rows(core) == []


async def test_masks_never_reach_another_tenants_source(core: Core, known: Known) -> None:
    await source(owner_of(core), "evil", "wide", source_numbers=[group("+1xxxxxxxxxx")])
    await sign_call.sign(core, of("acme"), request())
    assert known.signed[0].cert_name == "acme"


@pytest.mark.parametrize("role", ["subscriber:acme:bob"])
async def test_a_subscriber_signs_nothing(core: Core, role: str) -> None:
    with pytest.raises(PermissionDenied):
        await sign_call.sign(core, principal("pcs", "bob", role), request())
    asked = pb.VerifyCallRequest(orig="1", dest="2")
    with pytest.raises(PermissionDenied):
        await verify_call.verify(core, principal("pcs", "bob", role), asked)


async def test_another_product_signs_nothing(core: Core) -> None:
    with pytest.raises(PermissionDenied):
        await sign_call.sign(core, principal("cin", "x", "service_provider:acme"), request())


@pytest.mark.parametrize("caller", [service(), principal("pcs", "o", "platform_owner")])
async def test_the_platform_signs_for_whom_it_names(core: Core, known: Known, caller: Any) -> None:
    await sign_call.sign(core, caller, request(service_provider_name="evil"))
    assert known.signed[0].cert_name == "evil"
    with pytest.raises(InvalidInput, match="service_provider_name"):
        await sign_call.sign(core, caller, request())


async def test_the_mask_of_the_lowest_priority_decides(core: Core, known: Known) -> None:
    numbers = [
        group("+1215555xxxx", priority=5, cert="five"),
        group("+12155550121", "+1212xxxxxxx", priority=2, cert="two", attest="C"),
    ]
    await source(owner_of(core), "acme", "second", source_numbers=numbers)
    await sign_call.sign(core, of("acme"), request())
    assert (known.signed[0].cert_name, known.signed[0].attest) == ("two", "C")
    changed = json.loads(rows(core)[0]["changed_fields"])
    assert changed["mask"][1].lstrip("+") == "12155550121"


async def test_of_several_sources_one_must_be_meant(core: Core, known: Known) -> None:
    await source(owner_of(core), "acme", "second", source_ip=["192.0.2.128/25"], cert_name="b")
    with pytest.raises(Conflict):
        await sign_call.sign(core, of("acme"), request())
    await sign_call.sign(core, of("acme"), request(source_ip="192.0.2.200"))
    await sign_call.sign(core, of("acme"), request(source_ip="192.0.2.1"))
    await sign_call.sign(core, of("acme"), request(source_name="second"))
    assert [each.cert_name for each in known.signed] == ["b", "acme", "b"]
    with pytest.raises(Conflict):
        await sign_call.sign(core, of("none"), request())


@pytest.mark.parametrize(("asked", "signed"), [("", "B"), ("A", "B"), ("B", "B"), ("C", "C")])
async def test_never_a_stronger_attestation(
    core: Core, known: Known, asked: str, signed: str
) -> None:
    await source(owner_of(core), "acme", "weak", attest="B")
    await sign_call.sign(core, of("acme"), request(attest=asked, source_name="weak"))
    assert known.signed[0].attest == signed


@pytest.mark.parametrize(
    ("fields", "code", "failure"),
    [({"attest": "N"}, "204", ""), ({"cert_name": "away"}, "409", "no certificate of this name")],
)
async def test_what_is_not_signed_is_audited(
    core: Core, known: Known, fields: Any, code: str, failure: str
) -> None:
    await source(owner_of(core), "acme", "odd", **fields)
    with pytest.raises(Conflict, match=r"not (to be )?signed"):
        await sign_call.sign(core, of("acme"), request(source_name="odd"))
    assert known.signed == []
    (row,) = rows(core)
    assert row["code"] == code
    assert json.loads(row["changed_fields"])["failure"][1] == failure


@pytest.mark.parametrize(
    "more",
    [
        {"orig": "+12155550121"},
        {"orig": "anonymous"},
        {"orig": ""},
        {"dest": []},
        {"dest": ["1"] * 33},
        {"attest": "Z"},
        {"attest": "N"},
        {"source_ip": "nowhere"},
        {"source_ip": "fe80::1%eth0"},
        {"origid": "x" * 251},
        {"dest": [""]},
        {"dest": ["1", "x" * 251]},
        {"iat": -1},
    ],
)
async def test_bad_requests(core: Core, known: Known, more: Any) -> None:
    with pytest.raises(InvalidInput):
        await sign_call.sign(core, of("acme"), request(**more))
    assert known.signed == []


async def test_what_keys_and_tokens_lack_is_for_the_operator(core: Core, known: Known) -> None:
    """Names of files and of hardware are in the log and the audit log, in no tenant's answer."""
    known.lacks = Unusable("/etc/stir/acme.key may be read by others")
    with pytest.raises(Conflict) as refused:
        await sign_call.sign(core, of("acme"), request())
    assert "acme.key" not in refused.value.message
    assert "not signed" in refused.value.message
    (row,) = rows(core)
    assert row["code"] == "409"
    assert "acme.key" in json.loads(row["changed_fields"])["failure"][1]


async def test_verifies(core: Core, known: Known) -> None:
    known.verdict = Verdict(
        State.INVALID,
        "TN-Validation-Failed",
        438,
        "Invalid Identity Header",
        x5u="https://h.example:8443/c.pem",
        checks=(Check("signature", False, "no"), Check("replay", None)),
    )
    asked = pb.VerifyCallRequest(identity=["t"], orig="1", dest="2", call_id="c", from_tag="f")
    answer = await verify_call.verify(core, of("acme"), asked)
    assert (answer.identity.state, answer.identity.code) == ("invalid", 438)
    assert answer.identity.x5u_host == "h.example:8443"
    assert [(c.name, c.HasField("passed")) for c in answer.identity.checks] == [
        *(("signature", True), ("replay", False)),
    ]
    question, trust, policy, budget = known.asked[0]
    assert (question.call_id, question.from_tag, question.target) == (b"c", b"f", "2")
    assert (trust, policy.freshness, budget) == ("", 60, 0.3)
    assert question.tenant == b"acme"
    await verify_call.verify(core, of("evil"), asked)
    assert known.asked[1][0].tenant == b"evil"


@pytest.mark.parametrize(
    "more",
    [{"orig": ""}, {"dest": ""}, {"identity": ["t"] * 11}, {"identity": ["t" * 8193]}],
)
async def test_bad_questions(core: Core, known: Known, more: Any) -> None:
    asked = pb.VerifyCallRequest(**{"orig": "1", "dest": "2", **more})
    with pytest.raises(InvalidInput):
        await verify_call.verify(core, of("acme"), asked)
    assert known.asked == []


def signature(**more: Any) -> Signature:
    fields = {
        "service_provider_name": "acme",
        "source_name": "main",
        "mask": "1215",
        "attest": "A",
        "cert_name": "acme",
        "certificate": "ab",
        "orig": "12155550121",
        "dest": ["12155550131"],
        "origid": ORIGID,
    }
    return Signature(**{**fields, **more})


def batch(*signatures: Signature | None) -> bytes:
    found = AppendRequest(id=1)
    for number, each in enumerate(signatures):
        record = found.records.add(cdr_id=CDR[:-1] + str(number), edge="edge-1")
        record.source_ip = "192.0.2.9"
        record.start_time.seconds = record.end_time.seconds = 1_800_000_000
        if each is not None:
            record.signature.CopyFrom(each)
    return found.SerializeToString()


async def test_signatures_of_edges_are_audited_once(core: Core) -> None:
    data = batch(signature(), None, signature(attest="N", certificate=""))
    assert await append_records.append(core, service(), data) == (1, 6)
    await append_records.append(core, service(), data)
    first, second = rows(core)
    assert (first["username"], first["source_ip"], first["method"]) == (
        *("edge-1", "192.0.2.9", "SIP"),
    )
    assert (first["request_id"], first["object_id"], first["code"]) == (
        *(CDR[:-1] + "0", "acme/main", "200"),
    )
    assert first["time"] == "2027-01-15T08:00:00.000Z"
    assert (second["request_id"], second["code"]) == (CDR[:-1] + "2", "204")


async def test_a_diversion_is_audited_as_the_wish_of_settings(core: Core) -> None:
    made = signature(source_name="", attest="", mask="", origid="", div="12155550131", dest=["18"])
    failed = signature(source_name="", certificate="", failure="no key", div="12155550131")
    await append_records.append(core, service(), batch(made, failed))
    first, second = rows(core)
    assert (first["object"], first["object_id"], first["code"]) == ("settings", "acme", "200")
    fields = {name: new for name, (old, new) in json.loads(first["changed_fields"]).items()}
    assert (fields["div"], fields["dest"], fields["cert_name"]) == ("12155550131", ["18"], "acme")
    assert (second["code"], "no key" in second["changed_fields"]) == ("409", True)


async def test_a_batch_without_signatures_writes_nothing(core: Core) -> None:
    before = core.store.revision
    await append_records.append(core, service(), batch(None, None))
    assert core.store.revision == before


async def test_a_signature_in_a_malformed_batch_is_not_audited(core: Core) -> None:
    bad = AppendRequest(records=[CallRecord(cdr_id="x", signature=signature())])
    with pytest.raises(InvalidInput):
        await append_records.append(core, service(), bad.SerializeToString())
    assert rows(core) == []
