"""Provisioning: objects of every type."""

from collections.abc import AsyncIterator

from google.protobuf.empty_pb2 import Empty

from ...v1 import provisioning_pb2 as pb
from ...v1.object_pb2 import Object
from ..access import Principal
from ..commands import (
    create,
    delete,
    effective,
    get,
    list_objects,
    paging,
    purge,
    restore,
    update,
    write,
)
from ..commands.context import Core
from .pipeline import answered


class Provisioning:
    """callscreen.v1.Provisioning."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def get(self, request: pb.GetRequest, caller: Principal) -> Object:
        return get.get(self._core, caller, request.name, request.archived)

    async def list(self, request: pb.ListRequest, caller: Principal) -> pb.ListResponse:
        page = await self._core.readers.run(
            lambda gone: list_objects.list_objects(
                self._core,
                caller,
                request.parent,
                request.query,
                request.page_size if request.HasField("page_size") else None,
                request.page_token,
                request.skip,
                paging.patience(gone, self._core.ticks),
                request.archived,
            )
        )
        return pb.ListResponse(
            objects=page.objects,
            next_page_token=page.next_page_token,
            total_size=page.total,
            revision=page.revision,
        )

    async def create(self, request: pb.CreateRequest, caller: Principal) -> Object:
        return await create.create(self._core, caller, request.parent, request.object)

    async def update(self, request: pb.UpdateRequest, caller: Principal) -> Object:
        has_mask = request.HasField("update_mask")
        return await update.update(
            self._core,
            caller,
            request.name,
            request.object,
            tuple(request.update_mask.paths) if has_mask else None,
            request.allow_missing,
            request.expected_revision,
        )

    async def delete(self, request: pb.DeleteRequest, caller: Principal) -> Empty:
        await delete.delete(self._core, caller, request.name, request.expected_revision)
        return Empty()

    async def restore(self, request: pb.RestoreRequest, caller: Principal) -> Empty:
        await restore.restore(self._core, caller, request.name)
        return Empty()

    async def purge(self, request: pb.PurgeRequest, caller: Principal) -> Empty:
        await purge.purge(self._core, caller, request.name)
        return Empty()

    async def effective_settings(
        self, request: pb.EffectiveSettingsRequest, caller: Principal
    ) -> pb.EffectiveSettingsResponse:
        found = effective.effective_settings(self._core, caller, request.name)
        return pb.EffectiveSettingsResponse(settings=found.settings, sources=found.sources)

    def write(
        self, requests: AsyncIterator[tuple[pb.WriteRequest, Principal]]
    ) -> AsyncIterator[pb.WriteResponse]:
        return answered(requests, self._write)

    async def _write(self, request: pb.WriteRequest, caller: Principal) -> pb.WriteResponse:
        """A refused batch is an answer: the stream goes on."""
        answer = pb.WriteResponse(id=request.id)
        try:
            answer.revision = await write.write(self._core, caller, request.parent, request.objects)
        except write.BatchRefused as error:
            for place, message in error.refusals:
                answer.errors.add(index=place, message=message)
        return answer


__all__ = ["Provisioning"]
