"""Call records show what was found of a caller's identity, and how a call was signed."""

from callscreen.schema.records import record_to_json
from callscreen.v1.screening_pb2 import CallRecord, Identity, IdentityCheck, Signature


def test_a_record_says_what_was_found_of_the_caller() -> None:
    found = Identity(
        state="invalid",
        verstat="TN-Validation-Failed",
        code=438,
        x5u_host="c.example",
        checks=[IdentityCheck(name="signature", passed=False), IdentityCheck(name="crl")],
    )
    (trace,) = record_to_json(CallRecord(identity=found), "pcs")["additional_data"]
    assert trace["identity"] == {
        "state": "invalid",
        "verstat": "TN-Validation-Failed",
        "code": 438,
        "attest": None,
        "origid": None,
        "spc": [],
        "signer": None,
        "iat": None,
        "x5u_host": "c.example",
        "replayed": False,
        "checks": [
            {"name": "signature", "passed": False, "detail": ""},
            {"name": "crl", "passed": None, "detail": ""},
        ],
    }
    assert "signature" not in trace


def test_a_record_says_how_a_call_was_signed() -> None:
    made = Signature(
        service_provider_name="acme",
        source_name="trunk",
        attest="A",
        cert_name="acme-1",
        orig="15557654321",
        dest=["15551230001"],
        iat=5,
        failure="the certificate has expired",
    )
    (trace,) = record_to_json(CallRecord(signature=made), "pcs")["additional_data"]
    assert trace["signature"] == {
        "service_provider_name": "acme",
        "origination_source": "trunk",
        "mask": None,
        "attest": "A",
        "cert_name": "acme-1",
        "certificate": None,
        "orig": "15557654321",
        "dest": ["15551230001"],
        "origid": None,
        "iat": 5,
        "failure": "the certificate has expired",
    }
    assert "identity" not in trace


def test_a_record_of_neither_says_nothing_of_them() -> None:
    (trace,) = record_to_json(CallRecord(), "pcs")["additional_data"]
    assert not {"identity", "signature"} & set(trace)
