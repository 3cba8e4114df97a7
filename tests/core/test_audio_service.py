"""Audio files over gRPC, on disk."""

import grpc
import pytest

from callscreen.core.limits import AUDIO_CHUNK
from callscreen.v1 import audio_files_pb2 as pb
from callscreen.v1 import audio_files_pb2_grpc, provisioning_pb2

from .conftest import obj
from .remote import create, provisioning, refused
from .wavs import wav

HELLO = "pcs/audio/acme/hello.wav"
SAMPLES = wav(bytes(3 * AUDIO_CHUNK))


@pytest.fixture
async def stub(server):
    await create(server, "pcs/service_provider", name="acme")
    return audio_files_pb2_grpc.AudioFilesStub(server.channel)


def messages(*octets, name=HELLO, **given):
    yield pb.UploadRequest(spec=pb.UploadSpec(name=name, **given))
    for each in octets:
        yield pb.UploadRequest(data=each)


async def read(server, stub, **given):
    request = pb.ReadRequest(name=HELLO, **given)
    return [chunk async for chunk in stub.Read(request, metadata=server.service)]


async def test_up_and_down(server, stub):
    sent = messages(SAMPLES[:99], SAMPLES[99:], label="Hello", must_be_new=True)
    made = await stub.Upload(sent, metadata=server.service)
    assert (made.name, made.audio.label, made.audio.length) == (HELLO, "Hello", len(SAMPLES))
    chunks = await read(server, stub)
    assert b"".join(chunk.data for chunk in chunks) == SAMPLES
    assert {chunk.total for chunk in chunks} == {len(SAMPLES)}
    assert max(len(chunk.data) for chunk in chunks) == AUDIO_CHUNK
    (part,) = await read(server, stub, offset=10, length=5)
    assert part.data == SAMPLES[10:15]
    error = await refused(stub.Upload(messages(SAMPLES, must_be_new=True), metadata=server.service))
    assert error.code() is grpc.StatusCode.ALREADY_EXISTS


async def test_refusals(server, stub):
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    for sent in (
        [],
        [pb.UploadRequest(data=SAMPLES)],
        [pb.UploadRequest()],
        [*messages(SAMPLES), *messages()],
        [*messages(b"no file")],
        [*messages(SAMPLES, name="pcs/audio/acme/hello.mp3")],
    ):
        error = await refused(stub.Upload(iter(sent), metadata=server.service))
        assert error.code() is invalid
    described = obj("audio", file="hello.wav", location="/x", server="s")
    request = provisioning_pb2.CreateRequest(parent="pcs/audio/acme", object=described)
    await provisioning(server).Create(request, metadata=server.service)
    missing = stub.Read(pb.ReadRequest(name=HELLO), metadata=server.service)
    assert (await refused(missing.read())).code() is grpc.StatusCode.NOT_FOUND


async def test_an_upload_that_is_given_up_leaves_nothing(server, stub):
    call = stub.Upload(metadata=server.service)
    for each in messages(SAMPLES[:100]):
        await call.write(each)
    call.cancel()
    request = provisioning_pb2.GetRequest(name=HELLO)
    error = await refused(provisioning(server).Get(request, metadata=server.service))
    assert error.code() is grpc.StatusCode.NOT_FOUND


async def test_restore_purge_and_effective_settings(server, stub):
    calls = provisioning(server)
    name = "pcs/service_provider/acme"
    await calls.Delete(provisioning_pb2.DeleteRequest(name=name), metadata=server.service)
    asked = provisioning_pb2.GetRequest(name=name, archived=True)
    found = await calls.Get(asked, metadata=server.service)
    assert found.archived.root == name
    await calls.Restore(provisioning_pb2.RestoreRequest(name=name), metadata=server.service)
    error = await refused(
        calls.Purge(provisioning_pb2.PurgeRequest(name=name), metadata=server.service)
    )
    assert error.code() is grpc.StatusCode.NOT_FOUND
    request = provisioning_pb2.EffectiveSettingsRequest(name="pcs/settings/acme")
    answer = await calls.EffectiveSettings(request, metadata=server.service)
    assert answer.settings.settings.web_settings.password_length == 8
    assert answer.sources["web_settings.password_length"] == "default"
