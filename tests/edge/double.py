"""A core made of the generated services, for the edge's clients to talk to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from callscreen.v1 import object_pb2, records_pb2, records_pb2_grpc, replication_pb2_grpc
from callscreen.v1 import replication_pb2 as replication


class Core(replication_pb2_grpc.ReplicationServicer, records_pb2_grpc.RecordsServicer):
    """Keeps names → revisions, a change log that can be compacted, and call records by cdr_id."""

    def __init__(self) -> None:
        self.store_id = "first"
        self.epoch = 1
        self.revision = 0
        self.oldest = 1
        self.objects: dict[str, object_pb2.Object] = {}
        self.log: dict[int, object_pb2.Change] = {}
        self.changed = asyncio.Condition()
        self.snapshots = 0
        self.watches = 0
        self.single = False  # knows of no Follow, as cores once did
        self.during_snapshot: Callable[[], Any] | None = None
        self.records: dict[str, str] = {}
        self.kept: list[records_pb2.CallRecord] = []  # as they came
        self.appends: list[list[str]] = []
        self.swallow_acknowledgements = 0
        self.refuse: set[str] = set()
        self.metadata: list[dict[str, str]] = []
        self._server: grpc.aio.Server | None = None
        self.port = 0
        self.credentials: grpc.ServerCredentials | None = None  # None: in the clear

    async def start(self) -> None:
        self._server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
        replication_pb2_grpc.add_ReplicationServicer_to_server(self, self._server)
        records_pb2_grpc.add_RecordsServicer_to_server(self, self._server)
        address = f"127.0.0.1:{self.port}"
        if self.credentials is None:
            self.port = self._server.add_insecure_port(address)
        else:
            self.port = self._server.add_secure_port(address, self.credentials)
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    def note(self, name: str, put: bool = True, body: object_pb2.Object | None = None) -> None:
        """Commits a change without waking watchers: as one made before they came."""
        self.revision += 1
        change = object_pb2.Change(revision=self.revision)
        mutation = change.mutations.add(name=name)
        if put:
            mutation.put.CopyFrom(body or object_pb2.Object(name=name))
            self.objects[name] = mutation.put
        else:
            self.objects.pop(name, None)
        self.log[self.revision] = change

    async def commit(
        self, name: str, put: bool = True, body: object_pb2.Object | None = None
    ) -> None:
        async with self.changed:
            self.note(name, put, body)
            self.changed.notify_all()

    def compact(self) -> None:
        self.log.clear()
        self.oldest = self.revision + 1

    async def Snapshot(  # noqa: N802
        self, request: replication.SnapshotRequest, context: Any
    ) -> AsyncIterator[replication.SnapshotChunk]:
        self.snapshots += 1
        self.metadata.append(dict(context.invocation_metadata()))
        start = replication.ResumeToken(
            store_id=self.store_id, epoch=self.epoch, revision=self.revision
        )
        for each in list(self.objects.values()):
            chunk = replication.SnapshotChunk(objects=[each])
            getattr(chunk, "from").CopyFrom(start)
            yield chunk
        if self.during_snapshot is not None:
            await self.during_snapshot()
        last = replication.SnapshotChunk(complete=self.revision)
        getattr(last, "from").CopyFrom(start)
        yield last

    async def Follow(  # noqa: N802
        self, request: replication.WatchRequest, context: Any
    ) -> AsyncIterator[replication.Changes]:
        if self.single:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "no such method")
        async for change in self.Watch(request, context):
            yield replication.Changes(changes=[change])

    async def Watch(  # noqa: N802
        self, request: replication.WatchRequest, context: Any
    ) -> AsyncIterator[object_pb2.Change]:
        self.watches += 1
        after = request.after
        if (after.store_id, after.epoch) != (self.store_id, self.epoch) or (
            after.revision + 1 < self.oldest
        ):
            await context.abort(grpc.StatusCode.OUT_OF_RANGE, "take a snapshot")
        at = after.revision
        while True:
            async with self.changed:
                await self.changed.wait_for(lambda at=at: self.revision > at)
            while at < self.revision:
                at += 1
                if at in self.log:
                    yield self.log[at]

    async def Append(  # noqa: N802
        self, request_iterator: AsyncIterator[records_pb2.AppendRequest], context: Any
    ) -> AsyncIterator[records_pb2.AppendResponse]:
        self.metadata.append(dict(context.invocation_metadata()))
        async for request in request_iterator:
            ids = [record.cdr_id for record in request.records]
            self.appends.append(ids)
            if self.refuse.intersection(ids):
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "not a record")
            for record in request.records:
                self.records.setdefault(record.cdr_id, record.call_id)
                self.kept.append(record)
            if self.swallow_acknowledgements:
                self.swallow_acknowledgements -= 1
                await context.abort(grpc.StatusCode.UNAVAILABLE, "gone before it answered")
            yield records_pb2.AppendResponse(id=request.id)
