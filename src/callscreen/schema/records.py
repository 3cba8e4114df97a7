"""Call records as the REST references show them: names and order differ by product.

1. `additional_data` is an array of one trace: the verdict, step by step, and what SIP knew; and
   where it was asked for, what was found of the caller's identity, and how the call was signed.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ..v1.screening_pb2 import CallRecord, Identity, Signature, Verdict
from .columns import Cell, Column, ColumnKind, Row
from .fields import product_name
from .times import iso, nanoseconds

_PARTIES = {
    "pcs": ("called_number", "calling_number"),
    "cin": ("called_party", "calling_party"),
}
_OWNER = ("service_provider_name", "subscriber_name")


def _columns(product: str) -> tuple[Column, ...]:
    parties = [Column(name, ColumnKind.STRING, numbers=True) for name in _PARTIES[product]]
    owner = [Column(name, ColumnKind.STRING) for name in _OWNER]
    return (
        Column("cdr_id", ColumnKind.STRING),
        Column("start_time", ColumnKind.TIME),
        Column("end_time", ColumnKind.TIME),
        *(parties + owner if product == "pcs" else owner + parties),
        Column("events", ColumnKind.STRING),
    )


RECORD_COLUMNS: Mapping[str, tuple[Column, ...]] = {
    product: _columns(product) for product in _PARTIES
}

_CELLS: dict[str, Callable[[CallRecord], Cell]] = {
    "cdr_id": lambda record: record.cdr_id,
    "start_time": lambda record: _time(record, "start_time"),
    "end_time": lambda record: _time(record, "end_time"),
    "called_number": lambda record: record.called_number or None,
    "calling_number": lambda record: record.calling_number or None,
    "called_party": lambda record: record.called_number or None,
    "calling_party": lambda record: record.calling_number or None,
    "service_provider_name": lambda record: record.service_provider_name or None,
    "subscriber_name": lambda record: record.subscriber_name or None,
    "events": lambda record: record.events or None,
}


def _time(record: CallRecord, name: Any) -> int | None:
    return nanoseconds(getattr(record, name)) if record.HasField(name) else None


def record_row(record: CallRecord) -> Row:
    """The cells of one record."""
    return lambda column: _CELLS[column](record)


def record_to_json(record: CallRecord, product: str) -> dict[str, Any]:
    """A record as that product's reference shows it; what is not known is None."""
    called, calling = _PARTIES[product]
    parties = {
        called: record.called_number or None,
        calling: record.calling_number or None,
    }
    owner = {name: getattr(record, name) or None for name in _OWNER}
    return {
        "cdr_id": record.cdr_id,
        "start_time": iso(record.start_time) if record.HasField("start_time") else None,
        "end_time": iso(record.end_time) if record.HasField("end_time") else None,
        "additional_data": [trace_to_json(record)],
        **(parties | owner if product == "pcs" else owner | parties),
        "events": record.events,
    }


def trace_to_json(record: CallRecord) -> dict[str, Any]:
    """The one trace object of a record."""
    return {
        **verdict_to_json(record.verdict),
        "call_id": record.call_id or None,
        "source_ip": record.source_ip or None,
        "status": record.status or None,
        "edge": record.edge or None,
        **({"identity": identity_to_json(record.identity)} if record.HasField("identity") else {}),
        **(
            {"signature": signature_to_json(record.signature)}
            if record.HasField("signature")
            else {}
        ),
    }


def identity_to_json(found: Identity) -> dict[str, Any]:
    """What was found of a caller's identity; what is not known is None."""
    return {
        "state": found.state,
        "verstat": found.verstat or None,
        "code": found.code or None,
        "attest": found.attest or None,
        "origid": found.origid or None,
        "spc": list(found.spc),
        "signer": found.signer or None,
        "iat": found.iat or None,
        "x5u_host": found.x5u_host or None,
        "replayed": found.replayed,
        "checks": [
            {
                "name": check.name,
                "passed": check.passed if check.HasField("passed") else None,
                "detail": check.detail,
            }
            for check in found.checks
        ],
    }


def signature_to_json(made: Signature) -> dict[str, Any]:
    """How a call was signed; `failure` says why it was not."""
    return {
        "service_provider_name": made.service_provider_name or None,
        "origination_source": made.source_name or None,
        "mask": made.mask or None,
        "attest": made.attest or None,
        "cert_name": made.cert_name or None,
        "certificate": made.certificate or None,
        "orig": made.orig or None,
        "dest": list(made.dest),
        "origid": made.origid or None,
        "iat": made.iat or None,
        "failure": made.failure or None,
    }


def verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict with its steps in order, as REST shows it everywhere."""
    return {
        "treatment": verdict.treatment,
        "reason": verdict.reason,
        "product": product_name(verdict.product),
        "service_provider_name": verdict.service_provider_name or None,
        "subscriber_name": verdict.subscriber_name or None,
        "called_number": verdict.called_number or None,
        "calling_number": verdict.calling_number or None,
        "revision": verdict.revision,
        "trace": [
            {
                "rule": step.rule,
                "input": step.input,
                "entry": step.entry,
                "scope": step.scope,
                "outcome": step.outcome,
                "treatment": step.treatment,
            }
            for step in verdict.trace
        ],
    }
