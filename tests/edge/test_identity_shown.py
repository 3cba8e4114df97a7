"""`callscreen trace` and `top` say what was found of callers' identities."""

from callscreen.edge.trace import described
from callscreen.fastpath.tapping_types import Tapped
from callscreen.top import lines, parse
from callscreen.trace import told
from callscreen.v1.records_pb2 import AppendRequest
from callscreen.v1.screening_pb2 import CallRecord, Identity, IdentityCheck, Signature

from .messages import request


def shown(record: CallRecord) -> list[str]:
    entry = AppendRequest(records=[record]).SerializeToString()
    tapped = Tapped(1, "192.0.2.9", 5060, request(), b"SIP/2.0 302 x\r\n\r\n", 5060, 302, entry)
    return told(described(tapped, None)).splitlines()


def test_a_trace_says_what_was_found_check_by_check() -> None:
    found = Identity(
        state="invalid",
        attest="A",
        verstat="TN-Validation-Failed",
        code=438,
        signer="CN=someone",
        x5u_host="c.example",
        replayed=True,
        checks=[
            IdentityCheck(name="age", passed=True),
            IdentityCheck(name="signature", passed=False, detail="it does not fit\x07"),
            IdentityCheck(name="revocation"),
        ],
    )
    said = shown(CallRecord(identity=found))
    at = next(place for place, line in enumerate(said) if line.startswith("  identity "))
    assert said[at : at + 5] == [
        "  identity invalid  A  TN-Validation-Failed  438  (its token came with another call)",
        "           by CN=someone at c.example",
        "           age: passed",
        "           signature: failed, it does not fit\N{REPLACEMENT CHARACTER}",
        "           revocation: not looked at",
    ]
    assert not any(line.startswith("  signed") for line in said)


def test_a_trace_says_how_a_call_was_signed_or_why_not() -> None:
    made = Signature(
        service_provider_name="acme",
        source_name="trunk",
        mask="+1555*",
        attest="A",
        cert_name="acme-1",
        orig="15557654321",
        dest=["15551230001"],
    )
    said = shown(CallRecord(signature=made))
    assert "  signed   A  as acme/trunk mask +1555*" in said
    assert "           15557654321 to 15551230001  acme-1" in said
    made.failure = "the key is gone"
    said = shown(CallRecord(signature=made))
    assert "  signed   A  as acme/trunk mask +1555*  not signed: the key is gone" in said


def metrics(calls: int) -> str:
    return f"""\
# TYPE callscreen_edge_index_revision gauge
callscreen_edge_index_revision 1
# TYPE callscreen_edge_identity_calls counter
callscreen_edge_identity_calls_total {calls}
# TYPE callscreen_edge_identity_waiting gauge
callscreen_edge_identity_waiting{{what="thread"}} 2
callscreen_edge_identity_waiting{{what="certificate"}} 3
# TYPE callscreen_edge_identity_overflow counter
callscreen_edge_identity_overflow_total{{where="streams"}} 4
"""


def test_top_says_how_many_calls_are_asked_for() -> None:
    said = list(lines(parse(metrics(10), 1.0), parse(metrics(30), 3.0)))
    assert "identity  10.0 calls/s  waiting 5  no room 4" in said
