"""What one caller can make the core do has limits, and strangers get no further than the door."""

import asyncio
import gc

import grpc
import pytest

from callscreen.core.limits import SMALL_BYTES, STREAMS_EACH
from callscreen.core.services import pipeline, registry
from callscreen.v1 import provisioning_pb2 as pb

from .conftest import obj
from .remote import create, log_in, provisioning, refused
from .test_services import METHODS, raw


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
async def test_a_stranger_s_octets_are_not_even_decoded(server, method):
    if method.name in registry.OPEN | registry.OPTIONAL:
        return
    error = await raw(server, method, b"\xff" * 9, ())
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
async def test_a_request_longer_than_its_method_needs_is_refused(server, method):
    if method.name in registry.LARGE:
        return
    metadata = () if method.name in registry.OPEN else server.service
    error = await raw(server, method, b"\xff" * (SMALL_BYTES + 1), metadata)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == f"The message is longer than {SMALL_BYTES} bytes."


async def test_an_administrator_cannot_hold_every_place_with_streams(server):
    _, metadata = await log_in(server)
    opened = []
    for place in range(STREAMS_EACH):
        stream = provisioning(server).Write(metadata=metadata)
        await stream.write(pb.WriteRequest(id=place + 1, parent="pcs/service_provider"))
        assert (await stream.read()).id == place + 1
        opened.append(stream)
    error = await refused(provisioning(server).Write(metadata=metadata).read())
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    other = provisioning(server).Write(metadata=server.service)
    await other.write(pb.WriteRequest(id=7, parent="pcs/service_provider"))
    assert (await other.read()).id == 7
    for stream in opened:
        await stream.done_writing()
        assert await stream.read() is grpc.aio.EOF
    again = provisioning(server).Write(metadata=metadata)
    await again.write(pb.WriteRequest(id=8, parent="pcs/service_provider"))
    assert (await again.read()).id == 8


async def test_a_stream_that_never_reads_its_answers_holds_up_nobody_else(server):
    body = obj("service_provider", name="acme", notes="x" * 1000)
    request = pb.WriteRequest(parent="pcs/service_provider", objects=[body])
    stream = provisioning(server).Write(metadata=server.service)
    for place in range(200):
        request.id = place
        await asyncio.wait_for(stream.write(request), 20)
    assert (await asyncio.wait_for(create(server, "pcs/service_provider", name="b"), 20)).revision
    name = pb.GetRequest(name="pcs/service_provider/b")
    assert (await provisioning(server).Get(name, metadata=server.service)).revision
    stream.cancel()


async def requests(number):
    for place in range(number):
        yield place, None


async def answers(number, work):
    return [answer async for answer in pipeline.answered(requests(number), work)]


async def test_when_a_stream_breaks_everything_begun_is_waited_for():
    begun, ended = [], []

    async def work(place, _caller):
        begun.append(place)
        if place == 0:
            raise LookupError
        await asyncio.sleep(0.01)
        ended.append(place)

    with pytest.raises(LookupError):
        await answers(100, work)
    assert begun[1:] == ended
    assert len(begun) < 100


async def test_errors_that_nobody_is_left_to_hear_are_no_line_in_the_log(caplog):
    async def fail(place, _caller):
        raise LookupError(place)

    with pytest.raises(LookupError):
        await answers(5, fail)
    await asyncio.sleep(0.01)
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_work_of_a_stream_whose_reader_goes_is_finished_not_dropped():
    ended = asyncio.Event()

    async def work(place, _caller):
        await asyncio.sleep(0.05)
        ended.set()
        return place

    reader = asyncio.create_task(answers(1, work))
    await asyncio.sleep(0.01)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert ended.is_set()
