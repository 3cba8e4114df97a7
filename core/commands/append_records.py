"""Keeps call records as they come from the edges.

Invariants:
1. A record is kept once by its cdr_id, however often it is sent.
2. A record of no product (nothing was provisioned) is kept in both.
3. A batch is kept whole or refused whole.
4. `check` says what is wrong with a record; that nothing is wrong, fastpath.records says of a whole
   batch at once, as it came. What that refuses is decoded and looked at plainly.
5. A signature has its row in the audit log before its record is kept.
"""

from typing import Final
from uuid import UUID

from google.protobuf.message import DecodeError

from ...fastpath.records import read
from ...fastpath.rows_types import Batch, Limits
from ...v1 import rules_pb2
from ...v1.records_pb2 import AppendRequest
from ...v1.screening_pb2 import CallRecord
from ..access import Principal, Verb
from ..errors import InvalidInput
from ..limits import (
    BATCH_OBJECTS,
    EVENTS_CHARS,
    RECORD_BYTES,
    RECORD_CHARS,
    RECORD_STEPS,
)
from ..store.records import PRODUCT_OCTET, Arrived, of_product
from .audit_signatures import PRODUCT, rows_of
from .context import Core

TYPE: Final = "cdr"
SHORT: Final = (
    "called_number",
    "calling_number",
    "service_provider_name",
    "subscriber_name",
    "call_id",
    "source_ip",
    "edge",
)
LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z
PRODUCTS: Final = frozenset({rules_pb2.PRODUCT_UNSPECIFIED, rules_pb2.PCS, rules_pb2.CIN})
LIMITS: Final = Limits(RECORD_CHARS, EVENTS_CHARS, RECORD_BYTES, RECORD_STEPS)


async def append(core: Core, caller: Principal, data: bytes) -> tuple[int, int]:
    """Keeps the records of an encoded AppendRequest.

    Its id, and how many were new, once all are durable. Raises InvalidInput, PermissionDenied,
    TooMuch.
    """
    caller.require("", TYPE, (), Verb.CREATE)
    batch = batch_of(data, core.records.key)
    arrived = arrived_of(batch)
    if rows := rows_of(core, data):
        await core.write(caller, lambda draft: draft.tell(PRODUCT, rows))
    return batch.id, await core.recorder.submit(arrived) if arrived else 0


def batch_of(data: bytes, key: bytes) -> Batch:
    """The records of a request. Raises InvalidInput."""
    try:
        found = read(data, key, LIMITS)
        if isinstance(found, int):
            found = _plainly(data, key)
    except (ValueError, DecodeError):
        raise InvalidInput("The message cannot be decoded.") from None
    if found.size > BATCH_OBJECTS:
        raise InvalidInput(f"A batch has at most {BATCH_OBJECTS} records.")
    return found


def _plainly(data: bytes, key: bytes) -> Batch:
    """The same of a request that is not written as ours are, or holds a malformed record."""
    request = AppendRequest.FromString(data)
    request.DiscardUnknownFields()
    found = read(request.SerializeToString(), key, LIMITS)
    if isinstance(found, int):
        check(request.records[found])
        raise InvalidInput("A record is malformed.")
    return found


def arrived_of(batch: Batch) -> list[Arrived]:
    """What the store keeps of a batch."""
    both = ((product, *of_product(batch, product)) for product in PRODUCT_OCTET)
    return [Arrived(product, rows, values) for product, rows, values in both if rows]


def check(record: CallRecord) -> None:
    """Raises InvalidInput."""
    try:
        formed = str(UUID(record.cdr_id)) == record.cdr_id
    except ValueError:
        formed = False
    if not formed:
        raise _refused("cdr_id", "format", "must be a UUID in lower case")
    if record.product not in PRODUCTS:
        raise _refused("product", "not_accepted", "must be PCS, CIN or unspecified")
    for name in SHORT:
        text = getattr(record, name)
        if len(text) > RECORD_CHARS:
            raise _refused(name, "too_long", f"must have at most {RECORD_CHARS} characters")
        if "\0" in text:
            raise _refused(name, "format", "must not hold a null character")
    if len(record.events) > EVENTS_CHARS:
        raise _refused("events", "too_long", f"must have at most {EVENTS_CHARS} characters")
    for name in ("start_time", "end_time"):
        time = getattr(record, name)
        if not (0 <= time.seconds <= LAST_SECOND and 0 <= time.nanos < 10**9):
            raise _refused(name, "range", "must be a time from 1970 to 9999")
    if len(record.verdict.trace) > RECORD_STEPS:
        raise _refused("verdict.trace", "too_many", f"must have at most {RECORD_STEPS} steps")
    if record.ByteSize() > RECORD_BYTES:
        raise _refused("verdict", "too_long", f"makes the record exceed {RECORD_BYTES} bytes")


def _refused(name: str, code: str, what: str) -> InvalidInput:
    message = f"CallRecord(): Field '{name}' {what}."
    return InvalidInput(message, [(name, code, message)])


__all__ = ["TYPE", "append", "arrived_of", "batch_of", "check"]
