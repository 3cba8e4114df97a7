"""What goes wrong, as the REST caller sees it.

1. REST_CODE is the only map from gRPC codes to REST codes.
2. The core's sentence goes out only for codes that speak of the request; of the others the cause
   goes to the log, and a fixed sentence goes out.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from ..schema import FieldError

__all__ = ["NOT_LOGGED_IN", "REST_CODE", "ApiError", "no_object", "not_found", "rest_error"]

STATUS_KEY: Final = "grpc-status-details-bin"  # where gRPC carries a google.rpc.Status
NOT_LOGGED_IN: Final = "The authentication token is missing, expired or not valid."

REST_CODE: Final[Mapping[grpc.StatusCode, int]] = MappingProxyType(
    {
        grpc.StatusCode.INVALID_ARGUMENT: 400,
        grpc.StatusCode.OUT_OF_RANGE: 400,
        grpc.StatusCode.UNAUTHENTICATED: 401,
        grpc.StatusCode.PERMISSION_DENIED: 403,
        grpc.StatusCode.NOT_FOUND: 404,
        grpc.StatusCode.ALREADY_EXISTS: 409,
        grpc.StatusCode.ABORTED: 409,
        grpc.StatusCode.FAILED_PRECONDITION: 409,
        grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
        grpc.StatusCode.UNIMPLEMENTED: 501,
        grpc.StatusCode.UNAVAILABLE: 503,
        grpc.StatusCode.CANCELLED: 503,
        grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    }
)
# Codes whose text may name hosts, ports or code: what is said instead.
FIXED: Final[Mapping[int, str]] = MappingProxyType(
    {
        500: "The request could not be completed because of an internal error.",
        501: "The operation is not available.",
        503: "The service is not available: try again later.",
        504: "The service did not answer in time: try again later.",
    }
)


class ApiError(Exception):
    """An answer that is no success: the body's code, its sentence, and the fields at fault.

    The code is an integer but for an unknown object, where the references show the string "404".
    """

    headers: tuple[tuple[bytes, bytes], ...] = ()  # that go with the answer

    def __init__(
        self, code: int | str, message: str = "", errors: Iterable[FieldError] = ()
    ) -> None:
        self.code = code
        self.message = message or FIXED.get(int(code), "")
        self.errors = tuple(errors)
        super().__init__(self.message)


def no_object(path: str) -> ApiError:
    """The documented answer to an object that no product has."""
    return ApiError("404", f"No object '{path}' exists.")


def not_found(class_name: str) -> ApiError:
    """A change to an object that is not there, or that the caller may not see."""
    return ApiError(404, f"{class_name}(): The object is not provisioned.")


def rest_error(error: grpc.aio.AioRpcError) -> ApiError:
    """The core's refusal as an answer, with its field violations where it named any."""
    code = REST_CODE.get(error.code(), 500)
    if code in FIXED:
        return ApiError(code)
    return ApiError(code, error.details() or FIXED[500], _violations(error))


def _violations(error: grpc.aio.AioRpcError) -> list[FieldError]:
    trailing = cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata() or ())
    for key, value in trailing:
        if key == STATUS_KEY and isinstance(value, bytes):
            try:
                return list(_field_errors(status_pb2.Status.FromString(value)))
            except DecodeError:
                break  # details that cannot be read: the code and the sentence stand
    return []


def _field_errors(status: status_pb2.Status) -> Iterator[FieldError]:
    for detail in status.details:
        if detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad = error_details_pb2.BadRequest()
            detail.Unpack(bad)
            for item in bad.field_violations:
                yield FieldError(item.field, item.reason.lower(), item.description)
