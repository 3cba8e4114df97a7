"""What call records say of caller identity, and that a stranger's token makes none long."""

from callscreen.edge.identity_records import (
    RECORD_MOST,
    host_of,
    identity_octets,
    signature_octets,
)
from callscreen.edge.questions import ToSign
from callscreen.fastpath.model import Origination
from callscreen.identity.model import PASSED, Check, State, Verdict
from callscreen.identity.service import PlainSigned
from callscreen.v1.screening_pb2 import CallRecord

OWN = Origination("acme", "trunk", "1f2e", "A", "acme-1", "+1555*")


def test_a_verdict_stands_in_its_field() -> None:
    verdict = Verdict(
        State.VALID,
        PASSED,
        attest="B",
        origid="o",
        iat=1_767_225_600,
        x5u="https://Certs.Example:8443/a.pem",
        spc=("709J",),
        signer="CN=a",
        replayed=True,
        checks=(Check("age", True, "2 s"), Check("crl", None), Check("numbers", False, "x")),
    )
    said = CallRecord.FromString(identity_octets(verdict)).identity
    assert (said.state, said.verstat, said.attest, said.code) == ("valid", PASSED, "B", 0)
    assert (said.x5u_host, list(said.spc), said.signer) == ("certs.example", ["709J"], "CN=a")
    assert (said.iat, said.replayed) == (1_767_225_600, True)
    checks = [(each.name, each.HasField("passed"), each.passed) for each in said.checks]
    assert checks == [("age", True, True), ("crl", False, False), ("numbers", True, False)]


def test_checks_of_many_verdicts_are_not_taken_for_one_another() -> None:
    for place in range(200):
        verdict = Verdict(State.INVALID, checks=(Check(f"check {place}", False, "x"),))
        said = CallRecord.FromString(identity_octets(verdict)).identity
        assert [each.name for each in said.checks] == [f"check {place}"]
        assert identity_octets(verdict) == identity_octets(verdict)


def test_nobody_asked_is_nothing() -> None:
    assert identity_octets(Verdict(State.UNASKED)) == b""


def test_a_record_stays_short_whatever_a_token_says() -> None:
    long = "\ud800\N{GREEK SMALL LETTER ALPHA}" * 10_000
    verdict = Verdict(
        State.INVALID,
        verstat=long,
        origid=long,
        attest=long,
        signer=long,
        iat=2**80,
        x5u="https://" + "h" * 10_000,
        spc=(long[:2],) * 1_000,
        checks=tuple(Check(f"check {place}", False, long) for place in range(100)),
    )
    octets = identity_octets(verdict)
    assert len(octets) <= RECORD_MOST + 8
    said = CallRecord.FromString(octets).identity
    assert said.checks[0].name == "check 0", "the first checks stay"
    assert 0 < len(said.checks) < 100


def test_a_signature_stands_in_its_field() -> None:
    request = ToSign("acme-1", "A", "15557654321", "15551230001", "o", 5)
    made = CallRecord.FromString(signature_octets(OWN, request, PlainSigned(b"v", "o", "ab")))
    said = made.signature
    assert (said.service_provider_name, said.source_name, said.mask) == ("acme", "trunk", "+1555*")
    assert (said.attest, said.cert_name, said.certificate) == ("A", "acme-1", "ab")
    assert (said.orig, list(said.dest), said.origid) == ("15557654321", ["15551230001"], "o")
    assert (said.iat, said.failure) == (5, "")


def test_why_a_call_is_not_signed_stands_there_too() -> None:
    said = CallRecord.FromString(signature_octets(OWN, failure="the key is gone")).signature
    assert (said.failure, said.certificate, said.orig) == ("the key is gone", "", "")


def test_hosts_of_what_is_no_url() -> None:
    assert host_of("https://[::1") == ""
    assert host_of("") == ""
