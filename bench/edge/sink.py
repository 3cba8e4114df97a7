"""A core that takes call records and lets go of them: `python -m bench.edge.sink`.

It prints its port, and answers every Append of records; it has no objects, so that an edge goes on
with its own replica. It ends with its standard input.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc

from callscreen.v1 import records_pb2

__all__ = ["main"]

OPTIONS = (("grpc.max_receive_message_length", 64 * 1024 * 1024), ("grpc.so_reuseport", 0))


def request_id(octets: bytes) -> int:
    """The first field of an AppendRequest; its records are not looked at."""
    if octets[:1] != b"\x08":
        return int(records_pb2.AppendRequest.FromString(octets).id)
    value = shift = 0
    for octet in octets[1:11]:
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            break
        shift += 7
    return value


async def append(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
    async for octets in requests:
        yield records_pb2.AppendResponse(id=request_id(octets)).SerializeToString()


async def serve() -> None:
    server = grpc.aio.server(options=OPTIONS)
    handlers = {"Append": grpc.stream_stream_rpc_method_handler(append)}
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("callscreen.v1.Records", handlers),)
    )
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


def main() -> None:
    asyncio.run(serve())


if __name__ == "__main__":
    main()
