"""The one map from errors to gRPC codes, with google.rpc details.

Invariants:
1. A documented sentence goes out; the cause of an unexpected error goes to the log alone.
2. INVALID_ARGUMENT carries a BadRequest with a violation a field (its reason is the schema's code),
   and so does ALREADY_EXISTS where values are others'; every refusal carries an ErrorInfo of
   domain "callscreen".
3. What goes out fits in gRPC's 8 KiB of metadata, however many fields were wrong.
"""

import logging
from typing import Final, NoReturn

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from ...schema import Invalid
from ..errors import (
    AlreadyExists,
    CallscreenError,
    Compacted,
    Conflict,
    InvalidInput,
    NotFound,
    PermissionDenied,
    Taken,
    TooMuch,
    Unauthenticated,
    Unavailable,
    Violation,
)

DOMAIN: Final = "callscreen"
UNIQUE: Final = "unique"  # the schema's code of a value that another object holds
MESSAGE_CHARS: Final = 500  # characters of a sentence that goes out
DETAIL_BYTES: Final = 3_000  # bytes of field violations that go out (metadata is base64-encoded)

CODES: Final[dict[type[CallscreenError], grpc.StatusCode]] = {
    InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    Taken: grpc.StatusCode.ALREADY_EXISTS,
    NotFound: grpc.StatusCode.NOT_FOUND,
    AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    Conflict: grpc.StatusCode.ABORTED,
    Compacted: grpc.StatusCode.OUT_OF_RANGE,
    TooMuch: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
}

log = logging.getLogger("callscreen.core")


def known(error: Exception) -> CallscreenError | None:
    """The error as one of ours, or None where nobody meant to raise it."""
    if isinstance(error, Invalid):
        taken = {each.code for each in error.errors} == {UNIQUE}
        return (Taken if taken else InvalidInput)(str(error), error.errors)
    return error if isinstance(error, CallscreenError) else None


def code_of(error: CallscreenError) -> grpc.StatusCode:
    for base in type(error).__mro__:
        if base in CODES:
            return CODES[base]
    return grpc.StatusCode.INTERNAL


def to_status(error: Exception) -> tuple[grpc.StatusCode, status_pb2.Status]:
    """The code and the rich status for an error; what is not ours is logged, told as INTERNAL."""
    ours = known(error)
    code = grpc.StatusCode.INTERNAL if ours is None else code_of(ours)
    if ours is None or code is grpc.StatusCode.INTERNAL:
        log.error("internal error", exc_info=error)
        return code, status_pb2.Status(code=code.value[0], message="internal error")
    status = status_pb2.Status(code=code.value[0], message=_short(ours.message))
    info = error_details_pb2.ErrorInfo(reason=ours.reason, domain=DOMAIN)
    status.details.append(_packed(info))
    if isinstance(ours, InvalidInput) and ours.errors:
        status.details.append(_packed(_bad_request(ours.errors)))
    return code, status


async def refuse(context: "grpc.aio.ServicerContext", error: Exception) -> NoReturn:  # type: ignore[type-arg]
    """Ends the call with the error's status."""
    code, status = to_status(error)
    details = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(code, status.message, details)
    raise AssertionError("abort returned")


def _bad_request(errors: tuple[Violation, ...]) -> error_details_pb2.BadRequest:
    request = error_details_pb2.BadRequest()
    for field, code, message in errors:
        request.field_violations.add(field=_short(field), description=_short(message), reason=code)
        if request.ByteSize() > DETAIL_BYTES:
            if len(request.field_violations) > 1:
                del request.field_violations[-1]
            break
    return request


def _packed(detail: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed


def _short(text: str) -> str:
    return text if len(text) <= MESSAGE_CHARS else text[: MESSAGE_CHARS - 1] + "…"


__all__ = ["CODES", "DOMAIN", "code_of", "known", "refuse", "to_status"]
