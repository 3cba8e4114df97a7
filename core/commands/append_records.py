"""Keeps call records as they come from the edges.

Invariants:
1. A record is kept once by its cdr_id, however often it is sent.
2. A record of no product (nothing was provisioned) is kept in both.
3. A batch is kept whole or refused whole.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from ...schema import PRODUCTS
from ...v1 import rules_pb2
from ...v1.screening_pb2 import CallRecord
from ..access import Principal, Verb
from ..errors import InvalidInput
from ..limits import (
    BATCH_OBJECTS,
    CALLS_AT_A_STRETCH,
    EVENTS_CHARS,
    RECORD_BYTES,
    RECORD_CHARS,
    RECORD_STEPS,
)
from ..store.records import Record
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
PRODUCT_OF: Final = {
    rules_pb2.PRODUCT_UNSPECIFIED: PRODUCTS,
    rules_pb2.PCS: ("pcs",),
    rules_pb2.CIN: ("cin",),
}


async def append(core: Core, caller: Principal, records: Sequence[CallRecord]) -> int:
    """How many were new, once all are durable. Raises InvalidInput, PermissionDenied, TooMuch."""
    caller.require("", TYPE, (), Verb.CREATE)
    if len(records) > BATCH_OBJECTS:
        raise InvalidInput(f"A batch has at most {BATCH_OBJECTS} records.")
    kept: list[Record] = []
    for place, record in enumerate(records, 1):
        kept += _stored(record)
        if place % CALLS_AT_A_STRETCH == 0:
            await asyncio.sleep(0)
    return await core.recorder.submit(kept) if kept else 0


def _stored(record: CallRecord) -> Iterator[Record]:
    record.DiscardUnknownFields()
    check(record)
    value = record.SerializeToString()
    for product in PRODUCT_OF[record.product]:
        yield Record(
            product, record.cdr_id, record.service_provider_name, record.subscriber_name, value
        )


def check(record: CallRecord) -> None:
    """Raises InvalidInput."""
    try:
        formed = str(UUID(record.cdr_id)) == record.cdr_id
    except ValueError:
        formed = False
    if not formed:
        raise _refused("cdr_id", "format", "must be a UUID in lower case")
    if record.product not in PRODUCT_OF:
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


__all__ = ["TYPE", "append", "check"]
