"""Backups as a test takes them, and folders made of them."""

import io

from callscreen.core.upkeep.restore import restore
from callscreen.v1 import maintenance_pb2, maintenance_pb2_grpc

NOW = 1_800_000_000.0


async def taken(server, **options):
    stub = maintenance_pb2_grpc.MaintenanceStub(server.channel)
    request = maintenance_pb2.BackupRequest(**options)
    chunks = [chunk.data async for chunk in stub.Backup(request, metadata=server.service)]
    assert max(map(len, chunks)) <= 1 << 20
    return b"".join(chunks)


def restored(octets, folder, now=NOW):
    return restore(io.BytesIO(octets), folder, now, lambda size: None)
