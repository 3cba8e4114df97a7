"""What is asked of Screening is a call, or it is refused."""

import grpc
import pytest
from google.rpc import error_details_pb2

from callscreen.v1 import screening_pb2, screening_pb2_grpc

from .remote import refused
from .test_services import detail


@pytest.mark.parametrize("name", ["Screen", "Explain"])
async def test_a_call_that_is_missing_or_from_nowhere_is_refused(server, name):
    method = getattr(screening_pb2_grpc.ScreeningStub(server.channel), name)
    message = getattr(screening_pb2, f"{name}Request")
    for request, field, code in (
        (message(), "call", "required"),
        (message(call={"source_ip": "999.1.1.1"}), "source_ip", "format"),
    ):
        error = await refused(method(request, metadata=server.service))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        violation = detail(error, error_details_pb2.BadRequest).field_violations[0]
        assert (violation.field, violation.reason) == (field, code)
    await method(message(call={}), metadata=server.service)


async def test_a_batch_with_a_call_from_nowhere_is_refused(server):
    stream = screening_pb2_grpc.ScreeningStub(server.channel).ScreenBatches(metadata=server.service)
    calls = [{"source_ip": "192.0.2.1"}, {"source_ip": "fe80::1%eth0"}]
    await stream.write(screening_pb2.ScreenBatchRequest(calls=calls))
    error = await refused(stream.read())
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert detail(error, error_details_pb2.BadRequest).field_violations[0].field == "source_ip"
