"""AudioFiles: the samples of audio objects, in and out."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from ...v1 import audio_files_pb2 as pb
from ...v1.jobs_pb2 import FileChunk
from ...v1.object_pb2 import Object
from ..access import Principal
from ..commands import audio_read, audio_upload
from ..commands.context import Core
from ..errors import InvalidInput

FIRST = "The first message must say which file it is, the others carry it."


class AudioFiles:
    """callscreen.v1.AudioFiles."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def upload(self, requests: AsyncIterator[tuple[pb.UploadRequest, Principal]]) -> Object:
        first = await anext(requests, None)
        if first is None or first[0].WhichOneof("part") != "spec":
            raise InvalidInput(FIRST)
        spec, caller = first[0].spec, first[1]
        return await audio_upload.upload(
            self._core,
            caller,
            spec.name,
            _pieces(requests),
            spec.label if spec.HasField("label") else None,
            spec.must_be_new,
        )

    async def read(self, request: pb.ReadRequest, caller: Principal) -> AsyncIterator[FileChunk]:
        pieces = audio_read.read(self._core, caller, request.name, request.offset, request.length)
        async with aclosing(pieces):
            async for data, total in pieces:
                yield FileChunk(data=data, total=total)


async def _pieces(
    requests: AsyncIterator[tuple[pb.UploadRequest, Principal]],
) -> AsyncIterator[bytes]:
    async for request, _ in requests:
        if request.WhichOneof("part") != "data":
            raise InvalidInput(FIRST)
        yield request.data


__all__ = ["AudioFiles"]
